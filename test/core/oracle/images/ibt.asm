; Indirect-branch tracking (SDM vol. 1, Control-flow Enforcement Technology): what arms the tracker, what satisfies it,
; and where the control-protection exception is raised. QEMU 7.2 has none of it: run on our core only.
%define PROBE "ibt"
%define IMAGE_SIZE 0x8000
%define DEBUG_PORT 0xe9
%define EXIT_PORT 0xf4
%define WITH_LONG_MODE
%include "rom.mac"
%include "identity.mac"
%include "system.mac"

S_CET equ 0x6a2
U_CET equ 0x6a0
ENDBR_EN equ 1 << 2
NO_TRACK_EN equ 1 << 4
CR4_CET equ 1 << 23
POINTER equ 0x900

%macro SET_S_CET 1
        mov ecx, S_CET
        mov eax, %1
        xor edx, edx
        wrmsr
%endmacro

; The report names the place that was reached, so that the table of the test can be read.
%macro REACHED 0
        PRINT "reached", 10
        mov esp, STACK_TOP
        push qword [abs RESUME]
        ret
%endmacro

LEGACY_BITMAP equ 0x20000

bits 16
main:
        ENTER_PROTECTED_32
        call build_identity_tables
        OPEN_IDENTITY_MAP
        call system_tables_64
        mov eax, PML4
        call activate_long_mode
        jmp CODE64:.long
bits 64
.long:
        lidt [abs ADDRESS(idtr_64)]
        mov ax, TSS64
        ltr ax
        mov esp, STACK_TOP

        BEGIN_CASE "CR4.CET with WP clear"
        mov rax, cr4
        or eax, CR4_CET
        mov cr4, rax
        END_CASE
        mov rax, cr0
        or eax, 1 << 16
        mov cr0, rax
        mov rax, cr4
        or eax, CR4_CET
        mov cr4, rax
        BEGIN_CASE "clearing WP with CR4.CET"
        mov rax, cr0
        and eax, ~(1 << 16)
        mov cr0, rax
        END_CASE
        BEGIN_CASE "S_CET with a reserved bit"
        SET_S_CET 1 << 6
        END_CASE
        BEGIN_CASE "not enabled: any target"
        lea rax, [rel .plain]
        jmp rax
        END_CASE
        SET_S_CET ENDBR_EN
        BEGIN_CASE "call to ENDBR64"
        lea rax, [rel .marked]
        call rax
        END_CASE
        BEGIN_CASE "call to something else"
        CLEAN
        lea rax, [rel .plain]
        call rax
        END_CASE
        BEGIN_CASE "jump to something else"
        CLEAN
        lea rax, [rel .plain]
        jmp rax
        END_CASE
        BEGIN_CASE "jump through memory"
        CLEAN
        lea rax, [rel .plain]
        mov [abs POINTER], rax
        jmp [abs POINTER]
        END_CASE
        BEGIN_CASE "call through memory to ENDBR64"
        lea rax, [rel .marked]
        mov [abs POINTER], rax
        call [abs POINTER]
        END_CASE
        BEGIN_CASE "jump to ENDBR32"
        CLEAN
        lea rax, [rel .marked_32]
        jmp rax
        END_CASE
        BEGIN_CASE "direct call and return"
        call .return
        REACHED
        END_CASE
        BEGIN_CASE "return to anywhere"
        lea rax, [rel .plain]
        push rax
        ret
        END_CASE
        BEGIN_CASE "iretq to anywhere"
        mov rdi, rsp
        push qword DATA32
        push rdi
        push qword 2
        push qword CODE64
        lea rax, [rel .plain]
        push rax
        iretq
        END_CASE
        BEGIN_CASE "no-track prefix, not allowed"
        CLEAN
        lea rax, [rel .plain]
        db 0x3e
        jmp rax
        END_CASE
        SET_S_CET ENDBR_EN | NO_TRACK_EN
        BEGIN_CASE "no-track prefix, allowed"
        lea rax, [rel .plain]
        db 0x3e
        jmp rax
        END_CASE
        BEGIN_CASE "without the prefix still tracked"
        CLEAN
        lea rax, [rel .plain]
        jmp rax
        END_CASE
        SET_S_CET ENDBR_EN
        BEGIN_CASE "interrupt handler without ENDBR64"
        lea rax, [rel .plain]
        mov [abs IDT_RAM + 0x41 * 16], ax
        shr eax, 16
        mov [abs IDT_RAM + 0x41 * 16 + 6], ax
        CLEAN
        int 0x41
        END_CASE
        BEGIN_CASE "interrupt handler with ENDBR64"
        CLEAN
        int 0x40
        END_CASE
        BEGIN_CASE "ENDBR64 that nobody waits for"
        endbr64
        endbr64
        REACHED
        END_CASE
        BEGIN_CASE "far jump through memory to 32-bit code"
        mov dword [abs POINTER], ADDRESS(.plain_32)
        mov word [abs POINTER + 4], CODE32
        CLEAN
        jmp far dword [abs POINTER]
        END_CASE
        BEGIN_CASE "far jump through memory to ENDBR32"
        mov dword [abs POINTER], ADDRESS(.good_32)
        jmp far dword [abs POINTER]
        END_CASE
        BEGIN_CASE "far return to 32-bit code"
        push CODE32
        push .plain_32
        o64 retf
        END_CASE
        BEGIN_CASE "direct far jump to something else"
        push CODE32
        push .jump_32
        o64 retf
        END_CASE
        BEGIN_CASE "direct far call to something else"
        push CODE32
        push .call_32
        o64 retf
        END_CASE
        BEGIN_CASE "an exception at the target keeps the tracker for nobody"
        CLEAN
        lea rax, [rel .faulting]
        jmp rax
        END_CASE
        BEGIN_CASE "ring 3 without U_CET: any target"
        lea rbx, [rel .user_plain]
        ENTER_USER_64
        jmp rbx
        END_CASE
        mov ecx, U_CET
        mov eax, ENDBR_EN
        xor edx, edx
        wrmsr
        BEGIN_CASE "ring 3 with U_CET"
        lea rbx, [rel .user_plain]
        CLEAN
        ENTER_USER_64
        jmp rbx
        END_CASE
        BEGIN_CASE "ring 3 again: its tracker still waits"
        CLEAN
        ENTER_USER_64
        int 0x40
        END_CASE
        mov ecx, U_CET
        xor eax, eax
        xor edx, edx
        wrmsr
        mov ecx, EFER
        rdmsr
        or eax, 1
        wrmsr
        mov ecx, 0xc0000081
        xor eax, eax
        mov edx, CODE64 | ((USER_CODE32 & ~3) << 16)
        wrmsr
        inc ecx
        mov eax, .plain
        xor edx, edx
        wrmsr
        BEGIN_CASE "SYSCALL to something else"
        CLEAN
        ENTER_USER_64
        syscall
        END_CASE
        mov ecx, 0xc0000082
        mov eax, .marked
        xor edx, edx
        wrmsr
        BEGIN_CASE "SYSCALL to ENDBR64"
        ENTER_USER_64
        syscall
        END_CASE

        ; ---- legacy code: the bitmap, and the suppression that it starts ----
        mov edi, LEGACY_BITMAP
        xor eax, eax
        mov ecx, 0x200 / 8
        rep stosq
        mov eax, .plain
        shr eax, 12
        bts [abs LEGACY_BITMAP], eax
