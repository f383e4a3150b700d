; Task switches by JMP, CALL, INT and an exception between TSSs of 32 and 16 bits, and back by IRET: the registers of the new
; task, both TSSs, the busy bits, NT, TS and the link. Then the T bit.
%define PROBE "task-switches"
%define IMAGE_SIZE 0x8000
%define DEBUG_PORT 0xe9
%define EXIT_PORT 0xf4
%define WITH_LONG_MODE
%include "rom.mac"
%include "system.mac"

CODE_HIGH equ 0xb0                                      ; base 0xf0000: IP of a 16-bit TSS reaches the image
OLD_32 equ 0xb8
OLD_16 equ 0xc0
NEW_32 equ 0xc8
NEW_16 equ 0xd0
TASK_GATE equ 0xd8
EXTENDED_SIZE equ 0xe0
OLD_32_AT equ 0x5000                                    ; 0x68 bytes each, 0x100 apart
OLD_16_AT equ 0x5100
NEW_32_AT equ 0x5200
NEW_16_AT equ 0x5300

bits 16
main:
        ENTER_PROTECTED_32
        call system_tables_32
        mov esi, ADDRESS(more_descriptors)
        mov edi, GDT_RAM + SYSTEM_GDT_SIZE
        mov ecx, EXTENDED_SIZE - SYSTEM_GDT_SIZE
        rep movsb
        lgdt [ADDRESS(extended_gdtr)]
        jmp switches

more_descriptors:
        dq 0x00409b0f0000ffff
        dq 0x0000890000000067 | (OLD_32_AT << 16)
        dq 0x000081000000002b | (OLD_16_AT << 16)
        dq 0x0000890000000067 | (NEW_32_AT << 16)
        dq 0x000081000000002b | (NEW_16_AT << 16)
        dw 0, 0, 0xe500, 0
extended_gdtr:
        dw EXTENDED_SIZE - 1
        dd GDT_RAM

fill:
        mov edi, OLD_32_AT
        xor eax, eax
        mov ecx, 0x400 / 4
        rep stosd
        mov dword [NEW_32_AT + 0x20], ADDRESS(new_task)
        mov dword [NEW_32_AT + 0x24], 0x8d7             ; arithmetic flags
        mov eax, 0x10101010
        mov edi, NEW_32_AT + 0x28
        mov ecx, 8
.general:
        stosd
        add eax, 0x10101010
        loop .general
        mov dword [NEW_32_AT + 0x38], 0x5f00            ; ESP
        mov dword [NEW_32_AT + 0x48], DATA32
        mov dword [NEW_32_AT + 0x4c], CODE32
        mov dword [NEW_32_AT + 0x50], DATA32
        mov dword [NEW_32_AT + 0x54], DATA32
        mov dword [NEW_32_AT + 0x60], LDT_SELECTOR
        mov word [NEW_16_AT + 0xe], OFFSET16(new_task_high)
        mov word [NEW_16_AT + 0x10], 0x8d7
        mov eax, 0x1010
        mov edi, NEW_16_AT + 0x12
        mov ecx, 8
.general_16:
        stosw
        add eax, 0x1010
        loop .general_16
        mov word [NEW_16_AT + 0x1a], 0x5f00
        mov word [NEW_16_AT + 0x22], DATA32
        mov word [NEW_16_AT + 0x24], CODE_HIGH
        mov word [NEW_16_AT + 0x26], DATA32
        mov word [NEW_16_AT + 0x28], DATA32
        mov byte [GDT_RAM + OLD_32 + 5], 0x89
        mov byte [GDT_RAM + OLD_16 + 5], 0x81
        mov byte [GDT_RAM + NEW_32 + 5], 0x89
        mov byte [GDT_RAM + NEW_16 + 5], 0x81
        mov dword [IDT_RAM + 0x41 * 8 + 4], 0xe500
        mov dword [IDT_RAM + 6 * 8 + 4], 0x8500
        xor eax, eax
        lldt ax
        clts
        ret

new_task_high:
        jmp CODE32:ADDRESS(new_task)
new_task:
        movzx esp, sp
        pushfd
        pushad
        cld
        mov ebp, esp
        PRINT "new: flags "
        PRINT_HEX [ebp + 32]
        mov ebx, 7
.general:
        PRINT " "
        PRINT_HEX [ebp + ebx * 4]
        dec ebx
        jns .general
        call show
        test byte [ebp + 33], 0x40                      ; NT
        jnz .back
        push dword 2
        popfd
        mov esp, STACK_TOP
        push dword [RESUME]
        ret
.back:
        mov esp, ebp
        popad
        popfd
        iret

; TR, TS, LDTR, busy bits, and the four TSSs as far as they are used.
show:
        PRINT " tr "
        str eax
        PRINT_HEX eax
        PRINT " ldtr "
        sldt eax
        PRINT_HEX eax
        PRINT " ts "
        mov eax, cr0
        and eax, 8
        PRINT_HEX eax
        PRINT " busy"
        mov edi, GDT_RAM + OLD_32 + 5
        mov ecx, 4
.busy:
        PRINT " "
        movzx eax, byte [edi]
        PRINT_HEX eax
        add edi, 8
        loop .busy
        PRINT " memory"
        mov edi, OLD_32_AT
.memory:
        cmp dword [edi], 0
        je .next
        PRINT " "
        mov eax, edi
        and eax, 0xfff
        PRINT_HEX eax
        PRINT "="
        PRINT_HEX [edi]
.next:
        add edi, 4
        cmp edi, OLD_32_AT + 0x400
        jb .memory
        NEWLINE
        ret

