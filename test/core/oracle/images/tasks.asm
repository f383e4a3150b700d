; Hardware task switches of 32-bit protected mode: by jump, by call and IRET, through task gates, for a double fault;
; what is saved and loaded, busy bits, back link, NT, CR0.TS; and the tasks that cannot be switched to.
%define PROBE "tasks"
%define IMAGE_SIZE 0x8000
%define DEBUG_PORT 0xe9
%define EXIT_PORT 0xf4
%define WITH_LONG_MODE
%include "rom.mac"
%include "identity.mac"
%include "system.mac"
%include "dump.mac"

TSS_A equ 0x3600                                        ; the tasks that are switched to
TSS_B equ 0x3700
TASK_A equ 0x60                                         ; their descriptors replace ones of system.mac
TASK_B equ 0x68
GATE_A equ 0x70                                         ; a task gate
ABSENT_TASK equ 0x78
SHORT_TASK equ 0x80
STACK_A equ 0x6700
STACK_B equ 0x6600

; A TSS: address, entry, stack
%macro MAKE_TASK 3
        mov edi, %1
        xor eax, eax
        mov ecx, 0x68 / 4
        rep stosd
        mov dword [%1 + 0x20], %2
        mov dword [%1 + 0x24], 2
        mov dword [%1 + 0x28], 0xaaaa0000 | (%1 & 0xffff)
        mov dword [%1 + 0x2c], 0xcccc0000 | (%1 & 0xffff)
        mov dword [%1 + 0x38], %3
        mov dword [%1 + 0x44], 0xdddd0000 | (%1 & 0xffff)
        mov dword [%1 + 0x48], DATA32
        mov dword [%1 + 0x4c], CODE32
        mov dword [%1 + 0x50], DATA32
        mov dword [%1 + 0x54], DATA32
        mov word [%1 + 0x66], 0x68
%endmacro

; PRINT_TASK: TR, the two descriptors' types, back links, NT, CR0.TS
%macro PRINT_TASK 1+
        call print_task
        PRINT %1, 10
%endmacro

bits 32
print_task:
        pushfd
        pushad
        PRINT "tr "
        str eax
        PRINT_HEX eax
        PRINT " flags "
        mov eax, [esp + 32]
        and eax, 0x4fd7
        PRINT_HEX eax
        PRINT " types "
        movzx eax, byte [GDT_RAM + TSS32 + 5]
        PRINT_HEX eax
        PRINT " "
        movzx eax, byte [GDT_RAM + TASK_A + 5]
        PRINT_HEX eax
        PRINT " "
        movzx eax, byte [GDT_RAM + TASK_B + 5]
        PRINT_HEX eax
        PRINT " links "
        PRINT_HEX [TSS_A]
        PRINT " "
        PRINT_HEX [TSS_B]
        PRINT " ts "
        mov eax, cr0
        and eax, 8
        PRINT_HEX eax
        PRINT " "
        clts
        popad
        popfd
        ret

bits 16
main:
        ENTER_PROTECTED_32
        call system_tables_32
        mov dword [GDT_RAM + TASK_A], 0x67 | (TSS_A << 16)
        mov dword [GDT_RAM + TASK_A + 4], 0x00008900
        mov dword [GDT_RAM + TASK_B], 0x67 | (TSS_B << 16)
        mov dword [GDT_RAM + TASK_B + 4], 0x00008900
        mov dword [GDT_RAM + GATE_A], TASK_A << 16
        mov dword [GDT_RAM + GATE_A + 4], 0x00008500
        mov dword [GDT_RAM + ABSENT_TASK], 0x67 | (TSS_A << 16)
        mov dword [GDT_RAM + ABSENT_TASK + 4], 0x00000900
        mov dword [GDT_RAM + SHORT_TASK], 0x66 | (TSS_A << 16)
        mov dword [GDT_RAM + SHORT_TASK + 4], 0x00008900

        ; A jump there and a jump back: the first task is saved, busy moves.
        MAKE_TASK TSS_A, .task_a, STACK_A
        mov ebx, 0x12345678
        mov esi, 0x87654321
        stc
        jmp TASK_A:0
