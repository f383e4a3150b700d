; Exceptions of 64-bit mode: canonical addresses, selectors, privilege, paging with NX, system calls; the whole frame.
%define PROBE "exceptions-long"
%define IMAGE_SIZE 0x8000
%define DEBUG_PORT 0xe9
%define EXIT_PORT 0xf4
%define WITH_LONG_MODE
%include "rom.mac"
%include "identity.mac"
%include "system.mac"

; Under PML4[2]: one directory, one table, a few pages.
AREA_POINTERS equ 0x18000
AREA_DIRECTORY equ 0x19000
AREA_TABLE equ 0x1a000
AREA equ 2 << 39
ABSENT equ AREA
READ_ONLY_PAGE equ AREA + 0x1000
NO_EXECUTE equ AREA + 0x2000
USER_PAGE equ AREA + 0x3000
KERNEL_PAGE equ AREA + 0x4000
USER_READ_ONLY equ AREA + 0x5000
FRAMES equ 0x200000                                     ; physical pages behind them
STAR equ 0xc0000081
LSTAR equ 0xc0000082
CSTAR equ 0xc0000083
SFMASK equ 0xc0000084
FS_BASE equ 0xc0000100
GS_BASE equ 0xc0000101
KERNEL_GS_BASE equ 0xc0000102

bits 16
main:
        ENTER_PROTECTED_32
        call build_identity_tables
        mov edi, AREA_POINTERS
        xor eax, eax
        mov ecx, 0x3000 / 4
        rep stosd
        OPEN_IDENTITY_MAP
        mov dword [PML4 + 16], AREA_POINTERS | 7
        mov dword [AREA_POINTERS], AREA_DIRECTORY | 7
        mov dword [AREA_DIRECTORY], AREA_TABLE | 7
        mov dword [AREA_TABLE + 8], (FRAMES + 0x1000) | 1
        mov dword [AREA_TABLE + 16], (FRAMES + 0x2000) | 3
        mov dword [AREA_TABLE + 20], 0x80000000
        mov dword [AREA_TABLE + 24], (FRAMES + 0x3000) | 7
        mov dword [AREA_TABLE + 32], (FRAMES + 0x4000) | 3
        mov dword [AREA_TABLE + 40], (FRAMES + 0x5000) | 5
        call system_tables_64
        mov ecx, EFER
        rdmsr
        or eax, 1 << 11                                 ; NXE
        wrmsr
        mov eax, PML4
        call activate_long_mode
        jmp CODE64:.long
