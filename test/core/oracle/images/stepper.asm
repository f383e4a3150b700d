; The stepper: runs prepared cases (stepper/records.ts) one instruction at a time, by TF, and writes what each left. The
; host puts a block at BLOCK (count of cases, options, system tables), cases at CASES; results go to RESULTS.
;
; Defined by stepper/rom.ts: KERNEL_LONG or not; REAL, V86; SAME_RING (cases at CPL 0); PAGING (CR0.PG), CR4_VALUE;
; TEST_CODE, TEST_STACK, TEST_DATA; BITS_OF_CASE; COPY_WINDOWS (a list of offset and size).

%define IMAGE_START 0xf0000
%define ARENA 0x20000
%define TABLES 0x60000
%define TABLES_SIZE 0x20000
%define IDT_AT 0x61000
%define TSS_AT 0x62000
%define KERNEL_STACK 0x69000
%define RING_STACK 0x6a000                              ; where interrupts from other rings (long mode: all) push
%define ROOT 0x70000
%define BLOCK 0x800000
%define CASES 0x1000000
%define RESULTS 0x2000000
%define CASE_SIZE 0x880
%define RESULT_SIZE 0x6c0
%define CODE_START 0x1f00
%define READ_ONLY 0x27000

; Kernel's variables
%define V 0x63000
%define GENERAL V                                       ; 16 of 8 bytes
%define RIP_AT V + 0x80
%define FLAGS_AT V + 0x88
%define CS_AT V + 0x90
%define SS_AT V + 0x94
%define DS_AT V + 0x98
%define ES_AT V + 0x9c
%define FS_AT V + 0xa0
%define GS_AT V + 0xa4
%define VECTOR_AT V + 0xa8
%define ERROR_AT V + 0xac
%define LAST_AT V + 0xb0                                ; 8 bytes
%define STEPS_AT V + 0xb8
%define CASE_AT V + 0xc0
%define RESULT_AT V + 0xc8
%define LEFT_AT V + 0xd0
%define LINEAR_AT V + 0xd4
%define FX_AT V + 0x100

ERROR_CODES equ (1 << 8) | (1 << 10) | (1 << 11) | (1 << 12) | (1 << 13) | (1 << 14) | (1 << 17) | (1 << 21)

%if BITS_OF_CASE = 16
%define ORIGIN 0
%define BASE ARENA
%else
%define ORIGIN ARENA
%define BASE 0
%endif

org IMAGE_START
bits 16
image_start:
start:
        cli
        cld
        o32 lgdt [cs:boot_gdtr - IMAGE_START]
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
        mov esp, KERNEL_STACK
        mov al, 0xff                                    ; no interrupts from the 8259s
        out 0x21, al
        out 0xa1, al
        mov esi, BLOCK + 0x1000
        mov edi, TABLES
        mov ecx, TABLES_SIZE / 4
        rep movsd
        mov eax, [BLOCK]
        mov [LEFT_AT], eax
        mov dword [CASE_AT], CASES
        mov dword [CASE_AT + 4], 0
        mov dword [RESULT_AT], RESULTS
        mov dword [RESULT_AT + 4], 0
        xor eax, eax
.read_only:
        mov [READ_ONLY + eax], al
        inc eax
        cmp eax, 64
        jb .read_only
        mov dword [TSS_AT + 4], RING_STACK              ; ESP0, RSP0
        mov dword [TSS_AT + 8], 0x10
%ifdef KERNEL_LONG
        mov dword [TSS_AT + 8], 0
        mov dword [TSS_AT + 0x24], RING_STACK           ; IST1
%endif
        mov word [TSS_AT + 0x66], 0x68                  ; no I/O map
        lgdt [gdtr]
; Gates to the 256 stubs
        xor ecx, ecx
        mov edi, IDT_AT
        mov eax, stubs
.gate:
        mov [edi], ax
        mov edx, eax
        shr edx, 16
%ifdef KERNEL_LONG
        mov word [edi + 2], 0x18
        mov word [edi + 4], 0x8e01
%else
        mov word [edi + 2], 0x08
        mov word [edi + 4], 0x8e00
