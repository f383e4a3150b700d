; Reboots as most PC kernels try first: the pulse-reset command to the keyboard controller (0xFE to port 0x64).
%define PROBE "reset-i8042"
%include "rom.mac"

bits 16
main:
        mov dword [MARKER_AT], MARKER
        in al, 0x64
        movzx eax, al
        PRINT "port 0x64 reads "
        PRINT_HEX eax
        cmp al, 0xff
        jne .present
        PRINT ", nothing answers"
.present:
        NEWLINE
        mov cx, 1000                                    ; wait for an empty input buffer, but not for ever
.busy:
        in al, 0x64
        test al, 2
        jz .free
        loop .busy
.free:
        PRINT "writing 0xfe to port 0x64", 10
        mov al, 0xfe
reset:
        out 0x64, al
        mov ecx, 100000
.alive:
        dec ecx
        jnz .alive
        PRINT "still running", 10
        STATUS "still-running"

END_OF_IMAGE
