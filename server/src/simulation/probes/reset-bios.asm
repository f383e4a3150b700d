; Reboots as a call into the BIOS: warm boot word 0x1234 at 0x472, then a jump to the BIOS entry point F000:FFF0.
%define PROBE "reset-bios"
%include "rom.mac"

bits 16
main:
        mov dword [MARKER_AT], MARKER
        mov word [0x472], 0x1234
        o32 lgdt [cs:OFFSET16(gdtr)]                    ; tells a jump from a CPU reset, which would clear GDTR
        PRINT "warm boot word 0x1234 at 0x472, jumping to f000:fff0", 10
reset:
        jmp word 0xf000:0xfff0

END_OF_IMAGE
