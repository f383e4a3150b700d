; Product table of long mode: operations on selectors × descriptor types × P × DPL × RPL, from 64-bit and compatibility
; code, in four forms of each descriptor: for segments L and D, for system descriptors their upper half.
%define PROBE "descriptors-long"
%define IMAGE_SIZE 0x8000
%define DEBUG_PORT 0xe9
%define EXIT_PORT 0xf4
%define WITH_LONG_MODE
%include "rom.mac"
%include "identity.mac"
%include "product.mac"
        WORD_ROUTINES 64

FORM equ 0x830
FRAME equ USER_TOP - 0x100                              ; what RETF and IRET pop

bits 16
main:
        ENTER_PROTECTED_32
        call build_identity_tables
        or dword [PML4], 4
        or dword [POINTERS], 4
        or dword [DIRECTORIES], 4
        mov esi, ADDRESS(product_gdt)
        mov edi, GDT_RAM
        mov ecx, PRODUCT_GDT_SIZE
        rep movsb
        mov edi, IDT_RAM
        mov eax, ADDRESS(stub_0)
        mov ecx, 0x41
.gate:
        mov [edi], ax
        mov word [edi + 2], CODE64
        mov [edi + 4], eax
        mov word [edi + 4], 0x8e01                      ; the IST: even where SS or RSP are odd
        mov dword [edi + 8], 0
        mov dword [edi + 12], 0
        cmp ecx, 1
        jne .kernel
        mov word [edi + 4], 0xee01                      ; the last one, 0x40
.kernel:
        add edi, 16
        add eax, 16
        loop .gate
        lgdt [ADDRESS(product_gdtr)]
        mov eax, PML4
        call activate_long_mode
        jmp CODE64:.long
bits 64
.long:
        lidt [abs ADDRESS(product_idtr_64)]
        mov esp, STACK_TOP
        mov dword [abs OPERATION], 0
        jmp operation_loop

        align 16, db 0x90
%assign v 0
%rep 0x41
stub_%[v]:
%if v >= 32 || (ERROR_CODES >> v) & 1 = 0
        push qword 0
%endif
        push qword v
        jmp near taken
        align 16, db 0x90
%assign v v + 1
%endrep

taken:
        pop rcx
        mov [abs VECTOR], ecx
        pop rcx
        mov [abs ERROR], ecx
        mov ecx, [rsp + 16]                             ; RFLAGS in the frame
        shr ecx, 6
        and ecx, 1
        mov [abs ZERO], ecx
        mov [abs RESULT], edx
        mov ax, DATA32
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov esp, STACK_TOP
        push qword 2
        popfq
        push qword [abs NEXT]
        ret

success:
        int 0x40                                        ; the same bytes in every mode

prepare:
        mov edi, MAIN_TSS_AT
        xor eax, eax
        mov ecx, 0x200 / 4
        rep stosd
        mov dword [abs MAIN_TSS_AT + 4], RING0_TOP
        mov dword [abs MAIN_TSS_AT + 0xc], 0x5000
        mov dword [abs MAIN_TSS_AT + 0x14], 0x5200
        mov dword [abs MAIN_TSS_AT + 0x24], 0x4800
        mov word [abs MAIN_TSS_AT + 0x66], 0x68
        mov dword [abs OTHER_TSS_AT + 4], RING0_TOP
        mov dword [abs OTHER_TSS_AT + 0x24], 0x4800
        mov word [abs OTHER_TSS_AT + 0x66], 0x68
        mov byte [abs GDT_RAM + MAIN_TSS + 5], 0x89
        mov byte [abs GDT_RAM + OTHER_TSS + 5], 0x89
        xor eax, eax
        lldt ax
        mov ax, MAIN_TSS
        ltr ax
        ret

make_subject:
        mov edi, GDT_RAM + SUBJECT
        mov eax, [abs TYPE]
        mov rbx, [ADDRESS(subjects) + rax * 8]
        mov [rdi], rbx
        mov ecx, [abs FORM]
        test al, 16
        jz .system
        mov ecx, [ADDRESS(sizes) + rcx * 4]
        or [rdi + 4], ecx
        mov qword [rdi + 8], 0
        jmp .rights
.system:
        mov rcx, [ADDRESS(uppers) + rcx * 8]
        mov [rdi + 8], rcx
.rights:
        mov al, [abs RIGHTS]
        mov [rdi + 5], al
        ret
        align 8, db 0
sizes:
        dd 0x00400000, 0x00200000, 0x00600000, 0        ; D, L, both, none
