; The last steps of a Linux guest that reboots through the BIOS (reboot=b, or whatever precedes it has no effect), in
; shape: a real-mode blob at the top of declared low memory, page tables that map 1 GiB below and the kernel above, a
; kernel stack whose low half lies where nothing is mapped, and a far jump through memory to 32-bit code in the blob.
;
; Sources: torvalds/linux arch/x86/realmode/init.c and rm/header.S, rm/reboot.S (placement and the way down),
; arch/x86/kernel/ebda.c (what is kept free for the BIOS), arch/x86/kernel/reboot.c (the jump), arch/x86/mm/kaslr.c
; init_trampoline_pud (one PUD entry since commit 0925dda5962e). The code here is our own. What differs: large pages
; that are writable and executable throughout where Linux has small ones with NX.
%define PROBE "linux-reboot-bios"
%define IMAGE_SIZE 0x2000
%define WITH_LONG_MODE
%define IDT64_BASE 0xffffffff80000000
%define DOUBLE_FAULT_IST 1

%macro PARAMETERS 0
param_ibt:                                              ; 1: indirect-branch tracking on, as Linux has it
        db 0
param_blob:                                             ; 0 intact, 1 its code page zeroed, 2 all of it zeroed
        db 0
param_pti:                                              ; 1: the double-fault handler looks at CR3 as Linux does with PTI
        db 0
        db 0
param_stack:                                            ; low half of RSP at the jump
        dd 0x405ebb78
%endmacro

; Linux with page-table isolation takes CR3 with bit 12 set for a user's page table where an exception has a stack of its own, and
; clears the bit (arch/x86/entry/calling.h, SAVE_AND_SWITCH_TO_KERNEL_CR3).
%macro FAULT64_ENTRY 0
        cmp qword [rsp], 8
        jne %%kernel
        cmp byte [rel param_pti], 0
        je %%kernel
        mov rbx, cr3
        btr rbx, 12
        jnc %%kernel
        mov cr3, rbx
%%kernel:
%endmacro

%include "rom.mac"
%include "e820.mac"
%include "identity.mac"

; PML4 and POINTERS of the identity map lie at 0x16000 and 0x17000.
KERNEL_PML4 equ 0x18000
STACK_POINTERS equ 0x19000
STACK_DIRECTORY equ 0x1a000
STACK_TABLE equ 0x1b000
STACK_PAGE equ 0x1c000
TEXT_POINTERS equ 0x1d000
TRAMPOLINE_POINTERS equ 0x1e000
SYSTEM_PAGE equ 0x1f000                                 ; GDT, TSS, stack of the double-fault handler
TSS equ SYSTEM_PAGE + 0x100
TSS_SELECTOR equ 0x40

KERNEL_TEXT equ 0xffffffff80000000                      ; PML4[511], PDPT[510]
DIRECT_MAP equ 0xffff888000000000                       ; PML4[273]
STACK_AREA equ 0xffffc90000000000                       ; PML4[402]

; The blob: offsets as in a kernel of 6.18 (7 pages; restart entry 0x2070 and page table 0x4000, from RIP and CR3 of the
; public report over RAX).
BLOB_SIZE equ 0x7000
BLOB_TEXT equ 0x2000
BLOB_ENTRY equ 0x2070
BLOB_PML4 equ 0x4000
HEADER_ENTRY equ 36                                     ; far pointer: offset, selector

%define BLOB_OFFSET(label) ((label - blob_text) + BLOB_ENTRY)         ; once the blob is in its place

BLOB equ WORK + 16                                      ; its linear address
CPUID_IBT equ 1 << 20                                   ; CPUID.7.0:EDX
CR0_WP equ 1 << 16
CR4_CET equ 1 << 23
S_CET equ 0x6a2
S_CET_ENDBR_EN equ 1 << 2

bits 16
main:
        call read_memory_map
        call place_blob
        cmp dword [BLOB], 0
        jne .placed
        PRINT "no RAM below 1 MiB for the blob", 10
        STATUS "no-low-memory"