bits 64
.long:
        lidt [abs ADDRESS(idtr_64)]
        mov ax, TSS64
        ltr ax
        mov esp, STACK_TOP
        mov rax, cr0
        or eax, 0x10000
        mov cr0, rax

        BEGIN_CASE "divide by zero"
        CLEAN
        div rcx
        END_CASE
        BEGIN_CASE "idiv overflow"
        xor ecx, ecx
        dec rcx
        mov rax, 0x8000000000000000
        cqo
        idiv rcx
        END_CASE
        BEGIN_CASE "ud2"
        CLEAN
        ud2
        END_CASE
        BEGIN_CASE "int3, stack not aligned"
        CLEAN
        sub rsp, 3
        int3
        END_CASE
        BEGIN_CASE "int 0x40"
        CLEAN
        stc
        int 0x40
        END_CASE
        BEGIN_CASE "general protection, stack not aligned"
        CLEAN
        sub rsp, 5
        mov ax, 0x1230
        mov ds, ax
        END_CASE
        BEGIN_CASE "interrupt stack table"
        CLEAN
        mov byte [IDT_RAM + 0x41 * 16 + 4], 1
        int 0x41
        END_CASE
        BEGIN_CASE "single step"
        CLEAN
        push qword 0x102
        popfq
        nop
        nop
        END_CASE
        BEGIN_CASE "push es"
        CLEAN
        db 0x06
        END_CASE
        BEGIN_CASE "into"
        CLEAN
        db 0xce
        END_CASE
        BEGIN_CASE "daa"
        CLEAN
        db 0x27
        END_CASE
        BEGIN_CASE "pusha"
        CLEAN
        db 0x60
        END_CASE
        BEGIN_CASE "salc"
        CLEAN
        db 0xd6
        END_CASE
        BEGIN_CASE "group 1 of 0x82"
        CLEAN
        db 0x82, 0xc0, 1
        END_CASE
        BEGIN_CASE "far jump, direct"
        CLEAN
        db 0xea, 0, 0, 0, 0, 8, 0
        END_CASE
        BEGIN_CASE "far call, direct"
        CLEAN
        db 0x9a, 0, 0, 0, 0, 8, 0
        END_CASE
        BEGIN_CASE "lock on mov"
        CLEAN
        db 0xf0
        mov [rsi + 0x900], eax
        END_CASE
        BEGIN_CASE "instruction of 16 bytes"
        CLEAN
        times 15 db 0x2e
        nop
        END_CASE

        BEGIN_CASE "read of a non-canonical address"
        CLEAN
        mov rsi, 0x0000800000000000
        mov rax, [rsi]
        END_CASE
        BEGIN_CASE "write to a non-canonical address"
        CLEAN
        mov rsi, 0xffff7fffffffffff
        mov [rsi], al
        END_CASE
        BEGIN_CASE "non-canonical through RBP"
        CLEAN
        mov rbp, 0x1234567800000000
        mov rax, [rbp]
        END_CASE
        mov byte [abs IDT_RAM + 12 * 16 + 4], 1
        mov byte [abs IDT_RAM + 13 * 16 + 4], 1
        BEGIN_CASE "non-canonical through RSP"
        CLEAN
        mov rsi, 0x1234567800000000
        xchg rsp, rsi
        mov rax, [rsp]
        END_CASE
        mov byte [abs IDT_RAM + 12 * 16 + 4], 0
        mov byte [abs IDT_RAM + 13 * 16 + 4], 0
        BEGIN_CASE "DS override, base RBP"
        CLEAN
        mov rbp, 0x1234567800000000
        mov rax, [ds:rbp]
        END_CASE
        BEGIN_CASE "FS base and displacement"
        mov ecx, FS_BASE
        mov eax, 0x7ffffff0
        mov edx, 0x7fff
        wrmsr
        CLEAN
        mov rsi, 0x80000010
        mov rax, [fs:rsi]
        END_CASE
        BEGIN_CASE "rep movsb from a non-canonical address"
        CLEAN
        mov rsi, 0x00007ffffffffffe
        mov edi, 0x9000
        mov ecx, 5
        rep movsb
        END_CASE

        BEGIN_CASE "selector beyond the table"
        CLEAN
        mov ax, 0x1234
        mov es, ax
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
        BEGIN_CASE "null into SS in ring 0"
        CLEAN
        mov ss, ax
        mov eax, ss
        int 0x40
        END_CASE
        BEGIN_CASE "null into DS and a read"
        CLEAN
        mov ds, ax
        mov eax, [abs 0x4ff0]
        int 0x40
        END_CASE
        BEGIN_CASE "far jump through memory to absent code"
        CLEAN
        mov dword [abs 0x900], 0
        mov word [abs 0x904], ABSENT_CODE
        jmp far dword [abs 0x900]
        END_CASE
        BEGIN_CASE "far jump through memory to data"
        CLEAN
        mov word [abs 0x904], DATA32
        jmp far dword [abs 0x900]
        END_CASE
        BEGIN_CASE "retf to null"
        CLEAN
        push qword 0
        push qword 0
        o64 retf
        END_CASE
        BEGIN_CASE "iretq to absent code"
        CLEAN
        mov rdi, rsp
        push qword DATA32
        push rdi
        push qword 2
        push qword ABSENT_CODE
        push qword 0
        iretq
        END_CASE
        BEGIN_CASE "iretq with NT"
        CLEAN
        push qword 0x4002
        popfq
        iretq
        END_CASE
        BEGIN_CASE "ltr of data"
        CLEAN
        mov ax, DATA32
        ltr ax
        END_CASE
        BEGIN_CASE "sysret without SCE"
        CLEAN
        o64 sysret
        END_CASE
        BEGIN_CASE "syscall without SCE"
        CLEAN
        syscall
        END_CASE

        BEGIN_CASE "read of an absent page"
        CLEAN
        mov rsi, ABSENT
        mov rax, [rsi + 8]
        END_CASE
        BEGIN_CASE "absent at the highest level"
        CLEAN
        mov rsi, 0xffff900000001230
        mov rax, [rsi]
        END_CASE
        BEGIN_CASE "write across two pages, the second read-only"
        CLEAN
        mov rsi, KERNEL_PAGE + 0x1000 - 4
        mov [rsi], rax
        END_CASE
        BEGIN_CASE "write to a read-only page"
        CLEAN
        mov rsi, READ_ONLY_PAGE
        mov [rsi + 16], rax
        END_CASE
        BEGIN_CASE "execution of a no-execute page"
        CLEAN
        mov rsi, NO_EXECUTE
        jmp rsi
        END_CASE
        BEGIN_CASE "execution of an absent page"
        CLEAN
        mov rsi, ABSENT + 0x20
        call rsi
        END_CASE
        BEGIN_CASE "rep stosq into a read-only page"
        CLEAN
        mov rdi, KERNEL_PAGE + 0x1000 - 24
        mov ecx, 10
        dec rax
        rep stosq
        END_CASE
        BEGIN_CASE "rep stosb into a read-only page, backward"
        CLEAN
        mov rdi, READ_ONLY_PAGE + 0x1000 + 3
        mov ecx, 10
        std
        rep stosb
        END_CASE
        BEGIN_CASE "ring 3: read of a kernel page"
        CLEAN
        mov rsi, KERNEL_PAGE
        ENTER_USER_64
        mov rax, [rsi]
        END_CASE
        BEGIN_CASE "ring 3: write to a read-only page"
        CLEAN
        mov rsi, USER_READ_ONLY
        ENTER_USER_64
        mov [rsi], rax
        END_CASE
        BEGIN_CASE "ring 3: execution of a kernel page"
        CLEAN
        mov rsi, KERNEL_PAGE
        ENTER_USER_64
        jmp rsi
        END_CASE
        BEGIN_CASE "ring 3: int 0x40"
        CLEAN
        ENTER_USER_64
        int 0x40
        END_CASE
        BEGIN_CASE "ring 3: hlt"
        CLEAN
        ENTER_USER_64
        hlt
        END_CASE
        BEGIN_CASE "ring 3: swapgs"
        CLEAN
        ENTER_USER_64
        swapgs
        END_CASE
        BEGIN_CASE "ring 3: wrmsr"
        CLEAN
        ENTER_USER_64
        wrmsr
        END_CASE
        BEGIN_CASE "ring 3: mov cr3"
        CLEAN
        ENTER_USER_64
        mov rax, cr3
        END_CASE
        BEGIN_CASE "ring 3: lldt"
        CLEAN
        ENTER_USER_64
        lldt ax
        END_CASE
        BEGIN_CASE "ring 3: compatibility mode"
        CLEAN
        push qword USER_DATA
        push qword USER_TOP
        push qword 2
        push qword USER_CODE32
        push qword .compatible
        iretq
