; The boot path of a 64-bit kernel: memory map, A20, every mode on the way to long mode with page tables of its own, a
; look at the first and last page of all RAM that the map declares, and down again to real mode.
%define PROBE "boot-path"
%define IMAGE_SIZE 0x2000
%define WITH_LONG_MODE
%include "rom.mac"
%include "e820.mac"
%include "identity.mac"

PAGE_DIRECTORY equ 0x10000                              ; 32-bit paging, 4 MiB pages
PAE_POINTERS equ 0x11000
WINDOW_POINTERS equ 0x18000                             ; PML4[1]: one page that is moved over physical memory
WINDOW_DIRECTORY equ 0x19000
WINDOW_TABLE equ 0x1a000
WINDOW equ 1 << 39
LOST equ WORK + 16                                      ; pages that did not hold what was written

bits 16
main:
        MODE "real"
        mov dword [LOST], 0
        call read_memory_map

        ; A20: with the gate closed, ffff:0510 is 0:0500.
        call a20_open
        jne .open
        in al, 0x92
        or al, 2
        and al, 0xfe
        out 0x92, al
        call a20_open
        jne .opened
        PRINT "a20 off, port 0x92 does not open it", 10
        STATUS "a20-off"
.opened:
        PRINT "a20 on, opened through port 0x92", 10
        jmp .a20
.open:
        PRINT "a20 on", 10
.a20:
        o32 lgdt [cs:OFFSET16(gdtr)]
        mov eax, cr0
        or al, CR0_PE
        mov cr0, eax
        jmp word CODE16:OFFSET16(protected_16)
protected_16:
        mov ax, DATA16
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov sp, STACK_TOP
        MODE "protected-16"
        o32 lidt [cs:OFFSET16(idtr32)]
        jmp dword CODE32:protected_32

; ZF=1 where writing one address changes the other.
a20_open:
        mov ax, 0xffff
        mov es, ax
        mov eax, [0x500]
        mov dword [0x500], 0x12345678
        mov ebx, [es:0x510]
        mov dword [es:0x510], 0x87654321
        cmp dword [0x500], 0x87654321
        mov [es:0x510], ebx
        mov [0x500], eax
        mov ax, 0
        mov es, ax
        ret

bits 32
protected_32:
        mov ax, DATA32
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov fs, ax
        mov gs, ax
        mov esp, STACK_TOP
        MODE "protected-32"

        call build_identity_tables
        mov edi, PAGE_DIRECTORY                         ; for 32-bit paging 1024 pages of 4 MiB
        mov eax, 0x83                                   ; present, writable, page size
        mov ecx, 1024
.next_4m:
        stosd
        add eax, 1 << 22
        loop .next_4m
        mov eax, DIRECTORIES | 1                        ; a PDPTE of PAE paging has no writable bit
        mov edi, PAE_POINTERS
        mov ecx, 4
.next_1g:
        stosd
        add edi, 4
        add eax, 0x1000
        loop .next_1g
        mov dword [PML4 + 8], WINDOW_POINTERS | 3
        mov dword [WINDOW_POINTERS], WINDOW_DIRECTORY | 3
        mov dword [WINDOW_DIRECTORY], WINDOW_TABLE | 3

        mov eax, cr4
        or eax, CR4_PSE
        mov cr4, eax
        mov eax, PAGE_DIRECTORY
        mov cr3, eax
        mov eax, cr0
        or eax, CR0_PG
        mov cr0, eax
        jmp .paging_32
.paging_32:
        MODE "paging-32"

        mov eax, cr0
        and eax, ~CR0_PG
        mov cr0, eax
        mov eax, cr4
        or eax, CR4_PAE
        mov cr4, eax
        mov eax, PAE_POINTERS
        mov cr3, eax
        mov eax, cr0
        or eax, CR0_PG
        mov cr0, eax
        jmp .pae
.pae:
        MODE "pae"

        call has_long_mode
        jnz .long_mode
        PRINT "CPUID 0x80000001 offers no long mode", 10
        STATUS "no-long-mode"
.long_mode:
        mov eax, cr0
        and eax, ~CR0_PG
        mov cr0, eax
        mov eax, PML4
        call activate_long_mode
        MODE "compatibility"
        jmp CODE64:long_mode

bits 64
long_mode:
        mov esp, STACK_TOP
        lidt [abs ADDRESS(idtr64)]
        MODE "long"

        mov r12d, [MAP]
        mov r13d, MAP_ENTRIES
        xor r15d, r15d                                  ; RAM entries seen
.entry:
        test r12d, r12d
        jz .touched
        cmp dword [r13 + 16], 1
        jne .skip
        mov rax, [r13]
        mov rbx, rax
        add rbx, [r13 + 8]
        add rax, 0xfff
        and rax, ~0xfff                                 ; first whole page
        and rbx, ~0xfff                                 ; end of the last one
        cmp rax, rbx
        jae .skip
        inc r15d
        call touch
        lea rax, [rbx - 0x1000]
        call touch
.skip:
        add r13, 20
        dec r12d
        jmp .entry
.touched:

        push CODE32
        lea rax, [rel compatibility]
        push rax
        o64 retf
bits 32
compatibility:
        MODE "compatibility"
        mov eax, cr0
        and eax, ~CR0_PG                                ; leaves long mode: LMA drops with PG
        mov cr0, eax
        lidt [ADDRESS(idtr32)]
        mov ecx, EFER
        rdmsr
        and eax, ~EFER_LME
        wrmsr
        mov eax, cr4
        and eax, ~(CR4_PAE | CR4_PSE)
        mov cr4, eax
        xor eax, eax
        mov cr3, eax
        MODE "protected-32"
        jmp CODE16:OFFSET16(down_16)
bits 16
down_16:
        mov ax, DATA16
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov fs, ax
        mov gs, ax
        mov eax, cr0
        and al, ~CR0_PE
        mov cr0, eax
        jmp word 0xf000:OFFSET16(down_real)
down_real:
        xor ax, ax
        mov ds, ax
        mov es, ax
        mov ss, ax
        o32 lidt [cs:OFFSET16(ivtr)]
        MODE "real"
        cmp dword [MAP], 0
        jne .map
        PRINT "no memory map, nothing touched", 10
        STATUS "no-memory-map"
.map:
        cmp dword [LOST], 0
        je .kept
        PRINT "pages lost "
        PRINT_HEX [LOST]
        NEWLINE
        STATUS "memory-lost"
.kept:
        STATUS "complete"

bits 64
; RAX: physical address of a page. Writes its last 8 bytes twice, reads them back, restores them. Keeps all but RCX, RDX.
touch:
        push rax
        PRINT "touch "
        PRINT_HEX rax
        or rax, 3
        mov [WINDOW_TABLE], rax
        mov rdx, WINDOW
        invlpg [rdx]
        mov rsi, [rdx + 0xff8]
        mov rcx, 0x5aa5c33c0ff01221
        xor rcx, rax                                    ; differs from page to page
        mov [rdx + 0xff8], rcx
        mov rdi, [rdx + 0xff8]
        cmp rdi, rcx
        jne .lost
        not rcx
        mov [rdx + 0xff8], rcx
        mov rdi, [rdx + 0xff8]
        cmp rdi, rcx
        jne .lost
        mov [rdx + 0xff8], rsi
        PRINT " ok", 10
        pop rax
        ret
.lost:
        mov [rdx + 0xff8], rsi
        inc dword [LOST]
        PRINT " lost, wrote "
        PRINT_HEX rcx
        PRINT " read "
        PRINT_HEX rdi
        NEWLINE
        pop rax
        ret

END_OF_IMAGE