; SWITCH "name", old, new, code…
%macro SWITCH 4+
        PRINT %1, ": "
        call fill
        mov ax, %2
        ltr ax
        mov word [GDT_RAM + TASK_GATE + 2], %3
        mov word [IDT_RAM + 0x41 * 8 + 2], %3
        mov word [IDT_RAM + 6 * 8 + 2], %3
        mov dword [RESUME], %%done
        mov eax, 0xa0a0a0a0
        mov ecx, 0xc0c0c0c0
        mov edx, 0xd0d0d0d0
        mov ebx, 0xb0b0b0b0
        mov ebp, 0xe0e0e0e0
        mov esi, 0x51515151
        mov edi, 0xd1d1d1d1
        push dword 0x202 & ~0x200 | 0x401
        popfd
        %4
        movzx esp, sp
        pushfd
        cld
        PRINT "back: flags "
        pop eax
        PRINT_HEX eax
        call show
%%done:
        cld
        mov esp, STACK_TOP
%endmacro
%macro ALL_WAYS 3
        SWITCH {%1, " by JMP"}, %2, %3, jmp %3:0
        SWITCH {%1, " by CALL"}, %2, %3, call %3:0
        SWITCH {%1, " by JMP through a gate"}, %2, %3, jmp TASK_GATE:0
        SWITCH {%1, " by CALL through a gate"}, %2, %3, call TASK_GATE:0
        SWITCH {%1, " by INT"}, %2, %3, int 0x41
%endmacro

switches:
        ALL_WAYS "32 to 32", OLD_32, NEW_32
        ALL_WAYS "32 to 16", OLD_32, NEW_16
        ; A 16-bit TSS keeps 16 bits of EIP, so nothing comes back to this code.
        SWITCH "16 to 16 by JMP", OLD_16, NEW_16, jmp NEW_16:0
        SWITCH "16 to 32 by JMP", OLD_16, NEW_32, jmp NEW_32:0
        SWITCH "16 to 32 by JMP through a gate", OLD_16, NEW_32, jmp TASK_GATE:0

        PRINT "an exception, "
        call fill
        mov ax, OLD_32
        ltr ax
        mov word [IDT_RAM + 6 * 8 + 2], NEW_32
        mov dword [RESUME], .not_back
        mov dword [NEW_32_AT + 0x20], .looked
        ud2
.looked:
        PRINT "saved flags "
        PRINT_HEX [OLD_32_AT + 0x24]
        call show
.not_back:
        push dword 2
        popfd
        mov esp, STACK_TOP

        call fill
        mov ax, OLD_32
        ltr ax
        mov byte [NEW_32_AT + 0x64], 1
        xor eax, eax
        mov dr6, eax
        BEGIN_CASE "T bit in the new TSS"
        jmp NEW_32:0
        END_CASE
        mov eax, dr6
        and eax, 0xe00f
        PRINT "dr6 "
        PRINT_HEX eax
        NEWLINE

; The fault belongs to the new task, which has no stack yet: a task gate takes it.
%macro BROKEN 2+
        call fill
        mov ax, OLD_32
        ltr ax
        mov byte [GDT_RAM + TSS32 + 5], 0x89
        mov edi, TSS32_AT
        xor eax, eax
        mov ecx, 0x68 / 4
        rep stosd
        mov dword [TSS32_AT + 0x20], ADDRESS(broken)
        mov dword [TSS32_AT + 0x24], 2
        mov dword [TSS32_AT + 0x38], 0x5e00
        mov dword [TSS32_AT + 0x48], DATA32
        mov dword [TSS32_AT + 0x4c], CODE32
        mov dword [TSS32_AT + 0x50], DATA32
        mov dword [TSS32_AT + 0x54], DATA32
        %2
        BEGIN_CASE %1
        jmp NEW_32:0
        END_CASE
%endmacro
%assign v 10
%rep 4
        mov word [IDT_RAM + v * 8 + 2], TSS32
        mov word [IDT_RAM + v * 8 + 4], 0x8500
%assign v v + 1
%endrep
        BROKEN "null CS", mov word [NEW_32_AT + 0x4c], 0
        BROKEN "data as CS", mov word [NEW_32_AT + 0x4c], DATA32
        BROKEN "CS of RPL 1", mov word [NEW_32_AT + 0x4c], CODE32 | 1
        BROKEN "absent CS", mov word [NEW_32_AT + 0x4c], ABSENT_CODE
        BROKEN "null SS", mov word [NEW_32_AT + 0x50], 0
        BROKEN "code as SS", mov word [NEW_32_AT + 0x50], CODE32
        BROKEN "absent SS", mov word [NEW_32_AT + 0x50], ABSENT_DATA
        BROKEN "SS of RPL 3", mov word [NEW_32_AT + 0x50], USER_DATA
        BROKEN "execute-only DS", mov word [NEW_32_AT + 0x54], EXECUTE_ONLY
        BROKEN "absent ES", mov word [NEW_32_AT + 0x48], ABSENT_DATA
        BROKEN "TSS as FS", mov word [NEW_32_AT + 0x58], TSS32
        BROKEN "data as LDT", mov word [NEW_32_AT + 0x60], DATA32
        BROKEN "LDT of the LDT", mov word [NEW_32_AT + 0x60], 4
        STATUS "complete"

broken:
        PRINT "error "
        mov ebp, esp
        PRINT_HEX [ebp]
        PRINT " from "
        movzx eax, word [TSS32_AT]
        PRINT_HEX eax
        call show
        mov esp, STACK_TOP
        push dword 2
        popfd
        push dword [RESUME]
        ret
        END_OF_IMAGE
