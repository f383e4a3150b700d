; Reads the sizes of memory that CMOS tells, as firmware does that has no memory map: QEMU's indexes, which OVMF reads.
%define PROBE "cmos-memory"
%include "rom.mac"

; CMOS_WORD index: two bytes into EAX.
%macro CMOS_WORD 1
        mov al, %1 + 1
        call cmos_byte
        mov ah, al
        mov al, %1
        call cmos_byte
        movzx eax, ax
%endmacro

bits 16
main:
        PRINT "KiB below 1 MiB (0x15) "
        CMOS_WORD 0x15
        PRINT_HEX eax
        NEWLINE
        PRINT "KiB from 1 MiB (0x30) "
        CMOS_WORD 0x30
        PRINT_HEX eax
        NEWLINE
        PRINT "64 KiB from 16 MiB (0x34) "
        CMOS_WORD 0x34
        PRINT_HEX eax
        mov ebp, eax
        NEWLINE
        PRINT "64 KiB from 4 GiB (0x5b) "
        mov al, 0x5d
        call cmos_byte
        movzx ebx, al
        shl ebx, 16
        CMOS_WORD 0x5b
        or eax, ebx
        PRINT_HEX eax
        NEWLINE
        or ebp, eax
        jz .nothing
        STATUS "complete"
.nothing:
        STATUS "no-memory-size"

; AL: index in, value out. AH is kept.
cmos_byte:
        out 0x70, al
        in al, 0x71
        ret

END_OF_IMAGE
