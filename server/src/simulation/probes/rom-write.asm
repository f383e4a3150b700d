; Writes one double word to the boot ROM below 4 GiB, as firmware does that looks for flash chips, or a stray push does.
%define PROBE "rom-write"
%macro PARAMETERS 0
param_address:  dd 0xfffffffc                           ; where to write; the last double word below 4 GiB
%endmacro
%include "rom.mac"

VALUE equ 0x5aa5c33c

bits 16
main:
        ENTER_PROTECTED_32
        mov ebx, [ADDRESS(param_address)]
        PRINT "reading "
        PRINT_HEX ebx
        PRINT ": "
        mov esi, [ebx]
        PRINT_HEX esi
        NEWLINE
        PRINT "writing there", 10
write:
        mov dword [ebx], VALUE
        mov edi, [ebx]
        PRINT "now it reads "
        PRINT_HEX edi
        NEWLINE
        cmp edi, esi
        je .kept
        STATUS "changed"
.kept:
        STATUS "ignored"

END_OF_IMAGE
