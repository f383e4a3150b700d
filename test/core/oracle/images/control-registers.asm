; Every single-bit change of CR0, CR3, CR4 and EFER, with each bit set and each bit cleared, in six states: what is refused, and
; what reads back. The old value returns at once. Left out: leaving paging's format under a running program (CR4.PAE with
; PG outside long mode).
%define PROBE "control-registers"
%define IMAGE_SIZE 0x8000
%define DEBUG_PORT 0xe9
%define EXIT_PORT 0xf4
%define WITH_LONG_MODE
%include "rom.mac"
%include "identity.mac"
%include "system.mac"

DIRECTORY equ 0x11000                                   ; 32-bit paging, 4 MiB pages
OLD equ 0x7a0
NEW equ 0x7a8
BIT_NUMBER equ 0x7b0

; TRY "register", first bit, last bit, read, write: READ loads the register's value to (E|R)AX, WRITE stores it from there.
%macro TRY 5
        PRINT %1, ":"
        mov dword [AT(BIT_NUMBER)], %2
%%next:
        %4
        mov [AT(OLD)], ACC
        mov ecx, [AT(BIT_NUMBER)]
        btc ACC, CNT
        mov [AT(NEW)], ACC
        mov PTR [AT(RESUME)], %%refused
        %5
        %4
        push ACC
        mov ACC, [AT(OLD)]
        %5
        pop ACC
        cmp ACC, [AT(NEW)]
        je %%taken
        PRINT " "
        mov ebx, [AT(BIT_NUMBER)]
        PRINT_HEX SHOWN
        PRINT "~"
        jmp %%done
%%taken:
        PRINT " "
        mov ebx, [AT(BIT_NUMBER)]
        PRINT_HEX SHOWN
        PRINT "+"
        jmp %%done
%%refused:
        PRINT " "
        mov ebx, [AT(BIT_NUMBER)]
        PRINT_HEX SHOWN
        PRINT "!"
%%done:
        inc dword [AT(BIT_NUMBER)]
        cmp dword [AT(BIT_NUMBER)], %3
        jbe %%next
        NEWLINE
%endmacro
%macro WORK_32 0
%define ACC eax
%define CNT ecx
%define PTR dword
%define SHOWN ebx
%define AT(x) x
%endmacro
%macro WORK_64 0
%define ACC rax
%define CNT rcx
%define PTR qword
%define SHOWN rbx
%define AT(x) abs x
%endmacro

%macro GET_CR0 0
        mov ACC, cr0
%endmacro
%macro PUT_CR0 0
        mov cr0, ACC
%endmacro
%macro GET_CR3 0
        mov ACC, cr3
%endmacro
%macro PUT_CR3 0
        mov cr3, ACC
%endmacro
%macro GET_CR4 0
        mov ACC, cr4
%endmacro
%macro PUT_CR4 0
        mov cr4, ACC
%endmacro
%macro GET_EFER 0
        mov ecx, EFER
        rdmsr
%endmacro
%macro PUT_EFER 0
        xor edx, edx
        mov ecx, EFER
        wrmsr
%endmacro
%macro PRINT_STATE 1
        PRINT %1, " "
%endmacro

bits 16
main:
        ENTER_PROTECTED_32
        call build_identity_tables
        call system_tables_64
        lidt [ADDRESS(idtr_32_gates)]
        mov edi, DIRECTORY
        mov eax, 0x83
        mov ecx, 1024