%endif
        mov [edi + 6], dx
        cmp ecx, 3                                      ; INT3 and INTO are open to everyone, as on Linux;
        je .open
        cmp ecx, 4
        je .open
%ifdef KERNEL_LONG
        jmp .closed
%endif
        mov ebx, ecx                                    ; where no Linux runs, INT 40 to 4F as well
        and ebx, 0xf0
        cmp ebx, 0x40
        jne .closed
.open:
        or byte [edi + 5], 0x60
.closed:
%ifdef KERNEL_LONG
        mov dword [edi + 8], 0
        mov dword [edi + 12], 0
        add edi, 16
%else
        add edi, 8
%endif
        add eax, STUB_SIZE
        inc ecx
        cmp ecx, 256
        jb .gate

        mov eax, CR4_VALUE
        mov cr4, eax
%if CR4_VALUE & 0x40000                                 ; OSXSAVE: x87 and SSE in XCR0
        xor ecx, ecx
        xor edx, edx
        mov eax, 3
        xsetbv
%endif
%if PAGING
        mov eax, ROOT
        mov cr3, eax
%endif
%ifdef KERNEL_LONG
        mov ecx, 0xc0000080
        rdmsr
        or eax, 0x901                                   ; SCE, LME, NXE
        wrmsr
%endif
        mov eax, CR0_VALUE
        mov cr0, eax
%ifdef KERNEL_LONG
        jmp 0x18:kernel_64
%else
        lidt [idtr]
        mov ax, 0x68
        ltr ax
        mov ax, 0x58
        lldt ax
%endif

%ifndef KERNEL_LONG
; ---- legacy kernel ----
next_case:
        cmp dword [LEFT_AT], 0
        je finish
        mov ebx, [CASE_AT]
        lea esi, [ebx + 8]
        mov edi, GENERAL
        mov ecx, (16 * 8 + 16) / 4                      ; registers, RIP, RFLAGS
        rep movsd
        lea esi, [ebx + 0xa0]
%macro WINDOW_IN 2
        mov edi, ARENA + %1
        mov ecx, %2 / 4
        rep movsd
%endmacro
        COPY_WINDOWS WINDOW_IN
%if WITH_FX
        lea esi, [ebx + 0x660]
        test byte [ebx + 4], 1
        jnz .fx
        mov esi, initial_fx
.fx:
        mov edi, FX_AT
        mov ecx, 512 / 4
        rep movsd
        fxrstor [FX_AT]
%endif
        mov eax, [RIP_AT]
        mov [LAST_AT], eax
        mov dword [LAST_AT + 4], 0
        mov dword [STEPS_AT], 0
        mov dword [CS_AT], TEST_CODE
        mov dword [SS_AT], TEST_STACK
        mov dword [DS_AT], TEST_DATA
        mov dword [ES_AT], TEST_DATA
        mov dword [FS_AT], TEST_DATA
        mov dword [GS_AT], TEST_DATA
        xor eax, eax
        mov cr2, eax

resume:
%ifdef REAL
        lidt [idtr_real]
        jmp 0x38:.small - IMAGE_START
bits 16
.small:
        mov ax, 0x40
        mov ds, ax
        mov es, ax
        mov fs, ax
        mov gs, ax
        mov ss, ax
        mov eax, cr0
        and al, 0xfe
        mov cr0, eax
        jmp 0xf000:.real - IMAGE_START
.real:
        mov ax, V >> 4
        mov ds, ax
        mov es, [ES_AT - V]
        mov fs, [FS_AT - V]
        mov gs, [GS_AT - V]
        mov ss, [SS_AT - V]
        mov esp, [4 * 8]
        push dword [FLAGS_AT - V]
        push word 0
        push word [CS_AT - V]
        push dword [RIP_AT - V]
        push dword [0]
        push word [DS_AT - V]
        mov ecx, [1 * 8]
        mov edx, [2 * 8]
        mov ebx, [3 * 8]
        mov ebp, [5 * 8]
        mov esi, [6 * 8]
        mov edi, [7 * 8]
        pop ds
        pop eax
        iretd
