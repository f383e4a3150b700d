; Reboots through system control port A (0x92): fast reset is bit 0, beside the A20 gate in bit 1.
%define PROBE "reset-port92"
%include "rom.mac"

bits 16
main:
        mov dword [MARKER_AT], MARKER
        in al, 0x92
        movzx eax, al
        PRINT "port 0x92 reads "
        PRINT_HEX eax
        NEWLINE
        and al, 0xfe                                    ; the pulse comes with the rise of bit 0
        out 0x92, al
        or al, 1
        movzx eax, al
        PRINT "writing "
        PRINT_HEX eax
        PRINT " to port 0x92", 10
reset:
        out 0x92, al
        mov ecx, 100000
.alive:
        dec ecx
        jnz .alive
        PRINT "still running", 10
        STATUS "still-running"

END_OF_IMAGE
