; Virtual interrupts: what touches IF in virtual-8086 mode, and CLI and STI at CPL 3, for each of VME or PVI, IOPL, VIF,
; VIP and the bit of the redirection bitmap. Each trial ends in INT3, which is not redirected.
%define PROBE "virtual-interrupts"
%define IMAGE_SIZE 0x8000
%define DEBUG_PORT 0xe9
%define EXIT_PORT 0xf4
%define WITH_LONG_MODE
%include "rom.mac"
%include "product.mac"

FLAGS_GIVEN equ 0x838
EXTENSION equ 0x840                                     ; value of CR4: 0, VME or PVI
STACK_SEGMENT equ 0x600
STACK_OFFSET equ 0x700

bits 16
main:
        ENTER_PROTECTED_32
        mov esi, ADDRESS(product_gdt)
        mov edi, GDT_RAM
        mov ecx, PRODUCT_GDT_SIZE
        rep movsb
        mov byte [GDT_RAM + MAIN_TSS], 0x8a             ; the limit: two bytes of I/O bitmap
        mov edi, MAIN_TSS_AT
        xor eax, eax
        mov ecx, 0x100 / 4
        rep stosd
        mov dword [MAIN_TSS_AT + 4], RING0_TOP
        mov dword [MAIN_TSS_AT + 8], DATA32
        mov word [MAIN_TSS_AT + 0x66], 0x88
        mov edi, IDT_RAM
        mov eax, ADDRESS(stub_0)
        mov ecx, 0x60
.gate:
        mov [edi], ax
        mov word [edi + 2], CODE32
        mov [edi + 4], eax
        mov word [edi + 4], 0xee00
        add edi, 8
        add eax, 16
        loop .gate
        mov word [0x50 * 4], OFFSET16(own_handler)
        mov word [0x50 * 4 + 2], 0xf000
        lgdt [ADDRESS(product_gdtr)]
        lidt [ADDRESS(product_idtr_32)]
        mov ax, MAIN_TSS
        ltr ax
        jmp trials

        align 16, db 0x90
%assign v 0
%rep 0x60
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
        cld
        mov ebp, esp
        mov ax, DATA32
        mov ds, ax
        mov es, ax
        mov fs, ax
        mov gs, ax
        PRINT " "
        PRINT_HEX [ebp]
        PRINT "/"
        PRINT_HEX [ebp + 4]
        PRINT "/"
        mov eax, [ebp + 16]
        and eax, ~0x10000                               ; RF is another test's matter
        PRINT_HEX eax
        PRINT "/"
        PRINT_HEX [ebp + 20]                            ; SP, and the two words there
        mov ebx, [ebp + 20]
        and ebx, 0xffff
        PRINT "/"
        PRINT_HEX [ebx + STACK_SEGMENT * 16]
        PRINT "/"
        PRINT_HEX [ebx + STACK_SEGMENT * 16 + 4]
        mov esp, STACK_TOP
        push dword [NEXT]
        ret

trials:
        mov dword [OPERATION], 0
.operation:
        mov dword [EXTENSION], 0
.extension:
        mov ebx, [OPERATION]
        mov esi, [ADDRESS(names) + ebx * 4]
.name:
        lodsb
        test al, al
        jz .named
        out DEBUG_PORT, al
        jmp .name
.named:
        PRINT " cr4 "
        PRINT_HEX [EXTENSION]
        PRINT ":"
        mov dword [VARIANT], 0                          ; IOPL 3, VIF, VIP, bit of the bitmap
.variant:
        mov eax, [EXTENSION]
        mov cr4, eax
        mov eax, [VARIANT]
        mov ebx, 2
        test al, 1
        jz .iopl
        or ebx, 0x3000
.iopl:
        test al, 2
        jz .vif
        or ebx, 0x80000
.vif:
        test al, 4
        jz .vip
        or ebx, 0x100000
.vip:
        mov byte [MAIN_TSS_AT + 0x68 + 10], 0
        test al, 8
        jz .bit
        mov byte [MAIN_TSS_AT + 0x68 + 10], 1           ; vector 0x50
.bit:
        mov dword [NEXT], .after
        mov dword [STACK_SEGMENT * 16 + STACK_OFFSET - 4], 0
        mov dword [STACK_SEGMENT * 16 + STACK_OFFSET - 8], 0
        mov ecx, [OPERATION]
        mov esi, [ADDRESS(operations) + ecx * 4]
        mov edi, [ADDRESS(setups) + ecx * 4]            ; the words on its stack
        mov [STACK_SEGMENT * 16 + STACK_OFFSET], edi
        mov edi, [ADDRESS(setups_high) + ecx * 4]
        mov [STACK_SEGMENT * 16 + STACK_OFFSET + 4], edi
        cmp ecx, FIRST_PROTECTED
        jae .protected
        or ebx, 0x20000
        push dword 0
        push dword 0
        push dword 0
        push dword 0
        push dword STACK_SEGMENT
        push dword STACK_OFFSET
        push ebx
        push dword 0xf000
        movzx esi, si
        push esi
        iret
.protected:
        push dword DATA_3
        push dword STACK_SEGMENT * 16 + STACK_OFFSET
        push ebx
        push dword CODE_3
        push esi
        iret
.after:
        inc dword [VARIANT]
        cmp dword [VARIANT], 16
        jb .variant
        NEWLINE
        inc dword [EXTENSION]
        cmp dword [EXTENSION], 4
        jb .extension
        inc dword [OPERATION]
        cmp dword [OPERATION], OPERATIONS
        jb .operation
        STATUS "complete"

bits 16
own_handler:
        nop
        int3
v_cli:
        cli
        int3
v_sti:
        sti
        int3
v_pushf:
        pushf
        int3
v_pushfd:
        o32 pushf
        int3
v_popf:
        popf
        int3
v_popfd:
        o32 popf
        int3
v_iret:
        iret
v_iretd:
        o32 iret
v_int:
        int 0x50
        nop
        int3
bits 32
p_pushf:
        pushfd
        int3
p_popf:
        popfd
        int3
p_int:
        int 0x50
        int3

%define RETURN_TO (OFFSET16(own_handler) | 0xf0000000)
        OPERATION_TABLE \
            "cli", v_cli, 0, \
            "sti", v_sti, 0, \
            "pushf", v_pushf, 0, \
            "pushfd", v_pushfd, 0, \
            "popf 0", v_popf, 0x0002, \
            "popf IF", v_popf, 0x0202, \
            "popf TF", v_popf, 0x0102, \
            "popf all", v_popf, 0x7ed7, \
            "popfd IF", v_popfd, 0x3c3202, \
            "iret 0", v_iret, RETURN_TO, \
            "iret IF", v_iret, RETURN_TO, \
            "iret TF", v_iret, RETURN_TO, \
            "iretd IF", v_iretd, OFFSET16(own_handler), \
            "int", v_int, 0, \
            "protected cli", v_cli, 0, \
            "protected sti", v_sti, 0, \
            "protected pushfd", p_pushf, 0, \
            "protected popfd", p_popf, 0x3c7ed7, \
            "protected int", p_int, 0
FIRST_PROTECTED equ 14
setups_high:
        dd 0, 0, 0, 0, 0, 0, 0, 0, 0
        dd 0x7002, 0x7202, 0x0102, 0xf000, 0
        dd 0, 0, 0, 0, 0
        END_OF_IMAGE
