; Starts the other CPUs as a kernel does: finds the local APIC by CPUID, sends INIT and two start-up IPIs to all but
; itself, and waits for them to count in from real mode, from protected mode and from long mode.
%define PROBE "ap-start"
%define IMAGE_SIZE 0x2000
%define WITH_LONG_MODE

%macro PARAMETERS 0
param_init:                                             ; ICR low: INIT, assert, edge, all excluding self
        dd 0xc4500
param_startup:                                          ; ICR low: SIPI to AP_PAGE, all excluding self
        dd 0xc4608
param_destination:                                      ; destination field, bits 31:24 of ICR high
        db 0
%endmacro

%include "rom.mac"
%include "e820.mac"
%include "identity.mac"

AP_PAGE equ 0x8000                                      ; the start-up vector is its number: 8
COUNT_REAL equ WORK + 16
COUNT_PROTECTED equ WORK + 20
COUNT_LONG equ WORK + 24
DECLARED equ WORK + 28
IDENTITIES equ WORK + 64                                ; one byte each: initial APIC id
APIC_BASE_MSR equ 0x1b
APIC_SPURIOUS equ 0xf0
APIC_ICR_LOW equ 0x300
APIC_ICR_HIGH equ 0x310

bits 16
main:
        mov edi, WORK + 16
        xor eax, eax
        mov ecx, 64
        rep stosd
        call fw_present
        jne .no_fw_cfg
        mov ax, 5                                       ; number of CPUs, little endian
        call fw_select
        call fw_byte
        mov [DECLARED], al
.no_fw_cfg:
        PRINT "cpus declared by fw_cfg "
        PRINT_HEX [DECLARED]
        NEWLINE
        mov si, OFFSET16(ap_start)
        mov di, AP_PAGE
        mov cx, ap_start_end - ap_start
        cs rep movsb

        ENTER_PROTECTED_32
        call has_long_mode
        jnz .long_mode
        PRINT "CPUID 0x80000001 offers no long mode", 10
        STATUS "no-long-mode"
.long_mode:
        mov eax, 1
        cpuid
        bt edx, 9
        jc .apic
        PRINT "CPUID.1:EDX bit 9 is clear, no local APIC", 10
        STATUS "no-local-apic"
.apic:
        mov ecx, APIC_BASE_MSR
        rdmsr
        PRINT "IA32_APIC_BASE "
        PRINT_HEX eax
        NEWLINE
        and eax, ~0xfff
        mov ebp, eax
        call build_identity_tables
        mov dword [ebp + APIC_SPURIOUS], 0x1ff          ; software enable, spurious vector 0xff
        movzx eax, byte [param_destination]
        shl eax, 24
        mov [ebp + APIC_ICR_HIGH], eax
        PRINT "INIT, icr "
        PRINT_HEX [param_init]
        NEWLINE
        mov eax, [param_init]
init:
        mov [ebp + APIC_ICR_LOW], eax
        call delay
        PRINT "SIPI twice, icr "
        PRINT_HEX [param_startup]
        NEWLINE
        mov eax, [param_startup]
sipi:
        mov [ebp + APIC_ICR_LOW], eax
        call delay
        mov [ebp + APIC_ICR_LOW], eax

        ; Until all that were declared are in long mode, else until nothing changes any more.
        mov edi, 5
.wait:
        mov ebx, [COUNT_LONG]
        call delay
        mov eax, [COUNT_LONG]
        lea edx, [eax + 1]
        cmp edx, [DECLARED]
        je .counted
        cmp eax, ebx
        jne .wait
        dec edi
        jnz .wait
.counted:
        PRINT "started: real "
        PRINT_HEX [COUNT_REAL]
        PRINT " protected-32 "
        PRINT_HEX [COUNT_PROTECTED]
        PRINT " long "
        PRINT_HEX [COUNT_LONG]
        NEWLINE
        mov ecx, [COUNT_REAL]
        mov esi, IDENTITIES
.next:
        jecxz .named
        movzx eax, byte [esi]
        PRINT "apic id "
        PRINT_HEX eax
        NEWLINE
        inc esi
        dec ecx
        jmp .next
.named:
        mov eax, [COUNT_REAL]
        cmp eax, [COUNT_LONG]
        jne .lost
        mov edx, [DECLARED]
        test edx, edx
        jz .unknown
        inc eax
        cmp eax, edx
        jne .lost
        STATUS "complete"
.unknown:
        test eax, eax
        jz .nobody
        STATUS "complete"
.nobody:
        PRINT "no other CPU answered; fw_cfg does not say how many there are", 10
        STATUS "alone"
.lost:
        STATUS "cpus-missing"

; A wait in instructions, so that a run repeats exactly; some milliseconds on hardware.
delay:
        mov ecx, 1000000
.next:
        dec ecx
        jnz .next
        ret

; Copied to AP_PAGE: the first code of another CPU, CS = AP_PAGE >> 4, IP = 0. It has no stack.
bits 16
ap_start:
        cli
        xor ax, ax
        mov ds, ax
        mov ecx, 1
        lock xadd [COUNT_REAL], ecx
        mov esi, ecx
        mov eax, 1
        cpuid
        shr ebx, 24
        mov [esi + IDENTITIES], bl
        mov ax, 0xf000
        mov ds, ax
        o32 lgdt [OFFSET16(gdtr)]
        mov eax, cr0
        or al, CR0_PE
        mov cr0, eax
        jmp dword CODE32:ap_protected
ap_start_end:

bits 32
ap_protected:
        mov ax, DATA32
        mov ds, ax
        mov ss, ax
        lock inc dword [COUNT_PROTECTED]
        mov eax, PML4
        mov cr3, eax
        mov eax, cr4
        or eax, CR4_PAE
        mov cr4, eax
        mov ecx, EFER                                   ; as activate_long_mode, which needs a stack
        rdmsr
        or eax, EFER_LME
        wrmsr
        mov eax, cr0
        or eax, CR0_PG
        mov cr0, eax
        jmp CODE64:ap_long
bits 64
ap_long:
        lock inc dword [abs COUNT_LONG]
.halt:
        cli
        hlt
        jmp .halt

END_OF_IMAGE
