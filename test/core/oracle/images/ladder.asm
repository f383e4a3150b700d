; Every mode and the ways between them, with all registers after each step: what survives a switch, what a far transfer
; loads, how wide the stack pointer is.
%define PROBE "ladder"
%define IMAGE_SIZE 0x8000
%define DEBUG_PORT 0xe9
%define EXIT_PORT 0xf4
%define WITH_LONG_MODE
%include "rom.mac"
%include "identity.mac"
%include "system.mac"
%include "dump.mac"

DIRECTORY equ 0x10000
V86_SEGMENT equ 0x900                                   ; linear 0x9000: copied 16-bit code

%macro VALUES 0
        mov eax, 0x11111111
        mov ecx, 0x22222222
        mov edx, 0x33333333
        mov ebx, 0x44444444
        mov ebp, 0x55555555
        mov esi, 0x66666666
        mov edi, 0x77777777
%endmacro

bits 16
main:
        VALUES
        DUMP "real"

        ; Unreal mode: a limit of 4 GiB loaded in protected mode stays in real mode, also over a load of the selector.
        o32 lgdt [cs:OFFSET16(gdtr)]
        mov eax, cr0
        or al, 1
        mov cr0, eax
        mov dx, DATA32
        mov ds, dx
        mov fs, dx
        and al, 0xfe
        mov cr0, eax
        jmp word 0xf000:OFFSET16(.unreal)
.unreal:
        xor dx, dx
        mov ds, dx
        mov ebx, 0x00234560
        mov dword [ebx], 0xcafe1234
        mov ecx, [fs:ebx]
        mov eax, [ebx + 1]
        DUMP "unreal, above 1 MiB"
        mov dx, 0x1234
        mov ds, dx
        mov ebx, 0x00234560 - 0x12340
        mov ecx, [ebx]
        xor dx, dx
        mov ds, dx
        DUMP "unreal, another base"

        ; 16-bit protected mode.
        mov eax, cr0
        or al, 1
        mov cr0, eax
        jmp word CODE16:OFFSET16(.protected_16)
.protected_16:
        mov ax, DATA16
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov esp, 0xabcd7000                             ; the upper half must not matter
        VALUES
        o32 lidt [cs:OFFSET16(idtr32)]
        push dword 0x12345678
        pop edx
        call .near
        and esp, 0xffff
        DUMP "protected-16"
        jmp .over
.near:
        mov ecx, esp
        ret
.over:
        call dword CODE32:.far_32                       ; pushes 32 bits each
        DUMP "protected-16 again"
        jmp .after_far
bits 32
.far_32:
        mov ecx, esp
        mov edx, [ss:esp + 4]
        retf
bits 16
.after_far:
        jmp dword CODE32:.protected_32
bits 32
.protected_32:
        mov ax, DATA32
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov fs, ax
        mov gs, ax
        mov esp, STACK_TOP
        VALUES
        stc
        DUMP "protected-32"
        lar eax, [ADDRESS(.selectors)]
        setz cl
        lsl edx, [ADDRESS(.selectors)]
        verr [ADDRESS(.selectors) + 2]
        setz ch
        verw [ADDRESS(.selectors) + 2]
        setz bl
        DUMP "lar lsl verr verw"
        lar eax, [ADDRESS(.selectors) + 4]
        setz cl
        DUMP "lar beyond the table"
        jmp .selected
.selectors: dw CODE16, CODE32, 0x1234
.selected:
        call system_tables_32
        str eax
        sldt ecx
        smsw dx
        movzx edx, dx
        mov ebx, [GDT_RAM + TSS32 + 4]                  ; busy
        DUMP "task register"

        ; Ring 3 and back by a gate, with the segment registers that come back null or not.
        mov dword [RESUME], .from_user
        push dword USER_DATA
        push dword USER_TOP
        push dword 0x202
        push dword USER_CODE32
        push dword .user
        iret
.user:
        mov eax, ds
        mov ecx, es
        mov edx, cs
        mov esi, ss
        mov edi, esp
        int 0x40
.from_user:
        DUMP "back from ring 3"

        ; Virtual-8086 mode: code at 900:0.
        mov esi, ADDRESS(v86_code)
        mov edi, V86_SEGMENT * 16
        mov ecx, v86_code_end - v86_code
        rep movsb
        mov dword [RESUME], .from_v86
        push dword 0x1111                               ; GS, FS, DS, ES
        push dword 0x2222
        push dword V86_SEGMENT
        push dword 0x3333
        push dword 0
        push dword USER_TOP
        push dword 0x23002                              ; VM, IOPL 3
        push dword V86_SEGMENT
        push dword 0
        VALUES
        iret
.from_v86:
        mov ax, DATA32
        mov ds, ax
        mov es, ax
        DUMP "back from v86"
        mov dword [RESUME], .from_v86_gp
        push dword 0
        push dword 0
        push dword 0
        push dword 0
        push dword 0
        push dword USER_TOP
        push dword 0x20002                              ; IOPL 0: INT n is a general protection fault
        push dword V86_SEGMENT
        push dword v86_int - v86_code
        iret
.from_v86_gp:

        ; 32-bit paging with 4 MiB pages, then PAE: the same addresses.
        mov edi, DIRECTORY
        mov eax, 0x83
        mov ecx, 1024