.four:
        stosd
        add eax, 0x400000
        loop .four
        mov word [GDT_RAM + TSS32 + 5], 0x89
        WORK_32
        ; 1: protected mode. CR4.PAE (5) is free here; PG would use CR3 = 0.
        mov eax, DIRECTORY
        mov cr3, eax
        mov eax, cr4
        or eax, CR4_PSE
        mov cr4, eax
        PRINT_STATE "protected"
        TRY "cr0", 0, 31, GET_CR0, PUT_CR0
        PRINT_STATE "protected"
        TRY "cr3", 0, 31, GET_CR3, PUT_CR3
        PRINT_STATE "protected"
        TRY "cr4", 0, 31, GET_CR4, PUT_CR4
        PRINT_STATE "protected"
        TRY "efer", 0, 31, GET_EFER, PUT_EFER
        ; 2: the same with LME and without PAE.
        mov ecx, EFER
        rdmsr
        or eax, EFER_LME
        wrmsr
        PRINT_STATE "protected with LME"
        TRY "cr0", 0, 31, GET_CR0, PUT_CR0
        mov ecx, EFER
        rdmsr
        and eax, ~EFER_LME
        wrmsr
        ; 3: cache bits set.
        mov eax, cr0
        or eax, 0x60000000
        mov cr0, eax
        PRINT_STATE "NW and CD"
        TRY "cr0", 0, 31, GET_CR0, PUT_CR0
        mov eax, cr0
        and eax, ~0x60000000
        mov cr0, eax
        ; 4: 32-bit paging.
        mov eax, cr0
        or eax, CR0_PG
        mov cr0, eax
        PRINT_STATE "32-bit paging"
        TRY "cr0", 0, 31, GET_CR0, PUT_CR0
        PRINT_STATE "32-bit paging"
        TRY "cr3", 0, 11, GET_CR3, PUT_CR3
        PRINT_STATE "32-bit paging"
        TRY "cr4, low", 0, 3, GET_CR4, PUT_CR4
        PRINT_STATE "32-bit paging"
        TRY "cr4, high", 6, 31, GET_CR4, PUT_CR4
        PRINT_STATE "32-bit paging"
        TRY "efer", 0, 31, GET_EFER, PUT_EFER
        mov eax, cr0
        and eax, ~CR0_PG
        mov cr0, eax
        ; 5: PAE paging.
        mov eax, cr4
        or eax, CR4_PAE
        mov cr4, eax
        and dword [POINTERS], ~0x1e6                    ; PDPTEs have no rights
        and dword [POINTERS + 8], ~0x1e6
        and dword [POINTERS + 16], ~0x1e6
        and dword [POINTERS + 24], ~0x1e6
        mov eax, POINTERS
        mov cr3, eax
        mov eax, cr0
        or eax, CR0_PG
        mov cr0, eax
        PRINT_STATE "PAE paging"
        TRY "cr0", 0, 31, GET_CR0, PUT_CR0
        PRINT_STATE "PAE paging"
        TRY "cr3", 0, 4, GET_CR3, PUT_CR3
        PRINT_STATE "PAE paging"
        TRY "cr4, low", 0, 4, GET_CR4, PUT_CR4
        PRINT_STATE "PAE paging"
        TRY "cr4, high", 6, 31, GET_CR4, PUT_CR4
        PRINT_STATE "PAE paging"
        TRY "efer", 0, 31, GET_EFER, PUT_EFER
        ; A reserved bit in a PDPTE, met by each change of CR0 and CR4 that reads them again.
        or dword [POINTERS + 24], 2
        PRINT_STATE "bad PDPTE"
        TRY "cr0", 1, 30, GET_CR0, PUT_CR0
        PRINT_STATE "bad PDPTE"
        TRY "cr4, low", 0, 4, GET_CR4, PUT_CR4
        PRINT_STATE "bad PDPTE"
        TRY "cr4, high", 6, 31, GET_CR4, PUT_CR4
        and dword [POINTERS + 24], ~2
        mov eax, cr0
        and eax, ~CR0_PG
        mov cr0, eax
        or dword [POINTERS], 2
        or dword [POINTERS + 8], 2
        or dword [POINTERS + 16], 2
        or dword [POINTERS + 24], 2
        ; 6: long mode, from compatibility code first. Its exceptions come through 64-bit gates.
        mov eax, PML4
        call activate_long_mode
        jmp CODE64:.long
bits 64
.long:
        lidt [abs ADDRESS(idtr_64)]
        mov edi, IDT_RAM
        mov eax, ADDRESS(quiet_64)
        mov ecx, 80
.gate64:
        mov [rdi], ax
        mov word [rdi + 2], CODE64
        mov [rdi + 4], eax
        mov word [rdi + 4], 0x8e00
        mov qword [rdi + 8], 0
        add edi, 16
        loop .gate64
        mov esp, STACK_TOP
        WORK_64
        PRINT_STATE "64-bit"
        TRY "cr0", 0, 63, GET_CR0, PUT_CR0
        PRINT_STATE "64-bit"
        TRY "cr3, low", 0, 11, GET_CR3, PUT_CR3
        PRINT_STATE "64-bit"
        TRY "cr3, high", 40, 63, GET_CR3, PUT_CR3
        PRINT_STATE "64-bit"
        TRY "cr4", 0, 63, GET_CR4, PUT_CR4
        PRINT_STATE "64-bit"
        TRY "efer", 0, 31, GET_EFER, PUT_EFER
        ; EM and TS and WP the other way round.
        mov rax, cr0
        xor eax, 0x1002c
        mov cr0, rax
        PRINT_STATE "64-bit, WP"
        TRY "cr0", 0, 63, GET_CR0, PUT_CR0
        mov rax, cr0
        xor eax, 0x1002c
        mov cr0, rax
        mov edi, ADDRESS(far_compat)
        jmp far dword [rdi]
bits 32
far_compat:
        dd ADDRESS(compatibility)
        dw CODE32
compatibility:
        WORK_32
        PRINT_STATE "compatibility"
        TRY "cr0", 0, 31, GET_CR0, PUT_CR0
        PRINT_STATE "compatibility"
        TRY "cr3, low", 0, 11, GET_CR3, PUT_CR3
        PRINT_STATE "compatibility"
        TRY "cr4", 0, 31, GET_CR4, PUT_CR4
        PRINT_STATE "compatibility"
        TRY "efer", 0, 31, GET_EFER, PUT_EFER
        STATUS "complete"

; Handlers that only go on at [RESUME].
quiet_32:
        mov esp, STACK_TOP
        push dword [RESUME]
        ret
bits 64
quiet_64:
        test byte [rsp + 16], 0x10                      ; the code that was interrupted: CODE64 has bit 4, error code below
        mov esp, STACK_TOP
        jnz .long
        ; back to compatibility code
        push qword DATA32
        push qword STACK_TOP
        push qword 2
        push qword CODE32
        mov eax, [abs RESUME]
        push rax
        iretq
.long:
        push qword [abs RESUME]
        ret
bits 32
        align 8, db 0
gates_32:
%rep 32
        dw ADDRESS(quiet_32) & 0xffff, CODE32
        dw 0x8e00, ADDRESS(quiet_32) >> 16
%endrep
idtr_32_gates:
        dw 32 * 8 - 1
        dd ADDRESS(gates_32)
        END_OF_IMAGE
