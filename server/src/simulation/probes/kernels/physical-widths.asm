; What CPUID says of physical addresses: leaf 0x80000008 EAX 7:0, PhysAddrSize, and 23:16, GuestPhysAddrSize, which guests take for
; the end of the addresses that they may give to devices (AMD APM vol. 3, E.4.7; 0 there: the same as PhysAddrSize).

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
        mov eax, 0x80000000
        cpuid
        cmp eax, 0x80000008
        jb not_told
        mov eax, 0x80000008
        cpuid
        mov [widths], eax
        mov esi, text_physical
        call put_text
        movzx eax, byte [widths]
        call put_number
        mov esi, text_guest
        call put_text
        movzx eax, byte [widths + 2]
        call put_number
        mov esi, text_end
        call put_text
        mov esi, status_equal
        mov al, [widths + 2]
        test al, al
        jz done
        cmp al, [widths]
        jbe done
        mov esi, status_wider
done:
        call put_text
        cli
        hlt
not_told:
        mov esi, status_not_told
        jmp done

%include "serial32.mac"

text_probe:      db "probe physical-widths", 10, 0
text_physical:   db "PhysAddrSize ", 0
text_guest:      db ", GuestPhysAddrSize ", 0
text_end:        db 10, 0
status_equal:
        db "status equal", 10, 0
status_wider:
        db "status guest-wider", 10, 0
status_not_told:
        db "status not-told", 10, 0
        align 4, db 0
widths:
        dd 0

END_OF_KERNEL
