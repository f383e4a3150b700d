; Exceptions of 32-bit protected mode: selectors, gates, privilege, paging, debug; vector, error code, frame and CR2.
%define PROBE "exceptions-protected"
%define IMAGE_SIZE 0x8000
%define DEBUG_PORT 0xe9
%define EXIT_PORT 0xf4
%define WITH_LONG_MODE
%include "rom.mac"
%include "system.mac"

DIRECTORY equ 0x10000
TABLE equ 0x11000                                       ; the first 4 MiB
PAGE equ 0x200000                                       ; pages used below, one fact each
ABSENT equ PAGE
READ_ONLY_PAGE equ PAGE + 0x1000
USER_PAGE equ PAGE + 0x2000
KERNEL_PAGE equ PAGE + 0x3000
USER_READ_ONLY equ PAGE + 0x4000

bits 16
main:
        ENTER_PROTECTED_32
        call system_tables_32

        BEGIN_CASE "divide by zero"
        CLEAN
        div ecx
        END_CASE
        BEGIN_CASE "ud2"
        CLEAN
        ud2
        END_CASE
        BEGIN_CASE "int3"
        CLEAN
        int3
        END_CASE
        BEGIN_CASE "int 0x40"
        CLEAN
        stc
        int 0x40
        END_CASE
        BEGIN_CASE "int 0x20, DPL 0 from ring 0"
        CLEAN
        int 0x20
        END_CASE
        BEGIN_CASE "into"
        mov al, 0x7f
        inc al
        into
        END_CASE
        BEGIN_CASE "bound"
        CLEAN
        mov dword [0x900], 1
        mov dword [0x904], 5
        mov eax, 6
        bound eax, [0x900]
        END_CASE
        BEGIN_CASE "single step"
        CLEAN
        push dword 0x102
        popfd
        nop
        nop
        END_CASE
        BEGIN_CASE "single step after mov ss"
        CLEAN
        mov ax, ss
        push dword 0x102
        popfd
        mov ss, ax
        nop
        nop
        END_CASE
        BEGIN_CASE "hardware breakpoint, execution"
        CLEAN
        mov eax, .break
        mov dr0, eax
        mov eax, 0x401
        mov dr7, eax
        nop