%macro SHOW_S_CET 0
        mov ecx, S_CET
        rdmsr
        and eax, 0xc3c
        PRINT "S_CET "
        PRINT_HEX rax
        NEWLINE
%endmacro
%macro LEGACY 3                                         ; "name", low bits of S_CET, label
        SET_S_CET LEGACY_BITMAP | %2
        mov eax, %3
        BEGIN_CASE %1
        jmp rax
        END_CASE
        SHOW_S_CET
%endmacro
        LEGACY "legacy bitmap: a marked page", 0x0c, .plain
        LEGACY "legacy bitmap, not enabled", 0x04, .plain
        LEGACY "legacy bitmap with SUPPRESS_DIS", 0x2c, .plain
        LEGACY "suppressed: any target", 0x40c, .plain
        LEGACY "suppressed, without the bitmap", 0x404, .plain
        LEGACY "suppressed: ENDBR64 ends it", 0x40c, .marked
        SET_S_CET LEGACY_BITMAP | 0x0c
        mov edi, LEGACY_BITMAP
        xor eax, eax
        mov ecx, 0x200 / 8
        rep stosq
        LEGACY "legacy bitmap: a page that is not marked", 0x0c, .plain
        SET_S_CET LEGACY_BITMAP | 0x40c
        BEGIN_CASE "an interrupt ends the suppression"
        CLEAN
        int 0x40
        END_CASE
        SHOW_S_CET
        SET_S_CET LEGACY_BITMAP | 0x40c
        BEGIN_CASE "a far jump ends the suppression"
        mov edi, .to_plain_64
        jmp far dword [rdi]
        END_CASE
        SHOW_S_CET
        STATUS "complete"
.to_plain_64:
        dd .plain
        dw CODE64

.plain:
        nop
        REACHED
.marked:
        endbr64
        REACHED
.marked_32:
        endbr32
        REACHED
.return:
        ret
.faulting:
        endbr64
        ud2
.user_plain:
        nop
        int 0x40
bits 32
.good_32:
        endbr32
        jmp CODE64:.reached_64
.plain_32:
        nop
        jmp CODE64:.reached_64
.jump_32:
        jmp CODE64:.plain
.call_32:
        call CODE64:.plain
bits 64
.reached_64:
        endbr64
        REACHED

END_OF_IMAGE
