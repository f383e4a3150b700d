; Faults during the delivery of exceptions, all pairs; I/O breakpoints; call gates with parameters; ways out of virtual-8086
; mode; 16-bit gates; the I/O permission bitmap.
%define PROBE "events"
%define IMAGE_SIZE 0x8000
%define DEBUG_PORT 0xe9
%define EXIT_PORT 0xf4
%define WITH_LONG_MODE
%include "rom.mac"
%include "system.mac"

DIRECTORY equ 0x10000
ABSENT equ 0x800000
CODE_1 equ 0xb0 | 1
DATA_1 equ 0xb8 | 1
ABSENT_1 equ 0xc0 | 1                                   ; stack of level 1, not present
CODE_0_HIGH equ 0xc8                                    ; base 0xf0000: 16-bit gates reach the image
GATE16 equ 0xe0
GATE32 equ 0xe8
EXTENDED_SIZE equ 0xf0
SECOND equ 0x790
GATE_KEPT equ 0x798

bits 16
main:
        ENTER_PROTECTED_32
        call system_tables_32
        mov esi, ADDRESS(more_descriptors)
        mov edi, GDT_RAM + SYSTEM_GDT_SIZE
        mov ecx, EXTENDED_SIZE - SYSTEM_GDT_SIZE
        rep movsb
        lgdt [ADDRESS(extended_gdtr)]
        mov edi, DIRECTORY
        mov eax, 0x87
        mov ecx, 1024
.page:
        stosd
        add eax, 0x400000
        loop .page
        mov dword [DIRECTORY + 8], 0                    ; ABSENT
        mov eax, DIRECTORY
        mov cr3, eax
        mov eax, cr4
        or eax, 0x10
        mov cr4, eax
        mov eax, cr0
        or eax, 0x80000000
        mov cr0, eax
        mov word [TSS32_AT + 0x66], 0x68
        jmp pairs

more_descriptors:
        dq 0x00cfbb000000ffff                           ; b0 CODE_1
        dq 0x00cfb3000000ffff                           ; b8 DATA_1
        dq 0x00cf33000000ffff                           ; c0 ABSENT_1
        dq 0x00409b0f0000ffff                           ; c8 CODE_0_HIGH
        dq 0, 0
        dw OFFSET16(gate_target), CODE_0_HIGH, 0xe403, 0 ; e0 16-bit call gate, 3 words
        dw OFFSET16(gate_target), CODE_0_HIGH, 0xec03, 0 ; e8 32-bit call gate, 3 doublewords
extended_gdtr:
        dw EXTENDED_SIZE - 1
        dd GDT_RAM

; ---- pairs: the gate of the first exception is made to fail in each way ----
; FIRST "name", vector, code…: in ring 3 with ESI = ABSENT.
%macro FIRST 2
%push first
%define %$vector %2
        mov dword [SECOND], 0
%$next:
        PRINT %1, ", then "
        mov ebx, IDT_RAM + %2 * 8
        call spoil_gate
        mov dword [RESUME], %$end
        ENTER_USER_32
        mov esi, ABSENT
%endmacro
%macro END_FIRST 0
        PRINT "no exception", 10
%$end:
        mov ebx, IDT_RAM + %$vector * 8
        call mend_gate
        inc dword [SECOND]
        cmp dword [SECOND], 6
        jb %$next
%pop
%endmacro

spoil_gate:
        mov eax, [ebx + 4]
        mov [GATE_KEPT], eax
        mov dword [TSS32_AT + 12], 0x5400
        mov dword [TSS32_AT + 16], DATA_1
        cmp dword [SECOND], 1
        je .absent
        cmp dword [SECOND], 2
        je .type
        cmp dword [SECOND], 3
        je .null_stack
        cmp dword [SECOND], 4
        je .absent_stack
        cmp dword [SECOND], 5
        je .page
        PRINT "nothing: "
        ret
.absent:
        and byte [ebx + 5], 0x7f
        PRINT "#NP: "
        ret
.type:
        and byte [ebx + 5], 0xe0
        PRINT "#GP: "
        ret
.null_stack:
        mov word [ebx + 2], CODE_1
        mov dword [TSS32_AT + 16], 0
        PRINT "#TS: "
        ret
.absent_stack:
        mov word [ebx + 2], CODE_1
        mov dword [TSS32_AT + 16], ABSENT_1
        PRINT "#SS: "
        ret
.page:
        mov word [ebx + 2], CODE_1
        mov dword [TSS32_AT + 12], ABSENT + 0x1000
        PRINT "#PF: "
        ret
mend_gate:
        mov eax, [GATE_KEPT]
        mov [ebx + 4], eax
        mov word [ebx + 2], CODE32
        mov eax, cr0
        and al, ~8                                      ; TS
        mov cr0, eax
        ret