bits 32
%else
%ifdef SAME_RING
        mov ss, [SS_AT]
        mov esp, [GENERAL + 4 * 8]
        push dword [FLAGS_AT]
        push dword [CS_AT]
        push dword [RIP_AT]
%elifdef V86
        push dword [GS_AT]
        push dword [FS_AT]
        push dword [DS_AT]
        push dword [ES_AT]
        push dword [SS_AT]
        push dword [GENERAL + 4 * 8]
        mov eax, [FLAGS_AT]
        or eax, 0x20000
        push eax
        push dword [CS_AT]
        push dword [RIP_AT]
%else
        push dword [SS_AT]
        push dword [GENERAL + 4 * 8]
        push dword [FLAGS_AT]
        push dword [CS_AT]
        push dword [RIP_AT]
%endif
        mov ecx, [GENERAL + 1 * 8]
        mov edx, [GENERAL + 2 * 8]
        mov ebx, [GENERAL + 3 * 8]
        mov ebp, [GENERAL + 5 * 8]
        mov esi, [GENERAL + 6 * 8]
        mov edi, [GENERAL + 7 * 8]
%ifndef V86
        mov es, [ES_AT]
        mov fs, [FS_AT]
        mov gs, [GS_AT]
        mov ds, [DS_AT]
%endif
        mov eax, [cs:GENERAL]
        iretd
%endif

; A case was interrupted: on the stack vector, error code, EIP, CS, EFLAGS, and what lies beyond.
taken:
        push eax
        push ds
        mov ax, 0x10
        mov ds, ax
        pop dword [DS_AT]
        pop dword [GENERAL]
        pop dword [VECTOR_AT]
        pop dword [ERROR_AT]
        pop dword [RIP_AT]
        pop dword [CS_AT]
        pop dword [FLAGS_AT]
        and dword [FLAGS_AT], ~0x10000                  ; RF
%ifdef SAME_RING
        mov [GENERAL + 4 * 8], esp
        mov [SS_AT], ss
%else
        pop dword [GENERAL + 4 * 8]
        pop dword [SS_AT]
%endif
%ifdef V86
        pop dword [ES_AT]
        pop dword [DS_AT]
        pop dword [FS_AT]
        pop dword [GS_AT]
%else
        mov [ES_AT], es
        mov [FS_AT], fs
        mov [GS_AT], gs
%endif
        mov [GENERAL + 1 * 8], ecx
        mov [GENERAL + 2 * 8], edx
        mov [GENERAL + 3 * 8], ebx
        mov [GENERAL + 5 * 8], ebp
        mov [GENERAL + 6 * 8], esi
        mov [GENERAL + 7 * 8], edi
saved:
        mov ax, 0x10
        mov es, ax
        mov ss, ax
        mov esp, KERNEL_STACK
        cld
%ifdef SAME_RING
; What the interrupt pushed below the case's stack pointer is forgotten.
        mov edi, [GENERAL + 4 * 8]
%if BITS_OF_CASE = 16
        movzx edi, di
%endif
        add edi, BASE - 64
        mov eax, 0xcccccccc
        mov ecx, 64 / 4
        rep stosd
%endif
        mov ebx, [CASE_AT]
        cmp dword [VECTOR_AT], 1
        jne record
        inc dword [STEPS_AT]
        mov eax, [LAST_AT]
        sub eax, ORIGIN + CODE_START
        cmp eax, 256
        jae .keep
        movzx eax, word [ebx + 0x460 + eax * 2]
        not eax
        and [FLAGS_AT], eax
.keep:
        mov eax, [STEPS_AT]
        cmp eax, [ebx]
        jae record
        cmp word [CS_AT], TEST_CODE
        jne record
        mov eax, [RIP_AT]
        mov [LAST_AT], eax
        sub eax, ORIGIN + CODE_START
        cmp eax, 256
        jb resume
        mov eax, [LAST_AT]

