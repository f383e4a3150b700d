; A machine that does everything at once, for tests that two runs are the same and that a run goes on from a snapshot as if
; nothing had happened: CPUS vCPUs take interrupts of the 8254 through the 8259 pair, of the MC146818, the 16550 and the HPET
; through the I/O APIC, a level that stays up, local APIC timers in all three modes, IPIs in all modes and NMIs, while they
; fault, copy with REP, change their code and their page tables, shadow interrupts, halt, and are started anew.
; A Multiboot kernel (its header is in front of it): 32-bit code at 0x100020. The test defines CPUS and ROUNDS.
        bits 32
        org 0x100020

APIC    equ 0xfee00000
IOAPIC  equ 0xfec00000
HPET    equ 0xfed00000
IDT     equ 0x180000
DIRECTORY equ 0x181000
WINDOWS equ 0x182000                    ; a table of 4 KiB pages: WINDOW + 0x1000 * CPU
WINDOW  equ 0x40000000
PERCPU  equ 0x200000                    ; 0x1000 each: counters, then the stack from its end down
FRAMES  equ 0x280000                    ; four frames for each CPU's window
SHARED  equ 0x17f000                    ; what all write to
TRAMPOLINE equ 0x8000

TIMER   equ 0                           ; counters, offsets in PERCPU
IPIS    equ 4
NMIS    equ 8
FAULTS  equ 12
SEED    equ 16
DEVICES equ 20
SUM     equ 24

%macro write_ioapic 2                   ; index, value
        mov dword [IOAPIC], %1
        mov dword [IOAPIC + 0x10], %2
%endmacro
%macro out_byte 2                       ; port, value
        mov al, %2
        out %1, al
%endmacro
%macro gate 2
        mov eax, %1
        mov ebx, %2
        call set_gate
%endmacro

start:
        cli
        cld
        lgdt [gdtr]
        jmp 8:.flat
.flat:  mov ax, 16
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov esp, PERCPU + 0x1000
        ; ---- Vectors ----
        xor ecx, ecx
.gates: mov eax, ecx
        mov ebx, device
        call set_gate
        inc ecx
        cmp ecx, 256
        jb .gates
        gate 0, divide_error
        gate 1, single_step
        gate 2, nmi
        gate 3, breakpoint
        gate 6, undefined
        gate 14, page_fault
        gate 0x20, from_8259
        gate 0x34, from_uart
        gate 0x38, from_rtc
        gate 0x3a, from_level
        gate 0x50, timer
        gate 0x60, ipi
        gate 0x61, ipi
        gate 0xff, spurious
        ; ---- Page tables: 4 MiB pages, the window, the devices ----
        mov edi, DIRECTORY
        mov eax, 0x83
        mov ecx, 16
.directory:
        stosd
        add eax, 0x400000
        loop .directory
        mov dword [DIRECTORY + (0xfec00000 >> 20)], 0xfec00083
        mov dword [DIRECTORY + (WINDOW >> 20)], WINDOWS + 3
        ; ---- In each frame of a window: mov al, 0; ret ----
        mov edi, FRAMES + 0x800
        mov ecx, 4 * CPUS
.frames:
        mov dword [edi], 0x90c300b0
        add edi, 0x1000
        loop .frames
        ; ---- The trampoline ----
        mov esi, trampoline
        mov edi, TRAMPOLINE
        mov ecx, trampoline_end - trampoline
        rep movsb
        call enter
        ; ---- 8259 pair: vectors 0x20 and 0x28, only IRQ 0 ----
        out_byte 0x20, 0x11
        out_byte 0x21, 0x20
        out_byte 0x21, 4
        out_byte 0x21, 1
        out_byte 0xa0, 0x11
        out_byte 0xa1, 0x28
        out_byte 0xa1, 2
        out_byte 0xa1, 1
        out_byte 0x21, 0xfe
        out_byte 0xa1, 0xff
        mov dword [APIC + 0x350], 0x700
        mov dword [APIC + 0x360], 0x400
        ; ---- 8254: mode 2, about 17 microseconds ----
        out_byte 0x43, 0x34
        out_byte 0x40, 20
        out_byte 0x40, 0
        ; ---- I/O APIC ----
        write_ioapic 0x11 + 2 * 4, 0                    ; the 16550: level, to CPU 0
        write_ioapic 0x10 + 2 * 4, 0x8034
        write_ioapic 0x11 + 2 * 8, 0xff000000           ; the MC146818: edge, lowest priority, to all
        write_ioapic 0x10 + 2 * 8, 0x0938
        write_ioapic 0x11 + 2 * 10, 0x01000000          ; a test line: level, logical, to CPU 0
        write_ioapic 0x10 + 2 * 10, 0x883a
        write_ioapic 0x11 + 2 * 2, 0                    ; 8254 and HPET: edge, to CPU 0
        write_ioapic 0x10 + 2 * 2, 0x0039
        ; ---- MC146818: periodic, 122 microseconds ----
        out_byte 0x70, 0x0a
        out_byte 0x71, 0x23
        out_byte 0x70, 0x0b
        out_byte 0x71, 0x42
        out_byte 0x70, 0x0c
        in al, 0x71
        ; ---- HPET: timer 0 periodic, 31 microseconds, input 2 ----
        mov dword [HPET + 0x100], (2 << 9) | 0x4c
        mov dword [HPET + 0x108], 3100
        mov dword [HPET + 0x108], 3100
        mov dword [HPET + 0x10], 1
        ; ---- 16550: an interrupt for each empty transmitter ----
        out_byte 0x80, 0
        mov dx, 0x3fc
        out_byte dx, 0x0b
        mov dx, 0x3f9
        out_byte dx, 2
        ; ---- The other CPUs ----
        call start_others
        sti