.break:
        nop
        END_CASE
        mov eax, dr6
        and eax, 0xe00f
        PRINT "dr6 "
        PRINT_HEX eax
        NEWLINE
        xor eax, eax
        mov dr6, eax
        BEGIN_CASE "hardware breakpoint, write"
        mov eax, 0x900
        mov dr0, eax
        mov eax, 0x000d0401
        mov dr7, eax
        CLEAN
        mov [0x900], eax
        nop
        END_CASE
        mov eax, dr6
        and eax, 0xe00f
        PRINT "dr6 "
        PRINT_HEX eax
        NEWLINE
        mov eax, 0x400
        mov dr7, eax

        BEGIN_CASE "selector beyond the table"
        CLEAN
        mov ax, 0x1234
        mov ds, ax
        END_CASE
        BEGIN_CASE "selector of an absent LDT"
        CLEAN
        mov ax, 0xc
        mov ds, ax
        END_CASE
        BEGIN_CASE "absent data into DS"
        CLEAN
        mov ax, ABSENT_DATA
        mov ds, ax
        END_CASE
        BEGIN_CASE "absent data into SS"
        CLEAN
        mov ax, ABSENT_DATA
        mov ss, ax
        END_CASE
        BEGIN_CASE "null into SS"
        CLEAN
        mov ss, ax
        END_CASE
        BEGIN_CASE "read-only data into SS"
        CLEAN
        mov ax, READ_ONLY
        mov ss, ax
        END_CASE
        BEGIN_CASE "SS with another RPL"
        CLEAN
        mov ax, DATA32 | 3
        mov ss, ax
        END_CASE
        BEGIN_CASE "execute-only code into DS"
        CLEAN
        mov ax, EXECUTE_ONLY
        mov ds, ax
        END_CASE
        BEGIN_CASE "TSS into DS"
        CLEAN
        mov ax, TSS32
        mov ds, ax
        END_CASE
        BEGIN_CASE "pop of a bad DS leaves ESP"
        CLEAN
        push dword 0x1230
        pop ds
        END_CASE
        BEGIN_CASE "les with a bad selector"
        CLEAN
        mov dword [0x900], 0x11223344
        mov word [0x904], 0x4440
        les esi, [0x900]
        END_CASE
        BEGIN_CASE "far jump to data"
        CLEAN
        jmp DATA32:0
        END_CASE
        BEGIN_CASE "far jump to null"
        CLEAN
        jmp 0:0
        END_CASE
        BEGIN_CASE "far jump to absent code"
        CLEAN
        jmp ABSENT_CODE:0
        END_CASE
        BEGIN_CASE "far jump to ring 3"
        CLEAN
        jmp USER_CODE32:0
        END_CASE
        BEGIN_CASE "far call to absent code"
        CLEAN
        call ABSENT_CODE:0
        END_CASE
        BEGIN_CASE "retf to null"
        CLEAN
        push dword 0
        push dword 0
        retf
        END_CASE
        BEGIN_CASE "iret to absent code"
        CLEAN
        push dword 2
        push dword ABSENT_CODE
        push dword 0
        iret
        END_CASE
        BEGIN_CASE "ltr of a busy TSS"
        CLEAN
        mov ax, TSS32
        ltr ax
        END_CASE
        BEGIN_CASE "ltr of code"
        CLEAN
        mov ax, CODE32
        ltr ax
        END_CASE
        BEGIN_CASE "lldt of data"
        CLEAN
        mov ax, DATA32
        lldt ax
        END_CASE
        BEGIN_CASE "lldt, then a data segment of it"
        CLEAN
        mov ax, LDT_SELECTOR
        lldt ax
        mov ax, 0xc
        mov fs, ax
        END_CASE
        BEGIN_CASE "vector without a gate"
        CLEAN
        int 0x60
        END_CASE
        BEGIN_CASE "vector beyond the table"
        lidt [ADDRESS(.short_idt)]
        CLEAN
        int 0x45
        END_CASE
        lidt [ADDRESS(idtr_32)]
        BEGIN_CASE "absent gate"
        and byte [IDT_RAM + 0x46 * 8 + 5], 0x7f
        CLEAN
        int 0x46
        END_CASE
        BEGIN_CASE "gate to absent code"
        mov word [IDT_RAM + 0x47 * 8 + 2], ABSENT_CODE
        CLEAN
        int 0x47
        END_CASE
        BEGIN_CASE "gate to data"
        mov word [IDT_RAM + 0x48 * 8 + 2], DATA32
        CLEAN
        int 0x48
        END_CASE
        BEGIN_CASE "gate with null code"
        mov word [IDT_RAM + 0x49 * 8 + 2], 0
        CLEAN
        int 0x49
        END_CASE
        BEGIN_CASE "double fault: #UD, its gate to absent code after a bad #NP gate"
        mov word [IDT_RAM + 11 * 8 + 2], DATA32
        mov word [IDT_RAM + 6 * 8 + 2], ABSENT_CODE
        CLEAN
        ud2
        END_CASE
        mov word [IDT_RAM + 11 * 8 + 2], CODE32
        mov word [IDT_RAM + 6 * 8 + 2], CODE32
        BEGIN_CASE "serial: #UD, then #NP for its gate"
        mov word [IDT_RAM + 6 * 8 + 2], ABSENT_CODE
        CLEAN
        ud2
        END_CASE
        mov word [IDT_RAM + 6 * 8 + 2], CODE32
        BEGIN_CASE "double fault: #DE, its gate to absent code"
        mov word [IDT_RAM + 2], ABSENT_CODE
        CLEAN
        div ecx
        END_CASE
        mov word [IDT_RAM + 2], CODE32
        BEGIN_CASE "sysenter without its MSR"
        CLEAN
        sysenter
        END_CASE
        BEGIN_CASE "lock on mov"
        CLEAN
        db 0xf0
        mov [esi + 0x900], eax
        END_CASE
        BEGIN_CASE "lock on a register"
        CLEAN
        db 0xf0
        add eax, ecx
        END_CASE
        BEGIN_CASE "instruction of 16 bytes"
        CLEAN
        times 15 db 0x2e
        nop
        END_CASE
        BEGIN_CASE "mov to cs"
        CLEAN
        db 0x8e, 0xc8
        END_CASE
        BEGIN_CASE "rsm outside SMM"
        CLEAN
        rsm
        END_CASE

        ; Ring 3.
        BEGIN_CASE "ring 3: int 0x40"
        CLEAN
        ENTER_USER_32
        int 0x40
        END_CASE
        BEGIN_CASE "ring 3: int 0x20, DPL 0"
        CLEAN
        ENTER_USER_32
        int 0x20
        END_CASE
        BEGIN_CASE "ring 3: int3, DPL 0"
        CLEAN
        ENTER_USER_32
        int3
        END_CASE
        BEGIN_CASE "ring 3: hlt"
        CLEAN
        ENTER_USER_32
        hlt
        END_CASE
        BEGIN_CASE "ring 3: cli"
        CLEAN
        ENTER_USER_32
        cli
        END_CASE
        BEGIN_CASE "ring 3: in"
        CLEAN
        ENTER_USER_32
        in al, 0x80
        END_CASE
        BEGIN_CASE "ring 3: out, allowed by the I/O map"
        CLEAN
        mov word [TSS32_AT + 0x66], 0x40                ; bits from there: zeros, up to the limit
        ENTER_USER_32
        out 0x80, al
        ud2
        END_CASE
        mov word [TSS32_AT + 0x66], 0x68
        BEGIN_CASE "ring 3: mov cr0"
        CLEAN
        ENTER_USER_32
        mov eax, cr0
        END_CASE
        BEGIN_CASE "ring 3: rdmsr"
        CLEAN
        ENTER_USER_32
        rdmsr
        END_CASE
        BEGIN_CASE "ring 3: lgdt"
        CLEAN
        ENTER_USER_32
        lgdt [0x900]
        END_CASE
        BEGIN_CASE "ring 3: kernel data into DS"
        CLEAN
        ENTER_USER_32
        mov ax, DATA32
        mov ds, ax
        END_CASE
        BEGIN_CASE "ring 3: far jump to the kernel"
        CLEAN
        ENTER_USER_32
        jmp CODE32:0
        END_CASE
        BEGIN_CASE "ring 3: conforming code stays in ring 3"
        CLEAN
        ENTER_USER_32
        jmp CONFORMING:.conforming
