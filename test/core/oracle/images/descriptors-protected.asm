; Product table of protected mode: operations on selectors × descriptor types × P × DPL × RPL × CPL.
%define PROBE "descriptors-protected"
%define IMAGE_SIZE 0x8000
%define DEBUG_PORT 0xe9
%define EXIT_PORT 0xf4
%define WITH_LONG_MODE
%include "rom.mac"
%include "product.mac"
        WORD_ROUTINES 32

bits 16
main:
        ENTER_PROTECTED_32
        mov esi, ADDRESS(product_gdt)
        mov edi, GDT_RAM
        mov ecx, PRODUCT_GDT_SIZE
        rep movsb
        mov edi, IDT_RAM                                ; 80 gates to the stubs
        mov eax, ADDRESS(stub_0)
        mov ecx, 0x41
.gate:
        mov [edi], ax
        mov word [edi + 2], CODE32
        mov dword [edi + 4], eax
        mov word [edi + 4], 0x8e00
        cmp ecx, 1
        jne .kernel
        mov word [edi + 4], 0xee00                      ; the last one, 0x40
.kernel:
        add edi, 8
        add eax, 16
        loop .gate
        lgdt [ADDRESS(product_gdtr)]
        lidt [ADDRESS(product_idtr_32)]
        mov dword [OPERATION], 0
        jmp operation_loop

        align 16, db 0x90
%assign v 0
%rep 0x41
stub_%[v]:
%if v >= 32 || (ERROR_CODES >> v) & 1 = 0
        push dword 0
%endif
        push dword v
        jmp near taken
        align 16, db 0x90
%assign v v + 1
%endrep

taken:
        mov cx, DATA32
        mov ds, cx
        pop dword [VECTOR]
        pop dword [ERROR]
        movzx esp, sp                                   ; a 16-bit TSS leaves the upper half undefined
        mov ecx, [ss:esp + 8]                           ; EFLAGS in the frame
        shr ecx, 6
        and ecx, 1
        mov [ZERO], ecx
        mov [RESULT], edx
        mov ax, DATA32
        mov es, ax
        mov ss, ax
        mov esp, STACK_TOP
        push dword 2
        popfd
        push dword [NEXT]
        ret

success:
        int 0x40

; The state that each trial starts from.
prepare:
        mov edi, MAIN_TSS_AT
        xor eax, eax
        mov ecx, 0x300 / 4
        rep stosd
        mov edi, MAIN_TSS_AT
        mov ecx, 2
.tss:
        mov dword [edi + 4], RING0_TOP
        mov dword [edi + 8], DATA32
        mov dword [edi + 0xc], 0x5000
        mov dword [edi + 0x10], DATA_1
        mov dword [edi + 0x14], 0x5200
        mov dword [edi + 0x18], 0x48 | 2
        mov dword [edi + 0x20], ADDRESS(success)
        mov dword [edi + 0x24], 2
        mov dword [edi + 0x34], 0xdead
        mov dword [edi + 0x38], OTHER_TOP
        mov dword [edi + 0x48], DATA32
        mov dword [edi + 0x4c], CODE32
        mov dword [edi + 0x50], DATA32
        mov dword [edi + 0x54], DATA32
        mov word [edi + 0x66], 0x68
        mov edi, OTHER_TSS_AT
        loop .tss
        mov edi, TSS16_AT
        mov word [edi + 2], RING0_TOP
        mov word [edi + 4], DATA32
        mov word [edi + 0xe], OFFSET16(success)
        mov word [edi + 0x10], 2
        mov word [edi + 0x16], 0xdead
        mov word [edi + 0x1a], OTHER_TOP
        mov word [edi + 0x22], DATA32
        mov word [edi + 0x24], CODE_HIGH
        mov word [edi + 0x26], DATA16_SMALL
        mov word [edi + 0x28], DATA32
        mov byte [GDT_RAM + MAIN_TSS + 5], 0x89
        mov byte [GDT_RAM + OTHER_TSS + 5], 0x89
        xor eax, eax
        lldt ax
        mov ax, MAIN_TSS
        ltr ax
        ret

