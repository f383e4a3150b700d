; Code that changes under a CPU that may have decoded it before: patched by itself, through another address, by a string
; instruction, across pages that are not neighbours in memory, and by another mapping of the same address.
%define PROBE "code-cache"
%define IMAGE_SIZE 0x4000
%define DEBUG_PORT 0xe9
%define EXIT_PORT 0xf4
%define WITH_LONG_MODE
%include "rom.mac"
%include "identity.mac"
%include "system.mac"

TABLE equ 0x1a000
WINDOW equ 0x100000000                                  ; pages 0, 1, … of TABLE
FRAME equ 0x200000                                      ; physical pages, not in the order of the window

; RESULT "name": prints EAX.
%macro RESULT 1+
        mov eax, eax
        PRINT %1, " "
        PRINT_HEX rax
        NEWLINE
%endmacro

bits 16
main:
        ENTER_PROTECTED_32
        call build_identity_tables
        mov dword [POINTERS + 4 * 8], 0x19000 | 3
        mov dword [0x19000], TABLE | 3
        mov dword [TABLE], (FRAME + 0x3000) | 3
        mov dword [TABLE + 8], (FRAME + 0x1000) | 3
        mov dword [TABLE + 16], (FRAME + 0x5000) | 3
        call system_tables_64
        mov eax, PML4
        call activate_long_mode
        jmp CODE64:.long
bits 64
.long:
        lidt [abs ADDRESS(idtr_64)]
        mov esp, STACK_TOP

        ; An instruction patches the next one, of the same block, round after round.
        mov esi, next_one
        mov edi, FRAME
        mov ecx, next_one_end - next_one
        rep movsb
        mov r12d, 5
        xor r13d, r13d
.patch_next:
        mov ebx, r12d
        mov edi, FRAME
        call rdi
        lea r13d, [r13 * 8 + rax]
        dec r12d
        jnz .patch_next
        mov eax, r13d
        RESULT "patches the next instruction"

        ; The same code, patched through another linear address of the page.
        mov byte [abs FRAME + 0x3000], 0xb8             ; mov eax, imm32; ret
        mov dword [abs FRAME + 0x3001], 0x11
        mov byte [abs FRAME + 0x3005], 0xc3
        mov rdi, WINDOW
        call rdi
        RESULT "through the window"
        mov dword [abs FRAME + 0x3001], 0x22
        mov rdi, WINDOW
        call rdi
        RESULT "patched through the identity map"
        mov rdi, WINDOW
        mov byte [rdi + 1], 0x33
        mov edi, FRAME + 0x3000
        call rdi
        RESULT "patched through the window"
        mov edi, FRAME + 0x3001
        mov eax, 0x44
        stosd
        mov rdi, WINDOW
        call rdi
        RESULT "patched by stosd"
        mov esi, .bytes
        mov edi, FRAME + 0x3000
        mov ecx, .bytes_end - .bytes
        rep movsb
        mov rdi, WINDOW
        call rdi
        RESULT "replaced by rep movsb"

        ; An instruction across two pages that lie apart.
        mov rdi, WINDOW + 0x1000 - 3
        mov byte [rdi], 0xb8
        mov dword [rdi + 1], 0x55667788                 ; two bytes in each page
        mov byte [rdi + 5], 0xc3
        call rdi
        RESULT "across pages"
        mov byte [abs FRAME + 0x1000], 0x99             ; the third byte
        mov rdi, WINDOW + 0x1000 - 3
        call rdi
        RESULT "its second page patched"
        mov byte [abs FRAME + 0x3ffe], 0xaa             ; the first
        mov rdi, WINDOW + 0x1000 - 3
        call rdi
        RESULT "its first page patched"
        mov dword [abs FRAME + 0x7000], 0x00c31234      ; another second page
        mov dword [TABLE + 8], (FRAME + 0x7000) | 3
        mov rdi, WINDOW + 0x1000
        invlpg [rdi]
        mov rdi, WINDOW + 0x1000 - 3
        call rdi
        RESULT "its second page replaced"
        mov dword [TABLE + 8], (FRAME + 0x1000) | 3
        mov rax, cr3
        mov cr3, rax
        mov rdi, WINDOW + 0x1000 - 3
        call rdi
        RESULT "and put back, by a load of CR3"

        ; A loop that replaces its own end.
        mov esi, own_end
        mov edi, FRAME + 0x5000
        mov ecx, own_end_end - own_end
        rep movsb
        mov edi, FRAME + 0x5000
        xor eax, eax
        mov ecx, 10
        call rdi
        RESULT "a loop that replaces its own end"

        ; Data beside code in one page: writes that hit no instruction, many times.
        mov byte [abs FRAME + 0x6000], 0x01             ; add ecx, ecx; ret
        mov byte [abs FRAME + 0x6001], 0xc9
        mov byte [abs FRAME + 0x6002], 0xc3
        mov ebx, 20
        mov ecx, 1
.beside:
        mov edi, FRAME + 0x6000
        call rdi
        mov [abs FRAME + 0x6100], ecx
        dec ebx
        jnz .beside
        mov eax, [abs FRAME + 0x6100]
        RESULT "data beside code"

        ; The same bytes run as 32-bit code and as 64-bit code: 0x48 is DEC EAX or a prefix.
        mov dword [abs FRAME + 0x8000], 0xc3c00148      ; dec eax; add eax, eax; or: add rax, rax
        mov eax, 5
        mov edi, FRAME + 0x8000
        call rdi
        RESULT "64-bit"
        push CODE32
        push .as_32
        mov eax, 5
        o64 retf
bits 32
.as_32:
        mov edi, FRAME + 0x8000
        call edi
        jmp CODE64:.as_64
bits 64
.as_64:
        RESULT "32-bit"
        mov eax, 5
        mov edi, FRAME + 0x8000
        call rdi
        RESULT "64-bit again"
        STATUS "complete"

.bytes:
        mov eax, 0x66
        add eax, eax
        ret
.bytes_end:

next_one:
        mov [rel .patched + 1], bl
.patched:
        mov al, 0
        movzx eax, al
        ret
next_one_end:

own_end:
        inc eax
        dec ecx
        jnz own_end
        cmp eax, 15
        jae .done
        mov byte [rel .done], 0x90                      ; a RET becomes a NOP, what follows adds 0x100
        mov ecx, 5
        jmp own_end
.done:
        ret
        add eax, 0x100
        ret
own_end_end:

END_OF_IMAGE