; ---- What the first CPU does, round by round ----
        xor ebp, ebp
round:  call work
        mov eax, ebp
        and eax, 15
        cmp eax, 3
        jne .no_level
        mov dx, 0x200a                  ; the test line goes up; its handler takes it down
        out_byte dx, 1
.no_level:
        cmp eax, 5
        jne .no_nmi
        mov dword [APIC + 0x310], 0xff000000
        mov dword [APIC + 0x300], 0xc4400
.no_nmi:
        cmp eax, 7
        jne .no_restart
        call start_others
.no_restart:
        cmp eax, 9
        jne .no_print
        call print
.no_print:
        cmp eax, 11
        jne .no_halt
        sti
        hlt
.no_halt:
        inc ebp
        cmp ebp, ROUNDS
        jb round
        call print
        cli
        mov edi, CPUS - 1
.sum:   mov esi, edi
        shl esi, 12
        add esi, PERCPU
        mov ebx, 6
.field: lodsd
        call print_number
        dec ebx
        jnz .field
        dec edi
        jns .sum
        mov dx, 0xf4
        out_byte dx, 0
.end:   hlt
        jmp .end

; ---- Every CPU: paging and the local APIC on; ESP is its own ----
enter:
        mov eax, DIRECTORY
        mov cr3, eax
        mov eax, cr4
        or al, 0x90                     ; PSE and PGE
        mov cr4, eax
        mov eax, cr0
        or eax, 0x80010000
        mov cr0, eax
        lidt [idtr]
        mov dword [APIC + 0xf0], 0x1ff
        call number
        mov ecx, eax
        mov eax, 0x01000000
        shl eax, cl
        mov [APIC + 0xd0], eax
        mov dword [APIC + 0xe0], 0xffffffff
        call own
        mov [esi + SEED], ecx
        add dword [esi + SEED], 12345
        mov dword [APIC + 0x3e0], 0x0b
        mov eax, ecx                    ; another mode on each
        call arm
        ret

number: mov eax, [APIC + 0x20]          ; EAX: this CPU
        shr eax, 24
        ret
own:    call number                     ; ESI: its page
        mov esi, eax
        shl esi, 12
        add esi, PERCPU
        ret
random: imul eax, [esi + SEED], 1103515245
        add eax, 12345
        mov [esi + SEED], eax
        shr eax, 8
        ret

; EAX: 0 one-shot, 1 periodic, 2 TSC deadline
arm:    push edx
        push ecx
        xor edx, edx
        mov ecx, 3
        div ecx
        cmp edx, 1
        je .periodic
        ja .deadline
        mov dword [APIC + 0x320], 0x50
        mov dword [APIC + 0x380], 2311
        jmp .done
.periodic:
        mov dword [APIC + 0x320], 0x20050
        mov dword [APIC + 0x380], 1777
        jmp .done
.deadline:
        mov dword [APIC + 0x320], 0x40050
        mov dword [APIC + 0x380], 0
        rdtsc
        add eax, 2999
        adc edx, 0
        mov ecx, 0x6e0
        wrmsr
.done:  pop ecx
        pop edx
        ret

start_others:
        pushad
        mov dword [APIC + 0x300], 0xc4500
        mov ecx, 30
.wait:  pause
        loop .wait
        mov dword [APIC + 0x300], 0xc4608
        mov ecx, 20
.again: pause
        loop .again
        mov dword [APIC + 0x300], 0xc4608
        popad
        ret

; ---- What each CPU does in a round ----
work:   pushad
        call own
        ; Another frame behind the window, some of the time without a flush: the old one goes on.
        call random
        mov edx, eax
        call number
        mov edi, eax
        shl edi, 2
        mov ebx, edx
        and ebx, 3
        add ebx, edi
        shl ebx, 12
        add ebx, FRAMES + 0x103
        mov [WINDOWS + edi], ebx
        shl edi, 10
        add edi, WINDOW
        test dl, 0x30
        jz .stale
        invlpg [edi]
