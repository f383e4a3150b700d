; A ROM of 512 KiB that every emulator can start from its reset vector: it enters 32-bit protected mode, or long mode under
; 4-level paging of 4 KiB pages, says STX on the debug port and COM1, runs one workload, says ETX and powers off.
; Assembled with -D WORKLOAD_name; the number of turns is patched in at the end of the image.

ROM_SIZE equ 0x80000
TOP equ 0xf0000                 ; where the last 64 KiB appear below 1 MiB
COPIED equ 0x200000             ; where the blocks run
BLOCKS equ 4096
BLOCK_SIZE equ 64
MMIO equ 0xfff000               ; a linear page on unassigned physical addresses

%ifdef WORKLOAD_loop32
%define BITS_32
%endif

; ---- The blocks: each loads, computes, uses the stack, stores and jumps to another one, in an order that visits all ----
bits 64
section .blocks start=0 vstart=COPIED
%ifdef WORKLOAD_blocks
%assign i 0
%assign random 12345
%rep BLOCKS
%assign random (random * 1103515245 + 12345) & 0x7fffffff
%assign cell 0x400000 + ((random >> 8) % 400) * 0x1000 + ((random >> 17) % 500) * 8
block_%+i:
%if i == 0
        dec rcx
        jnz .go
        ret
.go:
%endif
        mov rax, [cell]
        add rax, rbx
        and eax, 0x7f
        push rbx
        pop rbx
        mov [cell], rax
        test rax, rax
        jz .zero
        inc rbx
.zero:
%assign next (i * 5 + 1) % BLOCKS
        jmp block_%+next
        times BLOCK_SIZE - ($ - block_%+i) db 0xcc
%assign i i + 1
%endrep
%endif

section .main start=ROM_SIZE-0x10000 vstart=TOP
bits 16
entry:
        cli
        o32 lgdt [cs:gdt_limits - entry]
        mov eax, cr0
        or al, 1
        mov cr0, eax
        jmp dword 0x08:protected
bits 32
protected:
        mov ax, 0x10
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov esp, 0x7000
        fninit
        cld
        xor ebx, ebx
%ifndef BITS_32
        ; PML4 at 0x10000, PDPT, PD, and eight tables that map the first 16 MiB to themselves.
        mov edi, 0x10000
        xor eax, eax
        mov ecx, 0xc000 / 4
        rep stosd
        mov dword [0x10000], 0x11003
        mov dword [0x11000], 0x12003
        mov edi, 0x12000
        mov eax, 0x14003
        mov ecx, 8
.directory:
        mov [edi], eax
        add eax, 0x1000
        add edi, 8
        loop .directory
        mov edi, 0x14000
        mov eax, 3
        mov ecx, 4096
.table:
        mov [edi], eax
        add eax, 0x1000
        add edi, 8
        loop .table
        mov dword [0x14000 + (MMIO >> 12) * 8], 0xfeb00003
%ifdef WORKLOAD_blocks
        mov esi, 0x100000000 - ROM_SIZE
        mov edi, COPIED
        mov ecx, BLOCKS * BLOCK_SIZE / 4
        rep movsd
%endif
        mov eax, 0x10000
        mov cr3, eax
        mov eax, 0x620          ; PAE, OSFXSR, OSXMMEXCPT
        mov cr4, eax
        mov ecx, 0xc0000080
        rdmsr
        or eax, 0x100
        wrmsr
        mov eax, cr0
        and al, ~4
        or eax, 0x80000002      ; PG, MP
        mov cr0, eax
        jmp 0x18:long_mode
bits 64
long_mode:
        ; An IDT at 0x2000 with one gate: #PF.
        mov edi, 0x2000
        xor eax, eax
        mov ecx, 0x1000 / 4
        rep stosd
        mov edi, page_fault
        mov [0x2000 + 14 * 16], di
        mov word [0x2000 + 14 * 16 + 2], 0x18
        mov word [0x2000 + 14 * 16 + 4], 0x8e00
        shr edi, 16
        mov [0x2000 + 14 * 16 + 6], di
        lidt [idt_limits]
        mov ecx, [turns]
%else
        mov ecx, [turns]
