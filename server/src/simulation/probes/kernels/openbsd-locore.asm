; The mode path of OpenBSD/amd64 as a kernel of 64 bits: the shape of bsd.mp of amd64.

%define ELF_BITS 64

%include "openbsd-locore.mac"

text_probe:     db "probe openbsd-locore", 10, 0
text_long_mode:
        db "status long-mode", 10, 0
text_no_long_mode:
        db "status no-long-mode", 10, 0
text_entered_64:
        db "status entered-in-64-bit-mode", 10, 0

END_OF_KERNEL