uppers:
        dq 0, 0x8000, 0x0000010000000000, 0x0000200000000000 ; nothing; not canonical; a type; what is no type
subjects:
        dd 0x0000ffff, 0x00cf0000
        dd (OTHER_TSS_AT << 16) | 0x67, 0
        dd (GDT_RAM << 16) | 0x17, 0                    ; 2 LDT
        dd (OTHER_TSS_AT << 16) | 0x67, 0
        dd (CODE64 << 16) | (success - image_start + IMAGE_START - 0xf0000), 0x000f0000
        dd OTHER_TSS << 16, 0
        dd (CODE64 << 16) | (success - image_start + IMAGE_START - 0xf0000), 0x000f0000
        dd (CODE64 << 16) | (success - image_start + IMAGE_START - 0xf0000), 0x000f0000
        dd 0x0000ffff, 0x00cf0000
        dd (OTHER_TSS_AT << 16) | 0x67, 0               ; 9 64-bit TSS
        dd 0x0000ffff, 0x00cf0000
        dd (OTHER_TSS_AT << 16) | 0x67, 0
        dd (CODE64 << 16) | (success - image_start + IMAGE_START - 0xf0000), 0x000f0000
        dd 0x0000ffff, 0x00cf0000
        dd (CODE64 << 16) | (success - image_start + IMAGE_START - 0xf0000), 0x000f0000
        dd (CODE64 << 16) | (success - image_start + IMAGE_START - 0xf0000), 0x000f0000
%rep 4
        dd 0x0000ffff, 0x008f0000
%endrep
%rep 4
        dd 0x00000fff, 0x00000000
%endrep
%rep 8
        dd 0x0000ffff, 0x008f0000
%endrep

operation_loop:
        mov dword [abs LEVEL], 0
.level:
        mov dword [abs TYPE], 0
.type:
        mov dword [abs FORM], 0
.form:
        mov ebx, [abs OPERATION]
        mov esi, [ADDRESS(names) + rbx * 4]
.name:
        lodsb
        test al, al
        jz .named
        out DEBUG_PORT, al
        jmp .name
.named:
        mov ebx, [abs LEVEL]
        lea esi, [ADDRESS(level_names) + rbx * 8]
.level_name:
        lodsb
        test al, al
        jz .level_named
        out DEBUG_PORT, al
        jmp .level_name
.level_named:
        PRINT " type "
        mov eax, [abs TYPE]
        PRINT_HEX rax
        PRINT " form "
        mov eax, [abs FORM]
        PRINT_HEX rax
        PRINT ":"
        mov dword [abs WORD_BEFORE], 0
        mov dword [abs VARIANT], 0
.variant:
        call prepare
        mov eax, [abs VARIANT]
        mov ebx, eax
        and ebx, 3
        mov ecx, [ADDRESS(data_of_level) + rbx * 4]
        mov [abs FRAME_SS], ecx
        add ebx, SUBJECT
        mov [abs SELECTOR], ebx
        mov ebx, eax
        shr ebx, 2
        and ebx, 3
        shl ebx, 5
        or ebx, [abs TYPE]
        test al, 16
        jnz .absent
        or bl, 0x80
.absent:
        mov [abs RIGHTS], ebx
        call make_subject
        mov dword [abs POINTER], ADDRESS(success)
        mov eax, [abs SELECTOR]
        mov [abs POINTER + 4], eax
        mov ebx, [abs OPERATION]
        mov eax, [ADDRESS(setups) + rbx * 4]
        test eax, eax
        jz .go
        call rax
.go:
        mov qword [abs NEXT], .after
        mov ebx, [abs OPERATION]
        mov esi, [ADDRESS(operations) + rbx * 4]
        mov ax, DATA_3
        mov ds, ax
        mov es, ax
        mov ebx, [abs LEVEL]
        push qword [ADDRESS(entry_ss) + rbx * 8]
        push qword FRAME
        push qword 2
        push qword [ADDRESS(entry_cs) + rbx * 8]
        push rsi
        mov eax, [abs SELECTOR]
        mov edx, 0xdead
        mov esi, 0x900
        mov edi, POINTER
        iretq
.after:
        call report_64
        inc dword [abs VARIANT]
        cmp dword [abs VARIANT], 32
        jb .variant
        NEWLINE
        inc dword [abs FORM]
        cmp dword [abs FORM], 4
        jb .form
        inc dword [abs TYPE]
        cmp dword [abs TYPE], 32
        jb .type
        inc dword [abs LEVEL]
        cmp dword [abs LEVEL], 5
        jb .level
        inc dword [abs OPERATION]
        cmp dword [abs OPERATION], OPERATIONS
        jb operation_loop
        STATUS "complete"

        align 8, db 0
