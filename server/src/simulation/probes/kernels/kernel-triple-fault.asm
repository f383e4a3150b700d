; A kernel that meets an exception before it has an interrupt table of its own: UD2 with the table that the VMM left, which has
; no gate for it. The CPU then finds no gate for #GP and none for #DF.

%define ELF_BITS 64
%define PVH_ENTRY main32
%define MEMORY_SIZE 0x1000

%include "elf.mac"
%include "entry32.mac"

        ENTRY32
main32:
        mov esp, KERNEL_BASE + MEMORY_SIZE
        mov esi, text_probe
        call put_text
        sidt [table]
        mov esi, text_limit
        call put_text
        movzx eax, word [table]
        call put_number
        mov esi, text_raise
        call put_text
        ud2
        mov esi, text_still
        call put_text
        cli
        hlt

%include "serial32.mac"

text_probe:     db "probe kernel-triple-fault", 10, 0
text_limit:     db "the limit of the interrupt table is ", 0
text_raise:     db 10, "raising #UD", 10, 0
text_still:
        db "status still-running", 10, 0
        align 4, db 0
table:
        dw 0
        dd 0

END_OF_KERNEL