pairs:
        or byte [IDT_RAM + 3 * 8 + 5], 0x60             ; INT3, INTO: DPL 3
        or byte [IDT_RAM + 4 * 8 + 5], 0x60
        FIRST "#DE", 0
        xor ecx, ecx
        div ecx
        END_FIRST
        FIRST "int3", 3
        int3
        END_FIRST
        FIRST "into", 4
        mov al, 0x7f
        inc al
        into
        END_FIRST
        FIRST "#BR", 5
        mov dword [0x900], 1
        mov dword [0x904], 5
        mov eax, 6
        bound eax, [0x900]
        END_FIRST
        FIRST "#UD", 6
        ud2
        END_FIRST
        FIRST "int 0x41", 0x41
        int 0x41
        END_FIRST
        FIRST "#NP", 11
        mov eax, ABSENT_DATA | 3
        mov ds, ax
        END_FIRST
        FIRST "#GP", 13
        hlt
        END_FIRST
        FIRST "#PF", 14
        mov eax, [esi]
        END_FIRST
        FIRST "#DB", 1
        push dword 0x102
        popfd
        nop
        nop
        END_FIRST
        FIRST "icebp", 1
        db 0xf1
        END_FIRST
        mov eax, cr0
        or eax, 0x40000                                 ; AM
        mov cr0, eax
        FIRST "#AC", 17
        push dword 0x40002
        popfd
        mov eax, [0x901]
        END_FIRST
        mov eax, cr0
        and eax, ~0x40000
        mov cr0, eax
        mov byte [GDT_RAM + 0x38 + 6], 0x40             ; USER_DATA of 64 KiB, so that SS has a limit
        FIRST "#SS", 12
        mov eax, [ss:esi]
        END_FIRST
        mov byte [GDT_RAM + 0x38 + 6], 0xcf

        ; ---- I/O breakpoints ----
%macro IO_CASE 3+                                       ; "name", DR7, code
        xor eax, eax
        mov dr6, eax
        mov eax, 0xe0
        mov dr0, eax
        mov eax, %2
        mov dr7, eax
        CLEAN
        BEGIN_CASE %1
        %3
        nop
        END_CASE
        xor eax, eax
        mov dr7, eax
        mov eax, dr6
        and eax, 0xe00f
        PRINT "dr6 "
        PRINT_HEX eax
        NEWLINE
%endmacro
        IO_CASE "I/O breakpoint without DE", 0x20401, out 0xe0, al
        mov eax, cr4
        or eax, 8
        mov cr4, eax
        IO_CASE "I/O breakpoint, OUT", 0x20401, out 0xe0, al
        IO_CASE "I/O breakpoint, another port", 0x20401, out 0xe1, al
        IO_CASE "I/O breakpoint, IN", 0x20401, in al, 0xe0
        IO_CASE "I/O breakpoint, a word that starts before", 0x20401, in ax, 0xdf
        IO_CASE "I/O breakpoint of four bytes, its last", 0xe0401, in al, 0xe3
        IO_CASE "I/O breakpoint of four bytes, behind it", 0xe0401, in al, 0xe4
        mov edx, 0xe0
        IO_CASE "I/O breakpoint, data at the same address", 0x20401, mov al, [0xe0]
        mov eax, 0xe0
        mov dr0, eax
        mov eax, 0x20401
        mov dr7, eax
        BEGIN_CASE "I/O breakpoint, REP OUTSB"
        mov edx, 0xe0
        mov ecx, 3
        mov esi, 0x900
        mov edi, 0
        xor eax, eax
        rep outsb
        END_CASE
        xor eax, eax
        mov dr7, eax
        BEGIN_CASE "DR4 under DE"
        CLEAN
        mov eax, dr4
        END_CASE
        mov eax, cr4
        and eax, ~8
        mov cr4, eax

        ; ---- call gates with parameters ----
        BEGIN_CASE "call through a 32-bit gate with three parameters"
        mov dword [TSS32_AT + 4], RING0_TOP
        ENTER_USER_32
        CLEAN
        push dword 0x11111111
        push dword 0x22222222
        push dword 0x33333333
        call GATE32 | 3:0
        END_CASE
        call show_ring0_stack
        BEGIN_CASE "call through a 16-bit gate with three parameters"
        ENTER_USER_32
        CLEAN
        push dword 0x11112222
        push dword 0x33334444
        call GATE16 | 3:0
        END_CASE
        call show_ring0_stack
        BEGIN_CASE "call through a 16-bit gate in ring 0"
        CLEAN
        call GATE16:0
        END_CASE

        ; ---- out of virtual-8086 mode ----
%macro FROM_V86 3                                       ; "name", doubleword 1 of the gate of vector 0x41, its access byte
        BEGIN_CASE %1
        mov dword [IDT_RAM + 0x41 * 8], %2
        mov dword [IDT_RAM + 0x41 * 8 + 4], %3
        call ring3_v86
        END_CASE
        call show_ring0_stack