.placed:
        PRINT "blob at "
        PRINT_HEX [BLOB]
        PRINT " to "
        mov eax, [BLOB]
        add eax, BLOB_SIZE
        PRINT_HEX eax
        NEWLINE
        ENTER_PROTECTED_32
        call has_long_mode
        jnz .long_mode
        PRINT "CPUID 0x80000001 offers no long mode", 10
        STATUS "no-long-mode"
.long_mode:
        call build_identity_tables
        call build_kernel_tables
        call build_blob
        mov eax, KERNEL_PML4
        call activate_long_mode
        jmp CODE64:low_64

bits 16
; BLOB := the highest page-aligned place for BLOB_SIZE bytes in RAM below what is kept for the BIOS, or 0.
place_blob:
        mov ebx, 0x9f000                                ; kept whatever the BIOS says
        movzx eax, word [0x413]                         ; KiB of base memory
        shl eax, 10
        cmp eax, 0x20000
        jb .ebda
        cmp eax, ebx
        ja .ebda
        mov ebx, eax
.ebda:
        movzx eax, word [0x40e]                         ; segment of the extended BIOS data area
        shl eax, 4
        cmp eax, 0x20000
        jb .search
        cmp eax, ebx
        jae .search
        mov ebx, eax
.search:
        PRINT "low memory kept for the BIOS from "
        PRINT_HEX ebx
        NEWLINE
        mov dword [BLOB], 0
        mov di, MAP_ENTRIES
        mov ecx, [MAP]
.entry:
        jecxz .end
        dec ecx
        cmp dword [di + 16], 1
        jne .next
        cmp dword [di + 4], 0
        jne .next
        mov edx, [di]
        cmp edx, ebx
        jae .next
        add edx, 0xfff
        and edx, ~0xfff
        mov eax, [di]
        cmp dword [di + 12], 0                          ; 4 GiB and longer ends above the limit
        jne .clip
        add eax, [di + 8]
        jc .clip
        cmp eax, ebx
        jb .ends
.clip:
        mov eax, ebx
.ends:
        sub eax, BLOB_SIZE
        jc .next
        and eax, ~0xfff
        cmp eax, edx
        jb .next
        cmp eax, 0x20000                                ; the probe's own tables; no real map comes near them
        jb .next
        cmp eax, [BLOB]
        jbe .next
        mov [BLOB], eax
.next:
        add di, 20
        jmp .entry
.end:
        ret

bits 32
; What a kernel has: its text, a direct map of the first 4 GiB, a stack in the vmalloc area, GDT and TSS. The entry for
; address 0 is there until the kernel runs at its own address.
build_kernel_tables:
        mov dword [KERNEL_PML4], POINTERS | 3
        mov dword [KERNEL_PML4 + 273 * 8], POINTERS | 3
        mov dword [KERNEL_PML4 + 402 * 8], STACK_POINTERS | 3
        mov dword [KERNEL_PML4 + 511 * 8], TEXT_POINTERS | 3
        mov dword [TEXT_POINTERS + 510 * 8], DIRECTORIES | 3
        mov eax, [ADDRESS(param_stack)]
        mov ebx, eax
        shr ebx, 30
        mov dword [STACK_POINTERS + ebx * 8], STACK_DIRECTORY | 3
        mov ebx, eax
        shr ebx, 21
        and ebx, 511
        mov dword [STACK_DIRECTORY + ebx * 8], STACK_TABLE | 3
        mov ebx, eax
        dec ebx
        shr ebx, 12
        and ebx, 511
        mov dword [STACK_TABLE + ebx * 8], STACK_PAGE | 3
        mov esi, ADDRESS(gdt)
        mov edi, SYSTEM_PAGE
        mov ecx, gdt_end - gdt
        rep movsb
        mov dword [SYSTEM_PAGE + TSS_SELECTOR], ((TSS & 0xffff) << 16) | 0x67
        mov dword [SYSTEM_PAGE + TSS_SELECTOR + 4], 0x80008900 | ((TSS >> 16) & 0xff) ; base ffffffff80000000 + TSS
        mov dword [SYSTEM_PAGE + TSS_SELECTOR + 8], KERNEL_TEXT >> 32
        mov dword [TSS + 0x24], SYSTEM_PAGE + 0x1000 + 0x80000000                     ; IST1
        mov dword [TSS + 0x28], KERNEL_TEXT >> 32
        ret