; The descriptor of TYPE (with S) and RIGHTS into SUBJECT.
make_subject:
        mov edi, GDT_RAM + SUBJECT
        mov eax, [TYPE]
        mov ebx, ADDRESS(subjects)
        lea ebx, [ebx + eax * 8]
        mov eax, [ebx]
        mov [edi], eax
        mov eax, [ebx + 4]
        mov [edi + 4], eax
        mov al, [RIGHTS]
        mov [edi + 5], al
        mov dword [edi + 8], 0
        mov dword [edi + 12], 0
        ret

%define GATE_LOW ((OFFSET16(success) & 0xffff) | (CODE_HIGH << 16))
        align 8, db 0
subjects:
        dd 0x0000ffff, 0x00cf0000                       ; 0 reserved
        dd (TSS16_AT << 16) | 0x2b, 0                   ; 1 16-bit TSS
        dd (GDT_RAM << 16) | 0x17, 0                    ; 2 LDT
        dd (TSS16_AT << 16) | 0x2b, 0                   ; 3
        dd GATE_LOW, 0                                  ; 4 16-bit call gate
        dd OTHER_TSS << 16, 0                           ; 5 task gate
        dd GATE_LOW, 0
        dd GATE_LOW, 0
        dd 0x0000ffff, 0x00cf0000                       ; 8 reserved
        dd (OTHER_TSS_AT << 16) | 0x67, 0               ; 9 32-bit TSS
        dd 0x0000ffff, 0x00cf0000                       ; a reserved
        dd (OTHER_TSS_AT << 16) | 0x67, 0
        dd GATE_LOW, 0                                  ; c 32-bit call gate
        dd 0x0000ffff, 0x00cf0000                       ; d reserved
        dd GATE_LOW, 0
        dd GATE_LOW, 0
%rep 4
        dd 0x0000ffff, 0x00cf0000                       ; data
%endrep
%rep 4
        dd 0x00000fff, 0x00400000                       ; expand-down data, valid above 0xfff
%endrep
%rep 8
        dd 0x0000ffff, 0x00cf0000                       ; code
%endrep

operation_loop:
        mov dword [LEVEL], 0
.level:
        mov dword [TYPE], 0
.type:
        mov ebx, [OPERATION]
        mov esi, [ADDRESS(names) + ebx * 4]
.name:
        lodsb
        test al, al
        jz .named
        out DEBUG_PORT, al
        jmp .name
.named:
        PRINT " CPL "
        PRINT_HEX [LEVEL]
        PRINT " type "
        PRINT_HEX [TYPE]
        PRINT ":"
        mov dword [WORD_BEFORE], 0
        mov dword [VARIANT], 0                          ; RPL, DPL << 2, not P << 4
.variant:
        call prepare
        mov eax, [VARIANT]
        mov ebx, eax
        and ebx, 3
        add ebx, SUBJECT
        mov [SELECTOR], ebx
        mov ebx, eax
        shr ebx, 2
        and ebx, 3
        shl ebx, 5
        or ebx, [TYPE]
        test al, 16
        jnz .absent
        or bl, 0x80
.absent:
        mov [RIGHTS], ebx
        call make_subject
        mov eax, [VARIANT]
        and eax, 3
        mov eax, [ADDRESS(data_of_level) + eax * 4]
        mov [FRAME_SS], eax
        mov dword [POINTER], ADDRESS(success)
        mov eax, [SELECTOR]
        mov [POINTER + 4], eax
        mov ebx, [OPERATION]
        mov eax, [ADDRESS(setups) + ebx * 4]
        test eax, eax
        jz .go
        call eax
.go:
        mov dword [NEXT], .after
        mov ebx, [OPERATION]
        mov esi, [ADDRESS(operations) + ebx * 4]
        mov ax, DATA_3
        mov ds, ax
        mov es, ax
        mov eax, [LEVEL]
        mov edx, 0xdead
        test eax, eax
        jz .inner
        push dword [ADDRESS(data_of_level) + eax * 4]
        push dword USER_TOP
        push dword 2
        mov ebx, [ADDRESS(data_of_level) + eax * 4]
        sub ebx, 8
        push ebx
        push esi
        mov eax, [SELECTOR]
        iret
.inner:
        mov eax, [SELECTOR]
        jmp esi