.next_4m:
        stosd
        add eax, 1 << 22
        loop .next_4m
        mov dword [DIRECTORY + 4], 0x800083             ; linear 4 MiB is physical 8 MiB
        mov dword [0x800123], 0x8badf00d
        mov eax, cr4
        or eax, CR4_PSE
        mov cr4, eax
        mov eax, DIRECTORY
        mov cr3, eax
        mov eax, cr0
        or eax, CR0_PG
        mov cr0, eax
        mov ecx, [0x400123]
        mov edx, [DIRECTORY + 4]
        DUMP "paging-32"
        mov dword [DIRECTORY + 4], 0xc00083
        mov ecx, [0x400123]                             ; the old translation may still be cached; not printed
        mov eax, 0x400000
        invlpg [eax]
        mov dword [0x400123], 0x600df00d
        mov edx, [DIRECTORY + 4]
        mov eax, [0xc00123]
        xor ecx, ecx
        DUMP "after invlpg"
        mov eax, cr0
        and eax, ~CR0_PG
        mov cr0, eax
        call build_identity_tables
        mov dword [0x18000], DIRECTORIES | 1
        mov dword [0x18008], (DIRECTORIES + 0x1000) | 1
        mov dword [0x18010], (DIRECTORIES + 0x2000) | 1
        mov dword [0x18018], (DIRECTORIES + 0x3000) | 1
        mov dword [0x18004], 0
        mov dword [0x1800c], 0
        mov dword [0x18014], 0
        mov dword [0x1801c], 0
        mov eax, cr4
        or eax, CR4_PAE
        mov cr4, eax
        mov eax, 0x18000
        mov cr3, eax
        mov eax, cr0
        or eax, CR0_PG
        mov cr0, eax
        mov ecx, [0x800123]
        mov edx, [DIRECTORIES]
        DUMP "pae"
        mov eax, cr0
        and eax, ~CR0_PG
        mov cr0, eax

        ; Long mode.
        OPEN_IDENTITY_MAP
        call system_tables_64
        mov eax, PML4
        call activate_long_mode
        VALUES
        DUMP "compatibility"
        mov dword [0x904], CODE64
        mov dword [0x900], .long
        jmp far [0x900]
bits 64
.long:
        lidt [abs ADDRESS(idtr_64)]
        mov ax, TSS64
        ltr ax
        mov esp, STACK_TOP
        mov rax, 0x1111111111111111
        mov r8, 0x8888888888888888
        mov r15, 0xffffffff00000000
        mov ecx, 0x22222222
        mov rdx, -1
        mov edx, 5                                      ; clears the upper half
        mov rbx, -1
        mov bx, 0x1234                                  ; keeps it
        mov bl, 0
        DUMP "long"
        mov rax, [abs GDT_RAM + TSS64]
        mov rcx, [abs GDT_RAM + TSS64 + 8]
        str edx
        DUMP "task register"
        ; To 32-bit code and back by far returns; r8 to r15 survive.
        mov r12, 0x1212121212121212
        push CODE32
        lea rax, [rel .compatibility]
        push rax
        mov rax, 0x1111111111111111
        o64 retf
bits 32
.compatibility:
        DUMP "compatibility"
        call CODE64:.call_64
        jmp .called
bits 64
.call_64:
        mov ecx, [rsp]                                  ; pushed as 32 bits
        mov edx, [rsp + 4]
        retf
bits 32
.called:
        DUMP "compatibility after a far call"
        jmp CODE64:.long_again
bits 64
.long_again:
        mov r12, r12
        mov rbx, r12
        xor eax, eax
        xor ecx, ecx
        xor edx, edx
        DUMP "long again"
        mov qword [abs RESUME], .from_user_64
        push qword USER_DATA
        push qword USER_TOP + 3
        push qword 0x202
        push qword USER_CODE64
        push qword .user_64
        iretq
.user_64:
        mov eax, cs
        mov ecx, ss
        mov rsi, rsp
        mov edi, ds
        int 0x40
.from_user_64:
        xor eax, eax
        xor ebx, ebx
        xor edi, edi
        mov ax, DATA32
        mov ss, ax
        DUMP "back from ring 3"

        ; Down again.
        push CODE32
        lea rax, [rel .down]
        push rax
        o64 retf
bits 32
.down:
        mov eax, cr0
        and eax, ~CR0_PG
        mov cr0, eax
        VALUES
        DUMP "protected-32, long mode enabled but not active"
        mov ecx, EFER
        rdmsr
        and eax, ~EFER_LME
        wrmsr
        xor eax, eax
        mov cr4, eax
        mov cr3, eax
        lidt [ADDRESS(ivtr)]
        jmp CODE16:OFFSET16(.down_16)
bits 16
.down_16:
        mov ax, DATA16
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov fs, ax
        mov gs, ax
        mov eax, cr0
        and al, 0xfe
        mov cr0, eax
        jmp word 0xf000:OFFSET16(.down_real)
.down_real:
        xor ax, ax
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov fs, ax
        mov gs, ax
        VALUES
        DUMP "real again"
        STATUS "complete"

v86_code:
        mov ax, cs
        mov cx, ds
        mov dx, es
        mov si, fs
        mov di, gs
        mov bp, ss
        push ax
        mov bx, sp
        int 0x40
v86_int:
        int 0x40
v86_code_end:

END_OF_IMAGE