; Copies the blob's code to its place, relocates it, and builds its page table: one entry for the first GiB, the upper
; half as the kernel's.
build_blob:
        mov edi, [BLOB]
        xor eax, eax
        mov ecx, BLOB_SIZE / 4
        rep stosd
        mov ebp, [BLOB]
        lea eax, [ebp + BLOB_ENTRY]
        mov [ebp + HEADER_ENTRY], eax
        mov dword [ebp + HEADER_ENTRY + 4], CODE32
        mov esi, ADDRESS(blob_text)
        lea edi, [ebp + BLOB_ENTRY]
        mov ecx, blob_text_end - blob_text
        rep movsb
        mov esi, ADDRESS(relocations)
.relocate:
        lodsd
        test eax, eax
        jz .segment
        add [ebp + eax], ebp
        jmp .relocate
.segment:
        mov eax, ebp
        shr eax, 4
        mov [ebp + BLOB_OFFSET(restart_segment)], ax
        mov dword [TRAMPOLINE_POINTERS], DIRECTORIES | 3
        mov dword [ebp + BLOB_PML4], TRAMPOLINE_POINTERS | 3
        mov esi, KERNEL_PML4 + 256 * 8
        lea edi, [ebp + BLOB_PML4 + 256 * 8]
        mov ecx, 256 * 2
        rep movsd
        PRINT "blob code "
        cmp byte [ADDRESS(param_blob)], 1
        jb .intact
        je .code
        lea edi, [ebp]
        mov ecx, BLOB_SIZE / 4
        PRINT "and tables overwritten with zeros", 10
        jmp .zero
.code:
        lea edi, [ebp + BLOB_TEXT]
        mov ecx, 0x1000 / 4
        PRINT "overwritten with zeros", 10
.zero:
        xor eax, eax
        rep stosd
        ret
.intact:
        PRINT "intact", 10
        ret

bits 64
low_64:
        mov rax, kernel_64 + KERNEL_TEXT
        jmp rax
kernel_64:
        lgdt [rel kernel_gdtr]
        lidt [rel idtr64]
        xor eax, eax
        mov ds, ax
        mov es, ax
        mov fs, ax
        mov gs, ax
        mov ax, DATA32
        mov ss, ax
        mov rsp, STACK_AREA
        mov eax, [rel param_stack]
        add rsp, rax
        mov ax, TSS_SELECTOR
        ltr ax
        mov rax, DIRECT_MAP
        mov qword [rax + KERNEL_PML4], 0                ; the low half is the user's
        mov rcx, cr3
        mov cr3, rcx
        mov rcx, cr0
        or rcx, CR0_WP
        mov cr0, rcx
        mov ebp, [rax + BLOB]
        PRINT "ibt "
        cmp byte [rel param_ibt], 0
        je .ibt_off
        push rax
        xor eax, eax
        cpuid
        cmp eax, 7
        jb .not_offered
        mov eax, 7
        xor ecx, ecx
        cpuid
        test edx, CPUID_IBT
        jz .not_offered
        mov rax, cr4
        or rax, CR4_CET
        mov cr4, rax
        mov ecx, S_CET
        mov eax, S_CET_ENDBR_EN
        xor edx, edx
        wrmsr
        pop rax
        PRINT "on", 10
        jmp .restart
.not_offered:
        pop rax
        PRINT "not offered by CPUID.7:EDX bit 20", 10
        STATUS "no-ibt"
.ibt_off:
        PRINT "off", 10
