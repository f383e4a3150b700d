; The local APIC's modes (SDM vol. 3, Advanced Programmable Interrupt Controller): legal and illegal writes to
; IA32_APIC_BASE, what disabling clears, x2APIC registers and their reserved bits, errors. QEMU 7.2 ignores the illegal
; writes and has no x2APIC under TCG: run on our core only.
%define PROBE "apic"
%define IMAGE_SIZE 0x8000
%define DEBUG_PORT 0xe9
%define EXIT_PORT 0xf4
%define WITH_LONG_MODE
%include "rom.mac"
%include "identity.mac"
%include "system.mac"

APIC equ 0xfee00000
APIC_BASE equ 0x1b
ENABLED equ 0xfee00900                                  ; EN, BSP
X2 equ 0xfee00d00                                       ; and EXTD

%macro WRITE_MSR 2-3 0
        mov ecx, %1
        mov eax, %2
        mov edx, %3
        wrmsr
%endmacro

%macro SHOW_MSR 1
        mov ecx, %1
        rdmsr
        shl rdx, 32
        or rax, rdx
        PRINT_HEX rax
        NEWLINE
%endmacro

%macro SHOW_MEMORY 1
        mov esi, %1
        mov eax, [rsi]
        PRINT_HEX rax
        NEWLINE
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

        PRINT "base after reset: "
        SHOW_MSR APIC_BASE
        PRINT "SVR after reset: "
        SHOW_MEMORY APIC + 0xf0
        PRINT "LINT0 after reset: "
        SHOW_MEMORY APIC + 0x350
        PRINT "DFR after reset: "
        SHOW_MEMORY APIC + 0xe0
        BEGIN_CASE "base, reserved bit 9"
        WRITE_MSR APIC_BASE, ENABLED | 0x200
        END_CASE
        BEGIN_CASE "base, reserved bit 0"
        WRITE_MSR APIC_BASE, ENABLED | 1
        END_CASE
        BEGIN_CASE "base, beyond the physical width"
        WRITE_MSR APIC_BASE, ENABLED, 1 << 20
        END_CASE
        BEGIN_CASE "base, EXTD without EN"
        WRITE_MSR APIC_BASE, 0xfee00500
        END_CASE
        BEGIN_CASE "base, moved"
        WRITE_MSR APIC_BASE, 0xfed00900
        mov esi, 0xfed00030
        mov eax, [rsi]
        and eax, 0xff
        PRINT_HEX rax
        PRINT " "
        END_CASE
        WRITE_MSR APIC_BASE, ENABLED
        mov esi, APIC + 0xf0
        mov dword [rsi], 0x1ff
        mov esi, APIC + 0x280                           ; ESR: write, then read
        mov dword [rsi], 0
        mov esi, APIC + 0x300
        mov dword [rsi], 0x44005                        ; vector 5
        mov esi, APIC + 0x280
        mov dword [rsi], 0
        PRINT "ESR after an IPI with vector 5: "
        SHOW_MEMORY APIC + 0x280
        mov dword [abs 0x900], 0
        WRITE_MSR APIC_BASE, 0xfee00100
        mov eax, 1
        cpuid
        shr edx, 9
        and edx, 1
        PRINT "CPUID APIC bit when disabled: "
        PRINT_HEX rdx
        NEWLINE
        BEGIN_CASE "base, disabled to x2APIC"
        WRITE_MSR APIC_BASE, X2
        END_CASE
        WRITE_MSR APIC_BASE, ENABLED
        PRINT "SVR after enabling again: "
        SHOW_MEMORY APIC + 0xf0
        BEGIN_CASE "x2APIC register in xAPIC mode"
        mov ecx, 0x803
        rdmsr
        END_CASE
        WRITE_MSR APIC_BASE, X2
        BEGIN_CASE "x2APIC to xAPIC"
        WRITE_MSR APIC_BASE, ENABLED
        END_CASE
        PRINT "x2APIC id: "
        SHOW_MSR 0x802
        WRITE_MSR 0x80f, 0x1ff
        BEGIN_CASE "SVR, reserved bit"
        WRITE_MSR 0x80f, 0x101ff
        END_CASE
        BEGIN_CASE "write to the version"
        WRITE_MSR 0x803, 0
        END_CASE
        BEGIN_CASE "read of EOI"
        mov ecx, 0x80b
        rdmsr
        END_CASE
        BEGIN_CASE "EOI with a value"
        WRITE_MSR 0x80b, 1
        END_CASE
        BEGIN_CASE "register without a meaning"
        mov ecx, 0x804
        rdmsr
        END_CASE
        BEGIN_CASE "DFR is not there"
        mov ecx, 0x80e
        rdmsr
        END_CASE
        BEGIN_CASE "ICR, reserved bit"
        WRITE_MSR 0x830, 0x44040 | (1 << 13)
        END_CASE
        BEGIN_CASE "ICR, to itself"
        WRITE_MSR 0x830, 0x44040
        CLEAN
        sti
        nop
        nop
        END_CASE
        WRITE_MSR 0x80b, 0
        BEGIN_CASE "SELF IPI"
        WRITE_MSR 0x83f, 0x41
        CLEAN
        sti
        nop
        nop
        END_CASE
        WRITE_MSR 0x80b, 0
        BEGIN_CASE "SELF IPI, reserved bit"
        WRITE_MSR 0x83f, 0x141
        END_CASE
        BEGIN_CASE "ICR by destination"
        WRITE_MSR 0x830, 0x4042
        CLEAN
        sti
        nop
        nop
        END_CASE
        WRITE_MSR 0x80b, 0
        STATUS "complete"

END_OF_IMAGE