.conforming:
        mov ax, cs
        int 0x40
        END_CASE
        BEGIN_CASE "ring 3: popf cannot set IF or IOPL"
        CLEAN
        ENTER_USER_32
        push dword 0x3202
        popfd
        pushfd
        pop eax
        int 0x40
        END_CASE
        BEGIN_CASE "ring 3: call gate with two parameters"
        CLEAN
        mov dword [GDT_RAM + CALL_GATE], (ADDRESS(.gate) & 0xffff) | (CODE32 << 16)
        mov dword [GDT_RAM + CALL_GATE + 4], (ADDRESS(.gate) & 0xffff0000) | 0xec02
        ENTER_USER_32
        push dword 0x1111
        push dword 0x2222
        call (CALL_GATE | 3):0
.gate:
        mov eax, [esp + 8]                              ; parameters were copied over the return address
        mov ecx, [esp + 12]
        mov esi, [esp + 16]                             ; the caller's ESP
        mov edi, esp
        ud2
        END_CASE
        BEGIN_CASE "ring 3: return through the gate releases parameters"
        CLEAN
        mov dword [GDT_RAM + CALL_GATE], (ADDRESS(.gate2) & 0xffff) | (CODE32 << 16)
        mov dword [GDT_RAM + CALL_GATE + 4], (ADDRESS(.gate2) & 0xffff0000) | 0xec02
        ENTER_USER_32
        push dword 0x1111
        push dword 0x2222
        call (CALL_GATE | 3):0
        mov eax, esp
        mov ecx, ds
        int 0x40
.gate2:
        retf 8
        END_CASE
        BEGIN_CASE "ring 3: sysenter and back"
        CLEAN
        mov ecx, 0x174
        mov eax, CODE32
        xor edx, edx
        wrmsr
        inc ecx
        mov eax, RING0_TOP - 16
        wrmsr
        inc ecx
        mov eax, .entered
        wrmsr
        CLEAN
        ENTER_USER_32
        sysenter
.entered:
        mov edi, esp
        mov esi, cs
        mov ax, ss
        ud2
        END_CASE

        ; Paging: 4 KiB pages for the first 4 MiB.
        mov edi, TABLE
        mov eax, 7
        mov ecx, 1024
