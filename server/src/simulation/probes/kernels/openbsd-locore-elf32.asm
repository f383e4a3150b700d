; The mode path of OpenBSD/amd64 as a kernel of 32 bits: the same code in an ELF32 file, which vmd takes for an i386 kernel: what would become of an amd64 kernel in that state.

%define ELF_BITS 32

%include "openbsd-locore.mac"

text_probe:     db "probe openbsd-locore-elf32", 10, 0
text_long_mode:
        db "status long-mode", 10, 0
text_no_long_mode:
        db "status no-long-mode", 10, 0
text_entered_64:
        db "status entered-in-64-bit-mode", 10, 0

END_OF_KERNEL