level_names:
        db " 64/0", 0, 0, 0, " 64/1", 0, 0, 0, " 64/3", 0, 0, 0, " 32/0", 0, 0, 0, " 32/3", 0, 0, 0
entry_cs:
        dq CODE64, CODE64_1, CODE64_3, CODE32, CODE_3
entry_ss:
        dq DATA32, DATA_1, DATA_3, DATA32, DATA_3

%macro LEAD 2                                           ; address, access byte
        mov eax, ADDRESS(success)
        mov [abs %1], ax
        mov ebx, [abs SELECTOR]
        mov [abs %1 + 2], bx
        mov [abs %1 + 4], eax
        mov word [abs %1 + 4], %2 << 8
        mov qword [abs %1 + 8], 0
%endmacro
%macro COPY_SUBJECT 1
        mov rax, [abs GDT_RAM + SUBJECT]
        mov [abs %1], rax
        mov rax, [abs GDT_RAM + SUBJECT + 8]
        mov [abs %1 + 8], rax
%endmacro
through_call_gate:
        LEAD GDT_RAM + GATE, 0xec
        mov dword [abs POINTER + 4], GATE | 3
        ret
gate_in_idt:
        COPY_SUBJECT IDT_RAM + 0x41 * 16
        ret
through_interrupt_gate:
        LEAD IDT_RAM + 0x41 * 16, 0xee
        ret
; #UD ignores the gate's DPL and sets EXT.
exception_gate:
        COPY_SUBJECT IDT_RAM + 6 * 16
        ret
memory_pointer:
        mov dword [abs 0x900], FRAME
        mov eax, [abs SELECTOR]
        mov [abs 0x904], eax
        ret
%macro FRAME_OF 2                                       ; size, whether flags lie between
        mov ebx, FRAME
        mov rax, ADDRESS(success)
        mov [rbx], rax
        mov eax, [abs SELECTOR]
        mov [rbx + %1], rax
%if %2
        mov qword [rbx + 2 * %1], 2
%endif
        mov qword [rbx + (2 + %2) * %1], FRAME
        mov eax, [abs FRAME_SS]
        mov [rbx + (3 + %2) * %1], rax
        ret
%endmacro
frame_retf: FRAME_OF 4, 0
frame_retfq: FRAME_OF 8, 0
frame_iret: FRAME_OF 4, 1
frame_iretq: FRAME_OF 8, 1
null_frame_iretq:
        mov eax, [abs SELECTOR]
        and eax, 3
        mov [abs FRAME_SS], eax
        jmp frame_iretq

; Bytes that mean the same in 64-bit and 32-bit code.
do_mov_ds:
        mov ds, ax
        int 0x40
do_mov_ss:
        mov ss, ax
        int 0x40
do_pop_fs:
        push rax
        pop fs
        int 0x40
do_lss:
        lss esp, [rsi]
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
        jmp far dword [rdi]
do_call:
        call far dword [rdi]
do_retf:
        retf
do_retfq:
        o64 retf
do_iret:
        iretd
do_iretq:
        iretq
do_int:
        int 0x41
do_ud:
        ud2

        OPERATION_TABLE \
            "mov ds", do_mov_ds, 0, \
            "mov ss", do_mov_ss, 0, \
            "pop fs", do_pop_fs, 0, \
            "lss", do_lss, ADDRESS(memory_pointer), \
            "lar", do_lar, 0, \
            "lsl", do_lsl, 0, \
            "verr", do_verr, 0, \
            "verw", do_verw, 0, \
            "lldt", do_lldt, 0, \
            "ltr", do_ltr, 0, \
            "far jump", do_jump, 0, \
            "far call", do_call, 0, \
            "retf", do_retf, ADDRESS(frame_retf), \
            "retfq", do_retfq, ADDRESS(frame_retfq), \
            "iret", do_iret, ADDRESS(frame_iret), \
            "iretq", do_iretq, ADDRESS(frame_iretq), \
            "iretq, null SS", do_iretq, ADDRESS(null_frame_iretq), \
            "jump through call gate", do_jump, ADDRESS(through_call_gate), \
            "call through call gate", do_call, ADDRESS(through_call_gate), \
            "gate for int", do_int, ADDRESS(gate_in_idt), \
            "int through interrupt gate", do_int, ADDRESS(through_interrupt_gate), \
            "gate for an exception", do_ud, ADDRESS(exception_gate)

        END_OF_IMAGE