.after:
        call report_32
        inc dword [VARIANT]
        cmp dword [VARIANT], 32
        jb .variant
        NEWLINE
        inc dword [TYPE]
        cmp dword [TYPE], 32
        jb .type
        mov ebx, [LEVEL]
        mov ebx, [ADDRESS(level_after) + ebx * 4]
        mov [LEVEL], ebx
        test ebx, ebx
        jnz .level
        inc dword [OPERATION]
        cmp dword [OPERATION], OPERATIONS
        jb operation_loop
        STATUS "complete"
level_after:
        dd 1, 3, 0, 0

; The gate in GATE, or in the IDT, that leads to SUBJECT.
%macro LEAD 2                                           ; address, access byte
        mov eax, ADDRESS(success)
        mov [%1], ax
        mov ebx, [SELECTOR]
        mov [%1 + 2], bx
        mov [%1 + 4], eax
        mov word [%1 + 4], %2 << 8
%endmacro
through_call_gate:
        LEAD GDT_RAM + GATE, 0xec
        mov dword [POINTER + 4], GATE | 3
        ret
through_task_gate:
        LEAD GDT_RAM + GATE, 0xe5
        mov dword [POINTER + 4], GATE | 3
        ret
gate_in_idt:
        mov eax, [GDT_RAM + SUBJECT]
        mov [IDT_RAM + 0x41 * 8], eax
        mov eax, [GDT_RAM + SUBJECT + 4]
        mov [IDT_RAM + 0x41 * 8 + 4], eax
        ret
through_interrupt_gate:
        LEAD IDT_RAM + 0x41 * 8, 0xee
        ret
through_task_gate_in_idt:
        LEAD IDT_RAM + 0x41 * 8, 0xe5
        ret
; A hardware exception (#BR through vector 5) ignores the gate's DPL and sets EXT.
exception_gate:
        mov eax, [GDT_RAM + SUBJECT]
        mov [IDT_RAM + 5 * 8], eax
        mov eax, [GDT_RAM + SUBJECT + 4]
        mov [IDT_RAM + 5 * 8 + 4], eax
        mov dword [0x900], 1
        mov dword [0x904], 2
        ret

do_mov_ds:
        mov ds, ax
        int 0x40
do_mov_ss:
        mov ss, ax
        int 0x40
do_pop_fs:
        push eax
        pop fs
        int 0x40
do_lss:
        mov edx, esp
        mov [0x900], edx
        mov [0x904], ax
        mov edx, 0xdead
        lss esp, [0x900]
        int 0x40
do_lar:
        lar edx, ax
        int 0x40
do_lsl:
        lsl edx, ax
        int 0x40
do_verr:
        verr ax
        int 0x40
do_verw:
        verw ax
        int 0x40
do_lldt:
        lldt ax
        int 0x40
do_ltr:
        ltr ax
        int 0x40
do_jump:
        jmp far [POINTER]
do_call:
        call far [POINTER]
do_retf:
        push dword [FRAME_SS]
        push dword USER_TOP
        push eax
        push dword ADDRESS(success)
        retf
do_iret:
        push dword [FRAME_SS]
        push dword USER_TOP
        push dword 2
        push eax
        push dword ADDRESS(success)
        iret
do_int:
        int 0x41
do_bound:
        xor eax, eax
        bound eax, [0x900]

        OPERATION_TABLE \
            "mov ds", do_mov_ds, 0, \
            "mov ss", do_mov_ss, 0, \
            "pop fs", do_pop_fs, 0, \
            "lss", do_lss, 0, \
            "lar", do_lar, 0, \
            "lsl", do_lsl, 0, \
            "verr", do_verr, 0, \
            "verw", do_verw, 0, \
            "lldt", do_lldt, 0, \
            "ltr", do_ltr, 0, \
            "far jump", do_jump, 0, \
            "far call", do_call, 0, \
            "retf", do_retf, 0, \
            "iret", do_iret, 0, \
            "jump through call gate", do_jump, ADDRESS(through_call_gate), \
            "call through call gate", do_call, ADDRESS(through_call_gate), \
            "jump through task gate", do_jump, ADDRESS(through_task_gate), \
            "gate for int", do_int, ADDRESS(gate_in_idt), \
            "int through interrupt gate", do_int, ADDRESS(through_interrupt_gate), \
            "int through task gate", do_int, ADDRESS(through_task_gate_in_idt), \
            "gate for an exception", do_bound, ADDRESS(exception_gate)

        END_OF_IMAGE