.map:
        stosd
        add eax, 0x1000
        loop .map
        mov edi, DIRECTORY
        xor eax, eax
        mov ecx, 1024
        rep stosd
        mov dword [DIRECTORY], TABLE | 7
        mov dword [TABLE + (ABSENT >> 12) * 4], 0
        mov dword [TABLE + (READ_ONLY_PAGE >> 12) * 4], READ_ONLY_PAGE | 1
        mov dword [TABLE + (KERNEL_PAGE >> 12) * 4], KERNEL_PAGE | 3
        mov dword [TABLE + (USER_READ_ONLY >> 12) * 4], USER_READ_ONLY | 5
        mov eax, DIRECTORY
        mov cr3, eax
        mov eax, cr0
        or eax, 0x80000000
        mov cr0, eax

        BEGIN_CASE "read of an absent page"
        CLEAN
        mov eax, [ABSENT + 4]
        END_CASE
        BEGIN_CASE "write to an absent page"
        CLEAN
        mov [ABSENT + 4], eax
        END_CASE
        BEGIN_CASE "read across into an absent page"
        CLEAN
        mov eax, [ABSENT - 2]
        END_CASE
        BEGIN_CASE "read-modify-write of an absent page"
        CLEAN
        add [ABSENT + 8], eax
        END_CASE
        BEGIN_CASE "absent directory entry"
        CLEAN
        mov eax, [0x12345678]
        END_CASE
        BEGIN_CASE "write to a read-only page, WP clear"
        CLEAN
        mov [READ_ONLY_PAGE], eax
        END_CASE
        mov eax, cr0
        or eax, 0x10000
        mov cr0, eax
        BEGIN_CASE "write to a read-only page, WP set"
        CLEAN
        mov [READ_ONLY_PAGE], eax
        END_CASE
        BEGIN_CASE "cmpxchg that fails on a read-only page"
        CLEAN
        mov eax, 5
        cmpxchg [READ_ONLY_PAGE], ecx
        END_CASE
        BEGIN_CASE "execution of an absent page"
        CLEAN
        jmp CODE32:ABSENT + 16
        END_CASE
        BEGIN_CASE "rep movsb into an absent page"
        CLEAN
        cld
        mov esi, 0x1000
        mov edi, ABSENT - 5
        mov ecx, 100
        rep movsb
        END_CASE
        BEGIN_CASE "rep movsd backward out of an absent page"
        CLEAN
        std
        mov esi, ABSENT + 0x1000 + 8
        mov edi, 0x9100
        mov ecx, 10
        rep movsd
        END_CASE
        BEGIN_CASE "rep stosd, an element across the edge"
        CLEAN
        mov edi, ABSENT - 10
        mov ecx, 10
        rep stosd
        END_CASE
        BEGIN_CASE "push onto an absent page leaves ESP"
        CLEAN
        push dword USER_DATA                            ; from ring 3, so that the handler has the stack of the TSS
        push dword ABSENT + 0x1000
        push dword 2
        push dword USER_CODE32
        push dword .absent_stack
        iret
.absent_stack:
        push eax
        END_CASE
        BEGIN_CASE "ring 3: read of a kernel page"
        CLEAN
        ENTER_USER_32
        mov eax, [KERNEL_PAGE]
        END_CASE
        BEGIN_CASE "ring 3: write to a read-only page"
        CLEAN
        ENTER_USER_32
        mov [USER_READ_ONLY], eax
        END_CASE
        BEGIN_CASE "ring 3: read of an absent page"
        CLEAN
        ENTER_USER_32
        mov eax, [ABSENT]
        END_CASE
        BEGIN_CASE "ring 3: execution of a kernel page"
        CLEAN
        ENTER_USER_32
        mov eax, KERNEL_PAGE
        jmp eax
        END_CASE
        BEGIN_CASE "double fault: #PF whose handler's gate lies in an absent page"
        CLEAN
        mov dword [IDT_RAM + 14 * 8], 0
        mov dword [IDT_RAM + 14 * 8 + 4], 0
        mov eax, [ABSENT]
        END_CASE
        PRINT "accessed and dirty: "
        PRINT_HEX [TABLE + (USER_PAGE >> 12) * 4]
        mov eax, [USER_PAGE]
        PRINT " read "
        PRINT_HEX [TABLE + (USER_PAGE >> 12) * 4]
        mov [USER_PAGE], eax
        PRINT " written "
        PRINT_HEX [TABLE + (USER_PAGE >> 12) * 4]
        PRINT " directory "
        PRINT_HEX [DIRECTORY]
        NEWLINE
        STATUS "complete"

        align 4, db 0
.short_idt:
        dw 0x45 * 8 + 6
        dd IDT_RAM

END_OF_IMAGE