.restart:
        mov dword [rax + MARKER_AT], MARKER
        mov word [rax + 0x472], 0x1234
        add rax, rbp                                    ; the header, through the direct map
        lea rcx, [rbp + BLOB_PML4]
        PRINT "jumping through "
        lea rbx, [rax + HEADER_ENTRY]
        PRINT_HEX rbx
        PRINT " to "
        mov ebx, [rax + HEADER_ENTRY]
        PRINT_HEX rbx
        PRINT " rsp "
        mov rbx, rsp
        PRINT_HEX rbx
        PRINT " cr3 "
        PRINT_HEX rcx
        NEWLINE
        push rax
        mov al, 0x8f                                    ; shutdown status 0, NMI off
        out 0x70, al
        xor eax, eax
        out 0x71, al
        pop rax
        xor edi, edi                                    ; restart type: BIOS
        mov cr3, rcx
restart_jump:
        jmp far dword [rax + HEADER_ENTRY]

        align 4, db 0
kernel_gdtr:
        dw TSS_SELECTOR + 15
        dq SYSTEM_PAGE + KERNEL_TEXT

; ---- the blob's code; addresses below are offsets from the blob until they are relocated ----------------------------

bits 32
blob_text:
        mov eax, DATA32
        mov ds, eax
        lgdt [BLOB_OFFSET(trampoline_gdtr)]
relocate_1 equ $ - 4
        mov eax, cr0
        and eax, ~CR0_PG                                ; leaves long mode
        mov cr0, eax
        jmp CODE32:BLOB_OFFSET(paging_off)
relocate_2 equ $ - 6
paging_off:
        mov ecx, EFER
        xor eax, eax
        xor edx, edx
        wrmsr
        lidt [BLOB_OFFSET(real_idtr)]
relocate_3 equ $ - 4
        lgdt [BLOB_OFFSET(real_gdtr)]
relocate_4 equ $ - 4
        mov eax, 0x10
        mov ds, eax
        mov es, eax
        mov fs, eax
        mov gs, eax
        mov ss, eax
        jmp 0x08:BLOB_OFFSET(restart_16)
bits 16
restart_16:                                             ; 16-bit protected mode, CS base is the blob
        xor eax, eax
        mov cr3, eax
        mov eax, cr0
        and eax, 0x10                                   ; ET
        or eax, 0x60000000                              ; caches off, as after a reset
        or al, CR0_PE
        mov cr0, eax
        wbinvd
        and al, 0x10
        mov cr0, eax
        jmp word 0:BLOB_OFFSET(restart_real)
restart_segment equ $ - 2
restart_real:
        jmp word 0xf000:0xfff0
        align 16, db 0
real_idtr:
        dw 0xffff
        dd 0
        align 8, db 0
real_gdt:
        dq 0
        dd 0x0000ffff, 0x00009b00                       ; code, base patched
        dd 0x0100ffff, 0x00009300                       ; data, base 0x100 as selector 0x10 would have in real mode
real_gdtr:
        dw 0xffff
        dd BLOB_OFFSET(real_gdt)
        align 8, db 0
trampoline_gdt:
        dq 0
        dq 0x00cf9b000000ffff
        dq 0x00af9b000000ffff
        dq 0x00cf93000000ffff
trampoline_gdtr:
        dw 31
        dd BLOB_OFFSET(trampoline_gdt)
blob_text_end:

; 32-bit cells to which the blob's address is added. The code descriptor's base (24 bits from its byte 2) is one: no
; carry leaves it, as the blob lies below 1 MiB.
        align 4, db 0
relocations:
        dd BLOB_OFFSET(relocate_1), BLOB_OFFSET(relocate_2), BLOB_OFFSET(relocate_3), BLOB_OFFSET(relocate_4)
        dd BLOB_OFFSET(real_gdt) + 10, BLOB_OFFSET(real_gdtr) + 2, BLOB_OFFSET(trampoline_gdtr) + 2
        dd 0

END_OF_IMAGE
