; Writes to chosen pages from 4 GiB on, in long mode, then resets the machine through port 0xCF9 or turns it off. What a VMM
; has mapped for the guest by then, and takes down again, is what the guest has touched.
%define PROBE "reset-high-memory"
%define IMAGE_SIZE 0x2000
%define WITH_LONG_MODE

%macro PARAMETERS 0
param_pages:                                            ; bit n: page n from 4 GiB is written
        dd 3
param_power_off:                                        ; 0: reset; else port of the ACPI PM1a control register
        dd 0
%endmacro

%include "rom.mac"
%include "e820.mac"
%include "identity.mac"

HIGH_DIRECTORY equ 0x18000                              ; entry 0 maps the 2 MiB from 4 GiB
HIGH_MEMORY equ 1 << 32
PAGE_SIZE equ 0x1000
PAGES equ 32
SLP_TYP_5 equ 5 << 10                                   ; S5 on bhyve and Propolis: \_S5 is 5
SLP_EN equ 1 << 13

bits 16
main:
        mov dword [MARKER_AT], MARKER
        call read_memory_map
        ENTER_PROTECTED_32
        call has_long_mode
        jnz .long_mode
        PRINT "CPUID 0x80000001 offers no long mode", 10
        STATUS "no-long-mode"
.long_mode:
        call build_identity_tables
        mov dword [POINTERS + 4 * 8], HIGH_DIRECTORY | 3
        mov dword [HIGH_DIRECTORY], 0x83                ; present, writable, page size
        mov dword [HIGH_DIRECTORY + 4], HIGH_MEMORY >> 32
        mov eax, PML4
        call activate_long_mode
        jmp CODE64:high

bits 64
high:
        mov esp, STACK_TOP
        lidt [abs ADDRESS(idtr64)]
        mov ecx, [MAP]
        mov esi, MAP_ENTRIES
        mov rbx, HIGH_MEMORY
.entry:
        jecxz .none
        mov rax, [rsi]
        cmp rax, rbx
        ja .other
        add rax, [rsi + 8]
        sub rax, rbx
        jb .other                                       ; ends below
        cmp rax, PAGES * PAGE_SIZE
        jb .other
        cmp dword [rsi + 16], 1
        je .found
.other:
        add esi, 20
        dec ecx
        jmp .entry
.none:
        PRINT "no RAM from 4 GiB on", 10
        STATUS "no-high-memory"
.found:
        mov r12d, [abs ADDRESS(param_pages)]
.page:
        test r12d, r12d
        jz .written
        shr r12d, 1
        jnc .next
        mov [rbx], rbx
        PRINT "wrote "
        PRINT_HEX rbx
        NEWLINE
.next:
        add rbx, PAGE_SIZE
        jmp .page
.written:
        mov r12d, [abs ADDRESS(param_power_off)]
        test r12d, r12d
        jz reset_now
        PRINT "writing 0x3400 to port "
        PRINT_HEX r12
        NEWLINE
        mov edx, r12d
        mov eax, SLP_TYP_5 | SLP_EN
power_off:
        out dx, ax
        jmp alive
reset_now:
        PRINT "writing 0x2, then 0x6 to port 0xcf9", 10
        mov dx, 0xcf9
        mov al, 2
        out dx, al
        mov al, 6
reset:
        out dx, al
alive:
        mov ecx, 100000
.again:
        dec ecx
        jnz .again
        PRINT "still running", 10
        STATUS "still-running"

END_OF_IMAGE
