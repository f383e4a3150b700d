; Exceptions of real mode: vector, place, flags.
%define PROBE "exceptions-real"
%define IMAGE_SIZE 0x4000
%define DEBUG_PORT 0xe9
%define EXIT_PORT 0xf4
%define WITH_LONG_MODE
%include "rom.mac"
%include "system.mac"

bits 16
        align 16, db 0x90
%assign v 0
%rep 80
taken_16_%[v]:
        push word v
        jmp near taken_16
        align 8, db 0x90
%assign v v + 1
%endrep

taken_16:
        cld
        pushad
        mov bp, sp
        PRINT "vector "
        movzx eax, word [bp + 32]
        PRINT_HEX eax
        PRINT " at "
        movzx eax, word [bp + 36]
        PRINT_HEX eax
        PRINT ":"
        movzx eax, word [bp + 34]
        PRINT_HEX eax
        PRINT " flags "
        movzx eax, word [bp + 38]
        PRINT_HEX eax
        PRINT " frame "
        lea ax, [bp + 34]
        movzx eax, ax
        PRINT_HEX eax
        PRINT " eax "
        PRINT_HEX [bp + 28]
        PRINT " edx "
        PRINT_HEX [bp + 20]
        PRINT " now "
        pushfd
        pop eax
        PRINT_HEX eax
        NEWLINE
        xor ax, ax
        mov ss, ax
        mov sp, STACK_TOP
        mov es, ax
        push dword 2
        popfd
        jmp [RESUME]

main:
        xor di, di
        mov ax, OFFSET16(taken_16_0)
        mov cx, 80
.next:
        stosw
        mov word [es:di], 0xf000
        add di, 2
        add ax, 8
        loop .next

        BEGIN_CASE "divide by zero"
        CLEAN
        mov eax, 0x12345678
        mov edx, 7
        div cx
        END_CASE
        BEGIN_CASE "quotient too large"
        mov eax, 0x10000
        mov edx, 7
        mov ecx, 7
        div ecx
        END_CASE
        BEGIN_CASE "idiv, most negative by -1"
        mov eax, 0x80000000
        cdq
        mov ecx, -1
        idiv ecx
        END_CASE
        BEGIN_CASE "aam 0"
        CLEAN
        aam 0
        END_CASE
        BEGIN_CASE "ud2"
        CLEAN
        ud2
        END_CASE
        BEGIN_CASE "int3"
        CLEAN
        stc
        int3
        END_CASE
        BEGIN_CASE "int 0x40"
        CLEAN
        sti
        std
        int 0x40
        END_CASE
        BEGIN_CASE "into with OF"
        mov al, 0x7f
        inc al
        into
        END_CASE
        BEGIN_CASE "into without OF"
        xor eax, eax
        into
        END_CASE
        BEGIN_CASE "bound below"
        CLEAN
        mov dword [0x900], 0x00200010
        mov ax, 0xf
        bound ax, [0x900]
        END_CASE
        BEGIN_CASE "bound within"
        mov ax, 0x20
        bound ax, [0x900]
        END_CASE
        BEGIN_CASE "lock on mov"
        CLEAN
        db 0xf0
        mov [0x900], ax
        END_CASE
        BEGIN_CASE "single step"
        CLEAN
        push word 0x102
        popf
        nop
        nop
        END_CASE
        BEGIN_CASE "single step over int"
        CLEAN
        push word 0x102
        popf
        int 0x41
        END_CASE
        BEGIN_CASE "trap flag by iret"
        CLEAN
        push word 0x102
        push word 0xf000
        push word OFFSET16(.stepped)
        iret
.stepped:
        nop
        nop
        END_CASE
        BEGIN_CASE "mov cr1"
        CLEAN
        db 0x0f, 0x20, 0xc8
        END_CASE
        BEGIN_CASE "lldt in real mode"
        CLEAN
        lldt ax
        END_CASE
        BEGIN_CASE "str in real mode"
        CLEAN
        str ax
        END_CASE
        BEGIN_CASE "mov to cs"
        CLEAN
        db 0x8e, 0xc8
        END_CASE
        BEGIN_CASE "lea of a register"
        CLEAN
        db 0x8d, 0xc0
        END_CASE
        BEGIN_CASE "les of a register"
        CLEAN
        db 0xc4, 0xc0
        END_CASE
        BEGIN_CASE "cmpxchg8b of a register"
        CLEAN
        db 0x0f, 0xc7, 0xc8
        END_CASE
        BEGIN_CASE "fpu with EM set"
        CLEAN
        mov eax, cr0
        or al, 4
        mov cr0, eax
        fninit
        END_CASE
        mov eax, cr0
        and al, ~4
        mov cr0, eax
        BEGIN_CASE "wait with MP and TS set"
        CLEAN
        mov eax, cr0
        or al, 10
        mov cr0, eax
        wait
        END_CASE
        clts
        BEGIN_CASE "instruction of 16 bytes"
        CLEAN
        times 15 db 0x2e
        nop
        END_CASE
        STATUS "complete"

END_OF_IMAGE