bits 32
.compatible:
        mov eax, 0x12345678
        dec eax                                         ; 0x48, a prefix in 64-bit mode
        int 0x40
bits 64
        END_CASE

        ; System calls.
        mov ecx, EFER
        rdmsr
        or eax, 1
        wrmsr
        mov ecx, STAR
        xor eax, eax
        mov edx, CODE64 | ((USER_CODE32 & ~3) << 16)
        wrmsr
        mov ecx, SFMASK
        mov eax, 0x45
        xor edx, edx
        wrmsr
        BEGIN_CASE "syscall from ring 0"
        mov ecx, LSTAR
        mov eax, .called
        xor edx, edx
        wrmsr
        CLEAN
        stc
        syscall
.back:
        nop
.called:
        mov rdi, r11
        mov rsi, rcx
        pushfq
        pop rax
        int 0x40
        END_CASE
        BEGIN_CASE "sysret to 64-bit code"
        CLEAN
        mov ecx, .user
        mov r11d, 0x3247
        o64 sysret
.user:
        pushfq
        pop rax
        mov ecx, cs
        mov esi, ss
        int 0x40
        END_CASE
        BEGIN_CASE "sysret to 32-bit code"
        CLEAN
        mov ecx, .user32
        mov r11d, 0x202
        mov esp, USER_TOP
        o32 sysret