%endmacro
%define TAKEN (ADDRESS(taken_32_0) + 0x41 * 16)
        FROM_V86 "V86: 32-bit interrupt gate", (TAKEN & 0xffff) | (CODE32 << 16), 0xee00 | (TAKEN & 0xffff0000)
        FROM_V86 "V86: 32-bit trap gate", (TAKEN & 0xffff) | (CODE32 << 16), 0xef00 | (TAKEN & 0xffff0000)
        FROM_V86 "V86: 16-bit interrupt gate", OFFSET16(taken_small) | (CODE_0_HIGH << 16), 0xe600
        FROM_V86 "V86: 16-bit trap gate", OFFSET16(taken_small) | (CODE_0_HIGH << 16), 0xe700
        FROM_V86 "V86: gate to conforming code", (TAKEN & 0xffff) | (CONFORMING << 16), 0xee00 | (TAKEN & 0xffff0000)
        FROM_V86 "V86: gate to level 1", (TAKEN & 0xffff) | (CODE_1 << 16), 0xee00 | (TAKEN & 0xffff0000)
        FROM_V86 "V86: gate of DPL 0", (TAKEN & 0xffff) | (CODE32 << 16), 0x8e00 | (TAKEN & 0xffff0000)
        FROM_V86 "V86: absent gate", (TAKEN & 0xffff) | (CODE32 << 16), 0x6e00 | (TAKEN & 0xffff0000)
        mov dword [IDT_RAM + 0x41 * 8], (TAKEN & 0xffff) | (CODE32 << 16)
        mov dword [IDT_RAM + 0x41 * 8 + 4], 0xee00 | (TAKEN & 0xffff0000)

        ; ---- 16-bit gates in protected mode ----
        mov dword [IDT_RAM + 0x42 * 8], OFFSET16(taken_small) | (CODE_0_HIGH << 16)
        mov dword [IDT_RAM + 0x42 * 8 + 4], 0xe600
        BEGIN_CASE "16-bit interrupt gate from ring 3"
        ENTER_USER_32
        CLEAN
        int 0x42
        END_CASE
        call show_ring0_stack

        ; ---- permission bitmap ----
        mov byte [GDT_RAM + TSS32], 0x6a                ; limit: two bytes of bitmap and the byte of ones
        mov byte [GDT_RAM + TSS32 + 5], 0x89
        mov word [TSS32_AT + 0x68], 0x7f00              ; ports 8 to 14 refused
        mov byte [TSS32_AT + 0x6a], 0xff
        mov ax, TSS32
        ltr ax
%macro PORT_CASE 2+
        BEGIN_CASE %1
        ENTER_USER_32
        CLEAN
        %2
        int 0x41
        END_CASE
%endmacro
        PORT_CASE "bitmap: port 7, a byte", out 7, al
        PORT_CASE "bitmap: port 7, a word across", out 7, ax
        PORT_CASE "bitmap: port 8", out 8, al
        PORT_CASE "bitmap: port 15", out 15, al
        PORT_CASE "bitmap: port 15, a word across the end", out 15, ax
        PORT_CASE "bitmap: port 16, in the byte of ones", out 16, al
        PORT_CASE "bitmap: port 24, beyond the limit", out 24, al
        STATUS "complete"

gate_target:
        int 0x41

show_ring0_stack:
        PRINT "stack"
        mov edi, 9
        mov esi, RING0_TOP - 36
.next:
        PRINT " "
        PRINT_HEX [esi]
        add esi, 4
        dec edi
        jnz .next
        NEWLINE
        mov edi, RING0_TOP - 0x80
        mov ecx, 32
        xor eax, eax
        rep stosd
        ret

; A 16-bit frame: what lies in it is shown by show_ring0_stack.
taken_small:
        mov ax, DATA32
        mov ds, ax
        mov es, ax
        PRINT "16-bit handler, sp "
        movzx eax, sp
        PRINT_HEX eax
        PRINT " flags "
        pushfd
        pop eax
        PRINT_HEX eax
        NEWLINE
        mov ax, DATA32
        mov ss, ax
        mov esp, STACK_TOP
        push dword 2
        popfd
        push dword [RESUME]
        jmp dword CODE32:ADDRESS(.low)
.low:
        ret

ring3_v86:
        push dword 0x4444
        push dword 0x3333
        push dword 0x2222
        push dword 0x1111
        push dword 0x600
        push dword 0x700
        push dword 0x23002
        push dword 0xf000
        push dword OFFSET16(in_v86)
        iret
bits 16
in_v86:
        xor eax, eax
        xor ecx, ecx
        xor esi, esi
        xor edi, edi
        int 0x41
        hlt
bits 32
        END_OF_IMAGE
