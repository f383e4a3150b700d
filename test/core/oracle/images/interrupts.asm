; External interrupts at the boundary between instructions: shadows of STI and MOV SS, POPF and IRET, HLT, priorities,
; TPR and CR8, nesting, NMI and its blocking. The local APIC sends them to itself, so that both sides know the moment.
%define PROBE "interrupts"
%define IMAGE_SIZE 0x8000
%define DEBUG_PORT 0xe9
%define EXIT_PORT 0xf4
%define WITH_LONG_MODE
%include "rom.mac"
%include "identity.mac"
%include "system.mac"

APIC equ 0xfee00000
APIC_TPR equ APIC + 0x80
APIC_PPR equ APIC + 0xa0
APIC_EOI equ APIC + 0xb0
APIC_SPURIOUS equ APIC + 0xf0
APIC_ISR equ APIC + 0x100
APIC_IRR equ APIC + 0x200
APIC_ICR equ APIC + 0x300
APIC_ICR_HIGH equ APIC + 0x310

; SEND vector: a fixed IPI to itself (shorthand).
%macro SEND 1
        mov esi, APIC_ICR
        mov dword [rsi], 0x44000 | %1
%endmacro

%macro SEND_NMI 0
        mov esi, APIC_ICR_HIGH
        mov dword [rsi], 0                              ; the first CPU's id
        mov esi, APIC_ICR
        mov dword [rsi], 0x4400
%endmacro

%macro FINISH 0
        END_CASE
        cli
        mov esi, APIC_EOI
        mov dword [rsi], 0
%endmacro

; PRINT_REGISTER "name", address
%macro PRINT_REGISTER 2
        PRINT %1
        mov esi, %2
        mov eax, [rsi]
        PRINT_HEX rax
%endmacro

bits 16
main:
        ENTER_PROTECTED_32
        call build_identity_tables
        call system_tables_64
        mov eax, PML4
        call activate_long_mode
        jmp CODE64:.long
bits 64
.long:
        lidt [abs ADDRESS(idtr_64)]
        mov esp, STACK_TOP

        BEGIN_CASE "APIC software-disabled"
        SEND 0x40
        sti
        nop
        nop
        FINISH
        mov esi, APIC_SPURIOUS
        mov dword [rsi], 0x1ff

        BEGIN_CASE "sti holds interrupts for one instruction"
        SEND 0x40
        xor eax, eax
        sti
        inc eax
        inc eax
        inc eax
        FINISH
        BEGIN_CASE "sti and cli let nothing in"
        SEND 0x40
        xor eax, eax
        sti
        cli
        inc eax
        PRINT "held "
        FINISH
        BEGIN_CASE "the held one comes"
        xor eax, eax
        sti
        inc eax
        inc eax
        FINISH
        BEGIN_CASE "popf has no shadow"
        SEND 0x40
        xor eax, eax
        push qword 0x202
        popfq
        inc eax
        inc eax
        FINISH
        BEGIN_CASE "iret has no shadow"
        SEND 0x40
        xor eax, eax
        mov rdi, rsp
        push qword DATA32
        push rdi
        push qword 0x202
        push qword CODE64
        push qword .returned
        iretq
.returned:
        inc eax
        inc eax
        FINISH
        BEGIN_CASE "with IF set it comes after the write"
        xor eax, eax
        sti
        nop
        SEND 0x40
        jmp $                                           ; QEMU looks for it at the next jump only
        FINISH
        BEGIN_CASE "hlt, woken by what is pending"
        SEND 0x40
        xor eax, eax
        sti
        hlt
        inc eax
        FINISH
        BEGIN_CASE "the higher vector first"
        SEND 0x41
        SEND 0x4e
        SEND 0x42
        xor eax, eax
        sti
        inc eax
        inc eax
        END_CASE
        PRINT_REGISTER "irr ", APIC_IRR + 0x20
        PRINT_REGISTER " isr ", APIC_ISR + 0x20
        PRINT_REGISTER " ppr ", APIC_PPR
        NEWLINE
        BEGIN_CASE "none of the same class while it is in service"
        sti
        nop
        nop
        END_CASE
        cli
        BEGIN_CASE "the next after EOI"
        mov esi, APIC_EOI
        mov dword [rsi], 0
        sti
        nop
        nop
        FINISH
        BEGIN_CASE "and the last"
        sti
        nop
        nop
        FINISH
        PRINT_REGISTER "irr ", APIC_IRR + 0x20
        PRINT_REGISTER " isr ", APIC_ISR + 0x20
        PRINT_REGISTER " ppr ", APIC_PPR
        NEWLINE
        BEGIN_CASE "TPR at its class holds it back"
        mov eax, 4
        mov cr8, rax
        SEND 0x45
        sti
        nop
        nop
        cli
        PRINT_REGISTER "tpr ", APIC_TPR
        PRINT_REGISTER " ppr ", APIC_PPR
        PRINT " "
        END_CASE
        BEGIN_CASE "TPR lowered lets it in"
        xor eax, eax
        sti
        nop
        mov cr8, rax
        inc eax
        inc eax
        FINISH
        BEGIN_CASE "a higher class interrupts one in service"
        SEND 0x25
        sti
        nop
        nop
        END_CASE
        BEGIN_CASE "as here"
        SEND 0x45
        sti
        nop
        nop
        END_CASE
        PRINT_REGISTER "isr 0x20 ", APIC_ISR + 0x10
        PRINT_REGISTER " isr 0x40 ", APIC_ISR + 0x20
        PRINT_REGISTER " ppr ", APIC_PPR
        mov esi, APIC_EOI
        mov dword [rsi], 0
        PRINT_REGISTER " after EOI: isr 0x20 ", APIC_ISR + 0x10
        PRINT_REGISTER " isr 0x40 ", APIC_ISR + 0x20
        mov esi, APIC_EOI
        mov dword [rsi], 0
        PRINT_REGISTER " again: isr 0x20 ", APIC_ISR + 0x10
        NEWLINE
        BEGIN_CASE "nmi with IF clear"
        CLEAN
        SEND_NMI
        jmp $
        END_CASE
        BEGIN_CASE "another before iret is held"
        CLEAN
        SEND_NMI
        inc eax
        PRINT "held "
        END_CASE
        BEGIN_CASE "and comes after iret"
        xor eax, eax
        mov rdi, rsp
        push qword DATA32
        push rdi
        push qword 2
        push qword CODE64
        push qword .after_nmi
        iretq
.after_nmi:
        inc eax
        inc eax
        END_CASE
        STATUS "complete"

END_OF_IMAGE