record:
        mov edi, [RESULT_AT]
        mov eax, [STEPS_AT]
        mov [edi], eax
        mov eax, [VECTOR_AT]
        mov [edi + 4], eax
        mov eax, [ERROR_AT]
        mov [edi + 8], eax
        mov eax, cr2
        mov [edi + 0x10], eax
        mov ax, [CS_AT]
        mov [edi + 0xa8], ax
        mov ax, [SS_AT]
        mov [edi + 0xaa], ax
        mov ax, [DS_AT]
        mov [edi + 0xac], ax
        mov ax, [ES_AT]
        mov [edi + 0xae], ax
        mov ax, [FS_AT]
        mov [edi + 0xb0], ax
        mov ax, [GS_AT]
        mov [edi + 0xb2], ax
        mov eax, [LAST_AT]
        mov [edi + 0x480], eax
%if WITH_FX
        test byte [ebx + 4], 1
        jz .no_fx
        fxsave [FX_AT]
        mov esi, FX_AT
        lea edi, [edi + 0x490]
        mov ecx, 512 / 4
        rep movsd
        mov edi, [RESULT_AT]
.no_fx:
%endif
        lea edx, [edi + 0xc0]
        mov esi, GENERAL
        add edi, 0x18
        mov ecx, (16 * 8 + 16) / 4
        rep movsd
        mov edi, edx
%macro WINDOW_OUT 2
        mov esi, ARENA + %1
        mov ecx, %2 / 4
        rep movsd
%endmacro
        COPY_WINDOWS WINDOW_OUT
        add dword [CASE_AT], CASE_SIZE
        add dword [RESULT_AT], RESULT_SIZE
        dec dword [LEFT_AT]
        jmp next_case

; The results as they are in memory, or, where the host cannot read that, in hexadecimal to the debug port.
finish:
        mov al, 'S'
        out 0xe9, al
        cmp dword [BLOCK + 4], 0
        je .end
        mov esi, RESULTS
        mov ecx, [RESULT_AT]
        sub ecx, esi
.byte:
        lodsb
        mov ah, al
        shr al, 4
        call .digit
        mov al, ah
        and al, 15
        call .digit
        dec ecx
        jnz .byte
.end:
        mov al, 10
        out 0xe9, al
        out 0xf4, al                                    ; ends QEMU and the test board
        mov esi, .shutdown
        mov ecx, 8
        mov edx, 0x8900                                 ; ends Bochs
        rep outsb
.halt:
        cli
        hlt
        jmp .halt
.digit:
        add al, '0'
        cmp al, '9'
        jbe .put
        add al, 'a' - '0' - 10
.put:
        out 0xe9, al
        ret
.shutdown:
        db "Shutdown"

%ifdef REAL
bits 16
; On the stack: vector, IP, CS, FLAGS.
taken_real:
        push eax
        push ds
        mov ax, V >> 4
        mov ds, ax
        pop word [DS_AT - V]
        pop dword [0]
        pop word [VECTOR_AT - V]
        pop word [RIP_AT - V]
        pop word [CS_AT - V]
        pop word [FLAGS_AT - V]
        mov word [RIP_AT - V + 2], 0
        mov [ES_AT - V], es
        mov [FS_AT - V], fs
        mov [GS_AT - V], gs
        mov [SS_AT - V], ss
        mov [1 * 8], ecx
        mov [2 * 8], edx
        mov [3 * 8], ebx
        mov [4 * 8], esp
        mov [5 * 8], ebp
        mov [6 * 8], esi
        mov [7 * 8], edi
        mov word [VECTOR_AT - V + 2], 0
        mov word [FLAGS_AT - V + 2], 0
        mov dword [ERROR_AT - V], 0
        o32 lgdt [cs:gdtr - IMAGE_START]
        o32 lidt [cs:idtr - IMAGE_START]
        mov eax, cr0
        or al, 1
        mov cr0, eax
        jmp dword 0x08:.protected
bits 32
.protected:
        mov ax, 0x10
        mov ds, ax
        jmp saved
        align 16
STUB_SIZE equ 16
bits 16
stubs:
%assign v 0
%rep 256
        push word v
        jmp near taken_real
        align STUB_SIZE
%assign v v + 1
%endrep
bits 32
%else
        align 16
STUB_SIZE equ 16
stubs:
%assign v 0
%rep 256
%if v >= 32 || ((ERROR_CODES >> (v & 31)) & 1) = 0
        push dword 0
%endif
        push dword v
        jmp near taken
        align STUB_SIZE