%endif
        mov al, 2               ; STX
        call say
        call workload
        mov al, 3               ; ETX
        call say
        mov dx, 0xf4            ; QEMU's isa-debug-exit
        out dx, al
        mov dx, 0x8900          ; Bochs
        mov esi, shutdown
.letter:
        lodsb
        out dx, al
        test al, al
        jnz .letter
.stop:
        cli
        hlt
        jmp .stop
say:
        mov dx, 0xe9
        out dx, al
        mov dx, 0x3f8
        out dx, al
        ret
%ifndef BITS_32
page_fault:
        add rsp, 8
        add qword [rsp], 3      ; past the MOV that faulted
        iretq
%endif

workload:
%ifdef WORKLOAD_loop64
        mov esi, 0x9000
.turn:
        add rax, rbx
        mov rdx, [rsi]
        add rdx, rax
        mov [rsi + 8], rdx
        push rax
        xor rdx, rcx
        pop rbx
        add qword [rsi + 16], 3
        cmp rdx, rbx
        jc .skip
        inc rbx
.skip:
        dec rcx
        jnz .turn
%elifdef WORKLOAD_loop32
        mov esi, 0x9000
.turn:
        add eax, ebx
        mov edx, [esi]
        add edx, eax
        mov [esi + 8], edx
        push eax
        xor edx, ecx
        pop ebx
        add dword [esi + 16], 3
        cmp edx, ebx
        jc .skip
        inc ebx
.skip:
        dec ecx
        jnz .turn
%elifdef WORKLOAD_blocks
        mov eax, COPIED
        jmp rax
%elifdef WORKLOAD_movs
        mov r8, rcx
.turn:
        mov esi, 0x400000
        mov edi, 0x600000
        mov ecx, 0x40000 / 8
        rep movsq
        dec r8
        jnz .turn
%elifdef WORKLOAD_stos
        mov r8, rcx
.turn:
        mov edi, 0x600000
        mov ecx, 0x40000 / 4
        rep stosd
        dec r8
        jnz .turn
%elifdef WORKLOAD_faults
        mov ebx, 0x8000000      ; not mapped
.turn:
        mov rax, [rbx]
        dec rcx
        jnz .turn
%elifdef WORKLOAD_misses
.turn:
        mov esi, 0x400000
.page:
        mov rax, [rsi]
        add rsi, 0x1000
        cmp esi, 0xc00000
        jne .page
        dec rcx
        jnz .turn
%elifdef WORKLOAD_ports
        mov edx, 0x80
.turn:
        out dx, al
        dec rcx
        jnz .turn
%elifdef WORKLOAD_mmio
        mov edi, MMIO
.turn:
        mov eax, [rdi]
        dec rcx
        jnz .turn
%elifdef WORKLOAD_x87
        mov esi, halves
        mov edi, 0x9000
        fld1
        fstp qword [rdi]
.turn:
        fld qword [rdi]
        fmul qword [rsi]
        fadd qword [rsi + 8]
        fld st0
        fsqrt
        fstp st0
        fstp qword [rdi]
        dec rcx
        jnz .turn
%elifdef WORKLOAD_sse
        mov esi, halves
        mov edi, 0x9000
        mov qword [rdi], 0
.turn:
        movsd xmm0, [rdi]
        mulsd xmm0, [rsi]
        addsd xmm0, [rsi + 8]
        movaps xmm1, xmm0
        paddd xmm2, xmm1
        pxor xmm1, xmm2
        movsd [rdi], xmm0
        dec rcx
        jnz .turn
%else
%error no such workload
%endif
        ret

align 8
halves: dq 0.5, 1.0
        dq 0
gdt:
        dq 0
        dq 0x00cf9b000000ffff
        dq 0x00cf93000000ffff
        dq 0x00af9b000000ffff
gdt_limits:
        dw $ - gdt - 1
        dd gdt
idt_limits:
        dw 0xfff
        dq 0x2000
shutdown:
        db 'Shutdown', 0

section .end start=ROM_SIZE-0x20 vstart=TOP+0xffe0
turns:  dd 1
        times 12 db 0
bits 16
        jmp 0xf000:0
        times 11 db 0