.back:
        DUMP "back by a jump"
        PRINT_TASK "back"

        ; A call and an IRET: back link and NT.
        MAKE_TASK TSS_A, .called, STACK_A
        mov ecx, 5
        call TASK_A:0
        DUMP "back by iret"
        PRINT_TASK "back"
        call TASK_A:0                                   ; goes on behind its IRET
        PRINT_TASK "back again"

        ; Through a task gate, by a jump and by an interrupt.
        MAKE_TASK TSS_A, .called, STACK_A
        call GATE_A:0
        PRINT_TASK "back from the gate"
        mov dword [IDT_RAM + 0x41 * 8], TASK_B << 16
        mov dword [IDT_RAM + 0x41 * 8 + 4], 0x00008500
        MAKE_TASK TSS_B, .interrupted, STACK_B
        int 0x41
        PRINT_TASK "back from the interrupt task"

        ; An exception with an error code through a task gate: it is pushed on the new stack.
        mov dword [IDT_RAM + 13 * 8], TASK_B << 16
        mov dword [IDT_RAM + 13 * 8 + 4], 0x00008500
        MAKE_TASK TSS_B, .protection, STACK_B
        xor eax, eax
        mov ax, 0x1230
.faulting:
        mov fs, ax
.resumed:
        DUMP "back from the fault's task"
        mov dword [IDT_RAM + 13 * 8], (ADDRESS(taken_32_13) & 0xffff) | (CODE32 << 16)
        mov dword [IDT_RAM + 13 * 8 + 4], (ADDRESS(taken_32_13) & 0xffff0000) | 0x8e00

        ; A double fault on a stack that holds nothing, by its own task.
        mov dword [IDT_RAM + 8 * 8], TASK_B << 16
        mov dword [IDT_RAM + 8 * 8 + 4], 0x00008500
        MAKE_TASK TSS_B, .double, STACK_B
        mov word [IDT_RAM + 2], ABSENT_TASK             ; #DE's gate is no good
        xor ecx, ecx
        div ecx
.after_double:
        mov word [IDT_RAM + 2], CODE32

        ; What cannot be switched to.
        BEGIN_CASE "busy task"
        CLEAN
        jmp TSS32:0
        END_CASE
        BEGIN_CASE "absent task"
        CLEAN
        jmp ABSENT_TASK:0
        END_CASE
        BEGIN_CASE "task with a short TSS"
        CLEAN
        jmp SHORT_TASK:0
        END_CASE
        BEGIN_CASE "gate to no task"
        mov dword [GDT_RAM + GATE_A], CODE32 << 16
        CLEAN
        jmp GATE_A:0
        END_CASE
        BEGIN_CASE "task in the LDT"
        mov dword [GDT_RAM + GATE_A], (TASK_A | 4) << 16
        CLEAN
        jmp GATE_A:0
        END_CASE
        BEGIN_CASE "iret to a task that is not busy"
        mov word [TSS32_AT], TASK_A
        CLEAN
        push dword 0x4002
        popfd
        iret
        END_CASE
        PRINT_TASK "now"
        STATUS "complete"

.task_a:
        DUMP "task A"
        PRINT_TASK "task A"
        PRINT "saved eip "
        PRINT_HEX [TSS32_AT + 0x20]
        PRINT " ebx "
        PRINT_HEX [TSS32_AT + 0x34]
        PRINT " esi "
        PRINT_HEX [TSS32_AT + 0x40]
        PRINT " cs "
        PRINT_HEX [TSS32_AT + 0x4c]
        NEWLINE
        mov dword [TSS32_AT + 0x20], .back
        jmp TSS32:0x1234
.called:
        DUMP "called task"
        PRINT_TASK "called task"
        iret
        PRINT "resumed behind the iret", 10
        iret
        jmp .called
.interrupted:
        PRINT_TASK "interrupt task"
        iret
.protection:
        pop eax
        PRINT "error code "
        PRINT_HEX eax
        PRINT " esp "
        mov eax, esp
        PRINT_HEX eax
        PRINT " saved eip "
        PRINT_HEX [TSS32_AT + 0x20]
        PRINT " flags "
        mov eax, [TSS32_AT + 0x24]
        and eax, ~0x10000
        PRINT_HEX eax
        NEWLINE
        mov dword [TSS32_AT + 0x20], .resumed
        mov dword [TSS32_AT + 0x28], 0
        iret
.double:
        pop eax
        PRINT "double fault's task, error code "
        PRINT_HEX eax
        NEWLINE
        PRINT_TASK "double"
        mov dword [TSS32_AT + 0x20], .after_double
        iret

END_OF_IMAGE