.stale: add [edi + 8], edx
        push edi
        ; Strings
        lea esi, [edi + 0x100]
        mov ecx, 41
        add edi, 0x400
        rep movsd
        mov ecx, 70
        mov al, dl
        rep stosb
        mov esi, HPET                   ; from a device, byte by byte
        mov ecx, 8
        rep movsb
        pop edi
        ; Code in the window, that changes: mov al, DL; ret. What is fetched may be another frame than what is written.
        mov [edi + 0x801], dl
        lea eax, [edi + 0x800]
        call eax
        call own
        add [esi + SUM], eax
        ; Locked, and not
        lock xadd [SHARED], edx
        inc dword [SHARED + 4]
        mov eax, [SHARED + 8]
        inc eax
        mov [SHARED + 8], eax
        ; Shadows: the timer of this CPU is due at any of these
        mov ax, 16
        mov ss, ax
        nop
        cli
        nop
        sti
        nop
        pushfd
        ; Single steps
        or dword [esp], 0x100
        popfd
        nop
        mov ss, ax
        nop
        pushfd
        and dword [esp], ~0x100
        popfd
        ; Faults
        ud2
        int3
        xor edx, edx
        mov eax, 1
        xor ecx, ecx
        div ecx
        mov eax, [0x70000000]
        int 0x70
        ; IPIs
        call random
        test al, 7
        jnz .quiet
        mov edx, eax
        and eax, 3
        shl eax, 24
        mov [APIC + 0x310], eax
        mov eax, 0x4060                 ; fixed, physical
        test dh, 1
        jz .send
        mov eax, 0xc4061                ; all but self
        test dh, 2
        jz .send
        mov dword [APIC + 0x310], 0xff000000
        mov eax, 0x4960                 ; lowest priority, logical
.send:  mov [APIC + 0x300], eax
.quiet: popad
        ret

; ---- Handlers ----
%macro enter_handler 0
        pushad
        call own
%endmacro
%macro leave_handler 0
        mov dword [APIC + 0xb0], 0
        popad
        iretd
%endmacro

timer:  enter_handler
        inc dword [esi + TIMER]
        mov eax, [esi + TIMER]
        shr eax, 2
        call arm
        leave_handler
ipi:    enter_handler
        inc dword [esi + IPIS]
        leave_handler
nmi:    enter_handler
        inc dword [esi + NMIS]
        popad
        iretd
from_8259:
        enter_handler
        inc dword [esi + DEVICES]
        out_byte 0x20, 0x20
        popad
        iretd
from_rtc:
        enter_handler
        add dword [esi + DEVICES], 0x100
        out_byte 0x70, 0x0c
        in al, 0x71
        leave_handler
from_level:
        enter_handler
        add dword [esi + DEVICES], 0x10000
        mov dx, 0x200a
        out_byte dx, 0
        leave_handler
from_uart:
        enter_handler
        add dword [esi + DEVICES], 0x1000000
        mov dx, 0x3fa
        in al, dx
        leave_handler
device: enter_handler                   ; HPET, INT 70h
        inc dword [esi + DEVICES]
        leave_handler
spurious:
        iretd
divide_error:
        add dword [esp], 2              ; behind the DIV
        jmp counted
undefined:
        add dword [esp], 2
        jmp counted
page_fault:
        add esp, 4
        add dword [esp], 5
        jmp counted
single_step:
breakpoint:
counted:
        enter_handler
        inc dword [esi + FAULTS]
        popad
        iretd

; ---- The console ----
print:  pushad
        mov eax, ebp
        call print_number
        mov al, 10
        call put
        popad
        ret
print_number:                           ; EAX in hexadecimal
        push ecx
        mov ecx, 8
.digit: rol eax, 4
        push eax
        and al, 15
        add al, '0'
        cmp al, '9'
        jbe .decimal
        add al, 'a' - '9' - 1
.decimal:
        call put
        pop eax
        loop .digit
        mov al, ' '
        call put
        pop ecx
        ret
put:    push edx
        mov dx, 0x3f8
        out dx, al
        pop edx
        ret

set_gate:                               ; EAX: vector, EBX: handler
        push eax
        lea eax, [IDT + eax * 8]
        mov [eax], bx
        mov word [eax + 2], 8
        mov word [eax + 4], 0x8e00
        push ebx
        shr ebx, 16
        mov [eax + 6], bx
        pop ebx
        pop eax
        ret

; ---- The others ----
other:  mov eax, [APIC + 0x20]
        shr eax, 24
        mov esp, eax
        shl esp, 12
        add esp, PERCPU + 0x1000
        call enter
        sti
.round: call work
        call own
        call random
        test al, 3
        jnz .round
        sti
        hlt
        jmp .round

trampoline:
        bits 16
        cli
        o32 lgdt [cs:gdtr_low - trampoline]
        mov eax, cr0
        or al, 1
        mov cr0, eax
        jmp dword 8:TRAMPOLINE + (.flat - trampoline)
        bits 32
.flat:  mov ax, 16
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov eax, other
        jmp eax
gdtr_low:
        dw 23
        dd gdt
trampoline_end:

        align 8
gdt:    dq 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdtr:   dw 23
        dd gdt
idtr:   dw 0x7ff
        dd IDT