%assign v v + 1
%endrep
%endif

%else
; ---- long kernel ----
bits 64
kernel_64:
        lidt [idtr]
        mov ax, 0x68
        ltr ax
        mov ax, 0x58
        lldt ax
        mov esp, KERNEL_STACK
next_case:
        cmp dword [LEFT_AT], 0
        je finish
        mov ebx, [CASE_AT]
        lea esi, [rbx + 8]
        mov edi, GENERAL
        mov ecx, 16 + 2
        rep movsq
        lea esi, [rbx + 0xa0]
%macro WINDOW_IN 2
        mov edi, ARENA + %1
        mov ecx, %2 / 8
        rep movsq
%endmacro
        COPY_WINDOWS WINDOW_IN
%if WITH_FX
        lea esi, [rbx + 0x660]
        test byte [rbx + 4], 1
        jnz .fx
        mov esi, initial_fx
.fx:
        fxrstor64 [rsi]
%endif
        mov rax, [RIP_AT]
        mov [LAST_AT], rax
        mov dword [STEPS_AT], 0
        mov dword [CS_AT], TEST_CODE
        mov dword [SS_AT], TEST_STACK
        mov dword [DS_AT], TEST_DATA
        mov dword [ES_AT], TEST_DATA
        mov dword [FS_AT], TEST_DATA
        mov dword [GS_AT], TEST_DATA
        xor eax, eax
        mov cr2, rax
        mov ax, TEST_DATA
        mov fs, ax
        mov gs, ax
%if BITS_OF_CASE = 64
        mov ecx, 0xc0000100
        mov eax, 0x10000
        xor edx, edx
        wrmsr
        inc ecx
        mov eax, 0x8000
        wrmsr
%endif
resume:
        movzx eax, word [SS_AT]
        push rax
        push qword [GENERAL + 4 * 8]
        push qword [FLAGS_AT]
        movzx eax, word [CS_AT]
        push rax
        push qword [RIP_AT]
        mov ds, [DS_AT]
        mov es, [ES_AT]
%assign n 15
%rep 8
        mov r %+ n, [GENERAL + n * 8]
%assign n n - 1
%endrep
        mov rdi, [GENERAL + 7 * 8]
        mov rsi, [GENERAL + 6 * 8]
        mov rbp, [GENERAL + 5 * 8]
        mov rbx, [GENERAL + 3 * 8]
        mov rdx, [GENERAL + 2 * 8]
        mov rcx, [GENERAL + 1 * 8]
        mov rax, [GENERAL]
        iretq

; On the stack vector, error code, RIP, CS, RFLAGS, RSP, SS. Segments are flat whatever they hold.
taken:
        mov [GENERAL], rax
        mov [GENERAL + 1 * 8], rcx
        mov [GENERAL + 2 * 8], rdx
        mov [GENERAL + 3 * 8], rbx
        mov [GENERAL + 5 * 8], rbp
        mov [GENERAL + 6 * 8], rsi
        mov [GENERAL + 7 * 8], rdi
%assign n 8
%rep 8
        mov [GENERAL + n * 8], r %+ n
%assign n n + 1
%endrep
        pop rax
        mov [VECTOR_AT], eax
        pop rax
        mov [ERROR_AT], eax
        pop qword [RIP_AT]
        pop rax
        mov [CS_AT], eax
        pop rax
        btr eax, 16                                     ; RF
        mov [FLAGS_AT], rax
        pop qword [GENERAL + 4 * 8]
        pop rax
        mov [SS_AT], eax
        mov [DS_AT], ds
        mov [ES_AT], es
        mov [FS_AT], fs
        mov [GS_AT], gs
        mov esp, KERNEL_STACK
        cld
        mov ebx, [CASE_AT]
        cmp dword [VECTOR_AT], 1
        jne record
        inc dword [STEPS_AT]
        mov rax, [LAST_AT]
        sub rax, ORIGIN + CODE_START
        cmp rax, 256
        jae .keep
        movzx eax, word [rbx + 0x460 + rax * 2]
        not eax
        and [FLAGS_AT], eax
