; A bit of everything that a snapshot has to hold: two CPUs that share memory, timer interrupts through the 8259's INTR
; pin, long mode with pages that move, REP on MMIO in both directions, code that rewrites itself, HLT.
%define PROBE "interleaved"
%define IMAGE_SIZE 0x4000
%define DEBUG_PORT 0xe9
%define EXIT_PORT 0xf4
%define WITH_LONG_MODE
%include "rom.mac"
%include "identity.mac"
%include "system.mac"

AP_PAGE equ 0x8000
APIC equ 0xfee00000
MMIO equ 0xd0000000                                     ; 128 bytes that remember what was written
TIMER_COUNT equ WORK + 16
SHARED equ WORK + 20
AP_DONE equ WORK + 24
BUFFER equ 0x9000
CODE_COPY equ 0xa000
WINDOW_TABLE equ 0x1a000

bits 16
main:
        mov edi, WORK + 16
        xor eax, eax
        mov ecx, 8
        rep stosd
        mov si, OFFSET16(ap_start)
        mov di, AP_PAGE
        mov cx, ap_start_end - ap_start
        cs rep movsb
        ENTER_PROTECTED_32
        call build_identity_tables
        mov dword [POINTERS + 4 * 8], 0x19000 | 3       ; 4 GiB on: one page that moves
        mov dword [0x19000], WINDOW_TABLE | 3
        call system_tables_64
        mov dword [IDT_RAM + 0x20 * 16], (ADDRESS(timer) & 0xffff) | (CODE64 << 16)
        mov dword [IDT_RAM + 0x20 * 16 + 4], (ADDRESS(timer) & 0xffff0000) | 0x8e00
        mov eax, PML4
        call activate_long_mode
        jmp CODE64:.long
bits 64
.long:
        lidt [abs ADDRESS(idtr_64)]
        mov ax, TSS64
        ltr ax
        mov esp, STACK_TOP
        mov edi, APIC
        mov dword [rdi + 0xf0], 0x1ff
        mov dword [rdi + 0x350], 0x700                  ; LINT0: ExtINT
        mov dword [rdi + 0x300], 0xc4500
        mov dword [rdi + 0x300], 0xc4600 | (AP_PAGE >> 12)
        sti

        xor r12d, r12d
.round:
        mov edi, BUFFER                                 ; fill, out to MMIO, back, sum
        mov ecx, 32
        mov eax, r12d
.fill:
        imul eax, eax, 1103515245
        add eax, 12345
        stosd
        loop .fill
        mov esi, BUFFER
        mov edi, MMIO
        mov ecx, 32
        rep movsd
        mov esi, MMIO
        mov edi, BUFFER + 256
        mov ecx, 16
        rep movsq
        mov edi, MMIO + 96
        mov ecx, 24
        mov al, r12b
        rep stosb
        mov esi, BUFFER
        mov edi, BUFFER + 256
        mov ecx, 128
        repe cmpsb
        mov r13d, ecx                                   ; 0: what came back is what went out

        mov eax, r12d                                   ; another physical page behind the same address
        and eax, 7
        shl eax, 12
        add eax, 0x200003
        mov [WINDOW_TABLE], eax
        mov rbx, 0x100000000
        invlpg [rbx]
        add [rbx + 8], r12
        lock inc dword [abs SHARED]

        mov word [abs CODE_COPY], 0x00b0                ; mov al, imm8, the byte of which changes; ret
        mov byte [abs CODE_COPY + 1], r12b
        mov byte [abs CODE_COPY + 2], 0xc3
        mov eax, CODE_COPY
        call rax
        add r14b, al

        test r12d, 7
        jnz .no_halt
        hlt                                             ; until the next timer interrupt
.no_halt:
        mov eax, r12d
        PRINT_HEX rax
        PRINT " "
        movzx eax, r14b
        PRINT_HEX rax
        PRINT " "
        mov eax, r13d
        PRINT_HEX rax
        NEWLINE
        inc r12d
        cmp r12d, 40
        jb .round
.wait:
        pause
        cmp dword [abs AP_DONE], 1
        jne .wait
        cli
        PRINT "timer "
        mov eax, [abs TIMER_COUNT]
        PRINT_HEX rax
        PRINT " shared "
        mov eax, [abs SHARED]
        PRINT_HEX rax
        NEWLINE
        STATUS "complete"

timer:
        push rax
        inc dword [abs TIMER_COUNT]
        pop rax
        iretq

bits 16
ap_start:
        xor ax, ax
        mov ds, ax
        mov es, ax
        mov cx, 3000
.next:
        lock inc dword [SHARED]
        mov di, BUFFER + 512
        mov [di], cx
        loop .next
        mov dword [AP_DONE], 1
.halt:
        cli
        hlt
        jmp .halt
ap_start_end:

END_OF_IMAGE
