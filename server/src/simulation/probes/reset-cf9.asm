; Reboots through the reset control register of PC chipsets: port 0xCF9, system reset (bit 1), then reset CPU (bit 2).
%define PROBE "reset-cf9"
%include "rom.mac"

bits 16
main:
        mov dword [MARKER_AT], MARKER
        mov dx, 0xcf9
        in al, dx
        movzx eax, al
        PRINT "port 0xcf9 reads "
        PRINT_HEX eax
        NEWLINE
        PRINT "writing 0x2, then 0x6 to port 0xcf9", 10
        mov al, 2
        out dx, al
        mov al, 6
reset:
        out dx, al
        mov ecx, 100000
.alive:
        dec ecx
        jnz .alive
        PRINT "still running", 10
        STATUS "still-running"

END_OF_IMAGE
