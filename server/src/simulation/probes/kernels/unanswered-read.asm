; Reads physical addresses at which no device is, after text on the serial port and after a write to the next address: what comes
; back is the VMM's choice. Entered by Linux' 64-bit boot protocol or by PVH.

%define ELF_BITS 64
%define PVH_ENTRY main32
%define MEMORY_SIZE 0x1000

%include "elf.mac"
%include "entry32.mac"

ADDRESS equ 0xf9000000                                  ; below the IOAPIC, and no PCI configuration window of the VMMs here
WRITTEN equ 0x12345678

        ENTRY32
main32:
        mov esp, KERNEL_BASE + MEMORY_SIZE
        mov eax, cr0                                    ; a VMM that starts kernels with paging on has mapped less than 4 GiB
        and eax, 0x7fffffff
        mov cr0, eax
        mov esi, text_probe
        call put_text
        mov eax, [ADDRESS]
        mov [first], eax
        mov dword [ADDRESS + 0x1000], WRITTEN
        mov eax, [ADDRESS]
        mov [second], eax
        mov esi, text_first
        call put_text
        mov eax, [first]
        call put_hex
        mov esi, text_second
        call put_text
        mov eax, [second]
        call put_hex
        call put_line
        mov eax, [first]
        mov esi, status_leftover
        cmp eax, [second]
        jne finish
        mov esi, status_zero
        test eax, eax
        jz finish
        mov esi, status_ones
        cmp eax, 0xffffffff
        je finish
        mov esi, status_other
finish:
        call put_text
        cli
        hlt
        jmp finish

%include "serial32.mac"
%include "hex32.mac"

text_probe:      db "probe unanswered-read", 10, 0
text_first:      db "read ", 0
text_second:     db ", behind a write of 0x12345678 to another address ", 0
status_zero:
        db "status zero", 10, 0
status_ones:
        db "status all-ones", 10, 0
status_other:
        db "status other", 10, 0
status_leftover:
        db "status leftover", 10, 0
        align 4, db 0
first:           dd 0
second:          dd 0

END_OF_KERNEL