bits 32
.user32:
        mov ecx, cs
        mov esi, ss
        int 0x40
bits 64
        END_CASE
        BEGIN_CASE "sysret in ring 3"
        CLEAN
        ENTER_USER_64
        o64 sysret
        END_CASE
        BEGIN_CASE "syscall from ring 3"
        mov ecx, LSTAR
        mov eax, .kernel
        xor edx, edx
        wrmsr
        CLEAN
        ENTER_USER_64
        std
        syscall
.kernel:
        mov rdi, rsp
        mov esi, cs
        mov eax, ss
        int 0x40
        END_CASE
        BEGIN_CASE "swapgs"
        mov ecx, GS_BASE
        mov eax, 0x11111111
        mov edx, 0x1111
        wrmsr
        mov ecx, KERNEL_GS_BASE
        mov eax, 0x22222222
        mov edx, 0x2222
        wrmsr
        swapgs
        mov ecx, GS_BASE
        rdmsr
        mov edi, eax
        mov esi, edx
        mov ecx, KERNEL_GS_BASE
        rdmsr
        mov ecx, edx
        int 0x40
        END_CASE
        BEGIN_CASE "GS selector loads a 32-bit base"
        mov ax, DATA32
        mov gs, ax
        mov ecx, GS_BASE
        rdmsr
        mov esi, edx
        int 0x40
        END_CASE
        BEGIN_CASE "call gate from ring 3"
        mov dword [GDT_RAM + CALL_GATE], (ADDRESS(.gate) & 0xffff) | (CODE64 << 16)
        mov dword [GDT_RAM + CALL_GATE + 4], (ADDRESS(.gate) & 0xffff0000) | 0xec00
        mov qword [abs GDT_RAM + CALL_GATE + 8], 0
        mov word [abs 0x904], CALL_GATE | 3
        CLEAN
        ENTER_USER_64
        call far dword [abs 0x900]
.gate:
        mov rdi, rsp
        mov rsi, [rsp + 16]
        mov rax, [rsp + 8]
        mov ecx, ss
        int 0x40
        END_CASE
        BEGIN_CASE "call gate to 32-bit code"
        mov word [abs GDT_RAM + CALL_GATE + 2], CODE32
        CLEAN
        call far dword [abs 0x900]
        END_CASE
        BEGIN_CASE "double fault: #GP, its gate to absent code"
        mov word [abs IDT_RAM + 13 * 16 + 2], ABSENT_CODE
        CLEAN
        mov rsi, 0x0000800000000000
        mov rax, [rsi]
        END_CASE
        mov word [abs IDT_RAM + 13 * 16 + 2], CODE64
        BEGIN_CASE "double fault on its own stack: the frame of #GP cannot be pushed"
        mov byte [abs IDT_RAM + 8 * 16 + 4], 1
        CLEAN
        mov rsp, ABSENT + 0x800
        mov rsi, 0x0000800000000000
        mov rax, [rsi]
        END_CASE
        PRINT "accessed and dirty: "
        mov rsi, USER_PAGE
        PRINT_HEX [AREA_TABLE + 24]
        mov rax, [rsi]
        PRINT " read "
        PRINT_HEX [AREA_TABLE + 24]
        mov [rsi], rax
        PRINT " written "
        PRINT_HEX [AREA_TABLE + 24]
        PRINT " above "
        PRINT_HEX [AREA_DIRECTORY]
        NEWLINE
        STATUS "complete"

END_OF_IMAGE
