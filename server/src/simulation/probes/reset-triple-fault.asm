; Reboots by a triple fault, the last resort of most kernels: no interrupt table, then a breakpoint.
%define PROBE "reset-triple-fault"
%include "rom.mac"

bits 16
main:
        mov dword [MARKER_AT], MARKER
        ENTER_PROTECTED_32
        PRINT "mode protected-32, IDTR limit 0, int3", 10
        lidt [ADDRESS(no_idt)]
reset:
        int3                                            ; #GP, then #DF, then shutdown: no entry lies within the limit
        mov ecx, 100000
.alive:
        dec ecx
        jnz .alive
        PRINT "still running", 10
        STATUS "still-running"

        align 4, db 0
no_idt:
        dw 0
        dd 0

END_OF_IMAGE