.keep:
        mov eax, [STEPS_AT]
        cmp eax, [rbx]
        jae record
        cmp word [CS_AT], TEST_CODE
        jne record
        mov rax, [RIP_AT]
        sub rax, ORIGIN + CODE_START
        cmp rax, 256
        jae record
        mov rax, [RIP_AT]
        mov [LAST_AT], rax
        jmp resume

record:
        mov edi, [RESULT_AT]
        mov eax, [STEPS_AT]
        mov [rdi], eax
        mov eax, [VECTOR_AT]
        mov [rdi + 4], eax
        mov eax, [ERROR_AT]
        mov [rdi + 8], eax
        mov rax, cr2
        mov [rdi + 0x10], rax
        mov ax, [CS_AT]
        mov [rdi + 0xa8], ax
        mov ax, [SS_AT]
        mov [rdi + 0xaa], ax
        mov ax, [DS_AT]
        mov [rdi + 0xac], ax
        mov ax, [ES_AT]
        mov [rdi + 0xae], ax
        mov ax, [FS_AT]
        mov [rdi + 0xb0], ax
        mov ax, [GS_AT]
        mov [rdi + 0xb2], ax
        mov rax, [LAST_AT]
        mov [rdi + 0x480], rax
%if WITH_FX
        test byte [rbx + 4], 1
        jz .no_fx
        fxsave64 [rdi + 0x490]
.no_fx:
%endif
        lea edx, [rdi + 0xc0]
        mov esi, GENERAL
        add edi, 0x18
        mov ecx, 16 + 2
        rep movsq
        mov edi, edx
%macro WINDOW_OUT 2
        mov esi, ARENA + %1
        mov ecx, %2 / 8
        rep movsq
%endmacro
        COPY_WINDOWS WINDOW_OUT
        add dword [CASE_AT], CASE_SIZE
        add dword [RESULT_AT], RESULT_SIZE
        dec dword [LEFT_AT]
        jmp next_case

finish:
        mov al, 'S'
        out 0xe9, al
        cmp dword [BLOCK + 4], 0
        je .end
        mov esi, RESULTS
        mov ecx, [RESULT_AT]
        sub ecx, esi
.byte:
        lodsb
        mov ah, al
        shr al, 4
        call .digit
        mov al, ah
        and al, 15
        call .digit
        dec ecx
        jnz .byte
.end:
        mov al, 10
        out 0xe9, al
        out 0xf4, al                                    ; ends QEMU and the test board
        mov esi, .shutdown
        mov ecx, 8
        mov edx, 0x8900                                 ; ends Bochs
        rep outsb
.halt:
        cli
        hlt
        jmp .halt
.digit:
        add al, '0'
        cmp al, '9'
        jbe .put
        add al, 'a' - '0' - 10
.put:
        out 0xe9, al
        ret
.shutdown:
        db "Shutdown"

        align 16
STUB_SIZE equ 16
stubs:
%assign v 0
%rep 256
%if v >= 32 || ((ERROR_CODES >> (v & 31)) & 1) = 0
        push qword 0
%endif
        push qword v
        jmp near taken
        align STUB_SIZE
%assign v v + 1
%endrep
%endif

        align 16
initial_fx:                                             ; as FNINIT and RESET leave x87 and SSE
        dd 0x37f, 0, 0, 0, 0, 0, 0x1f80, 0xffff
        times 512 - 32 db 0
        align 16
boot_gdt:
        dq 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
boot_gdtr:
        dw 23
        dd boot_gdt
        align 8
gdtr:
        dw 0xa7
        dq TABLES
        align 8
idtr:
%ifdef KERNEL_LONG
        dw 256 * 16 - 1
%else
        dw 256 * 8 - 1
%endif
        dq IDT_AT
%ifdef REAL
        align 8
idtr_real:
        dw 0x3ff
        dd real_vectors
        align 4
real_vectors:
%assign v 0
%rep 256
        dw stubs + v * STUB_SIZE - IMAGE_START, 0xf000
%assign v v + 1
%endrep
%endif
        times 0xfff0 - ($ - image_start) db 0
bits 16
        jmp 0xf000:start - IMAGE_START
        times 0x10000 - ($ - image_start) db 0
