; What QEMU's interpreter does not check, or answers wrongly (it has no segment limits, drops some illegal control
; register writes silently, and reports other error codes): run on our core only, judged by the manuals.
%define PROBE "beyond-qemu"
%define IMAGE_SIZE 0x8000
%define DEBUG_PORT 0xe9
%define EXIT_PORT 0xf4
%define WITH_LONG_MODE
%include "rom.mac"
%include "identity.mac"
%include "system.mac"

SMALL equ 0x60                                          ; replaces descriptors of system.mac, see below
EXPAND_DOWN equ 0x68
WRITE_PROTECTED equ 0x78
BOTH_SIZES equ 0x80                                     ; code with L and D set
AREA_TABLE equ 0x1a000
LONG_DIRECTORY equ 0x19000

bits 16
main:
        ENTER_PROTECTED_32
        call system_tables_32
        mov dword [GDT_RAM + SMALL], 0x50000000 + 0x0fff            ; base 0x5000, limit 0xfff
        mov dword [GDT_RAM + SMALL + 4], 0x00409300
        mov dword [GDT_RAM + EXPAND_DOWN], 0x50000000 + 0x0fff      ; valid above 0xfff, up to 4 GiB
        mov dword [GDT_RAM + EXPAND_DOWN + 4], 0x00409700
        mov dword [GDT_RAM + BOTH_SIZES], 0x0000ffff
        mov dword [GDT_RAM + BOTH_SIZES + 4], 0x00ef9b00

        BEGIN_CASE "limit: last byte"
        CLEAN
        mov ax, SMALL
        mov es, ax
        mov al, [es:0xfff]
        END_CASE
        BEGIN_CASE "limit: one beyond"
        CLEAN
        mov ax, SMALL
        mov es, ax
        mov al, [es:0x1000]
        END_CASE
        BEGIN_CASE "limit: a word across it"
        CLEAN
        mov ax, SMALL
        mov es, ax
        mov ax, [es:0xfff]
        END_CASE
        BEGIN_CASE "limit: through SS"
        mov ax, SMALL
        mov esi, 0x1000
        mov ss, ax
        mov esp, 0x800                                  ; the handler's frame has to fit
        mov al, [ss:esi]
        END_CASE
        BEGIN_CASE "expand down: below the limit"
        CLEAN
        mov ax, EXPAND_DOWN
        mov es, ax
        mov al, [es:0xfff]
        END_CASE
        BEGIN_CASE "expand down: above the limit"
        CLEAN
        mov ax, EXPAND_DOWN
        mov es, ax
        mov al, [es:0x1000]
        END_CASE
        BEGIN_CASE "null DS"
        CLEAN
        mov es, ax
        mov al, [es:esi]
        END_CASE
        BEGIN_CASE "write to read-only data"
        CLEAN
        mov ax, WRITE_PROTECTED
        mov es, ax
        mov [es:0x900], al
        END_CASE
        BEGIN_CASE "write through CS"
        CLEAN
        mov [cs:0x900], al
        END_CASE
        BEGIN_CASE "rep stosb across the limit"
        CLEAN
        mov ax, SMALL
        mov es, ax
        mov edi, 0xffd
        mov ecx, 9
        rep stosb
        END_CASE
        BEGIN_CASE "lock on mov"
        CLEAN
        db 0xf0
        mov [esi + 0x900], eax
        END_CASE
        BEGIN_CASE "icebp"
        CLEAN
        db 0xf1
        END_CASE
        BEGIN_CASE "unknown MSR, read"
        CLEAN
        mov ecx, 0x12345
        rdmsr
        END_CASE
        BEGIN_CASE "unknown MSR, write"
        CLEAN
        mov ecx, 0x12345
        wrmsr
        END_CASE
        BEGIN_CASE "cr0: PG without PE"
        mov eax, cr0
        and al, 0xfe
        or eax, CR0_PG
        mov cr0, eax
        END_CASE
        BEGIN_CASE "cr0: NW without CD"
        mov eax, cr0
        and eax, ~(1 << 30)
        or eax, 1 << 29
        mov cr0, eax
        END_CASE
        BEGIN_CASE "cr4: reserved bit"
        mov eax, cr4
        or eax, 1 << 30
        mov cr4, eax
        END_CASE
        BEGIN_CASE "cr4: PCIDE outside long mode"
        mov eax, cr4
        or eax, 1 << 17
        mov cr4, eax
        END_CASE
        BEGIN_CASE "efer: reserved bit"
        mov ecx, EFER
        xor edx, edx
        mov eax, 1 << 20
        wrmsr
        END_CASE
        BEGIN_CASE "pae: a PDPTE with reserved bits"
        mov eax, 0x18000
        mov dword [0x18000], 0x12000 | 7
        mov dword [0x18004], 0
        mov cr3, eax
        mov eax, cr4
        or eax, CR4_PAE
        mov cr4, eax
        mov eax, cr0
        or eax, CR0_PG
        mov cr0, eax
        END_CASE
        mov eax, cr4
        and eax, ~CR4_PAE
        mov cr4, eax
        BEGIN_CASE "long mode without PAE"
        mov ecx, EFER
        rdmsr
        or eax, EFER_LME
        wrmsr
        mov eax, cr0
        or eax, CR0_PG
        mov cr0, eax
        END_CASE
        BEGIN_CASE "IDT target beyond the limit of its segment"
        mov ecx, EFER
        rdmsr
        and eax, ~EFER_LME
        wrmsr
        mov dword [GDT_RAM + EXECUTE_ONLY], 0x0000ffff              ; code up to 0xffff
        mov dword [GDT_RAM + EXECUTE_ONLY + 4], 0x00409b00
        mov word [IDT_RAM + 0x41 * 8 + 2], EXECUTE_ONLY
        CLEAN
        int 0x41
        END_CASE
        BEGIN_CASE "RF in the image of a fault"
        CLEAN
        mov dword [IDT_RAM + 6 * 8], (ADDRESS(.image) & 0xffff) | (CODE32 << 16)
        mov dword [IDT_RAM + 6 * 8 + 4], (ADDRESS(.image) & 0xffff0000) | 0x8e00
        ud2
.image:
        mov eax, [esp + 8]
        int 0x40
        END_CASE
        mov dword [IDT_RAM + 6 * 8], (ADDRESS(taken_32_6) & 0xffff) | (CODE32 << 16)

        call build_identity_tables
        OPEN_IDENTITY_MAP
        mov edi, LONG_DIRECTORY
        xor eax, eax
        mov ecx, 0x2000 / 4
        rep stosd
        mov dword [POINTERS + 4 * 8], LONG_DIRECTORY | 7            ; 4 GiB on
        mov dword [LONG_DIRECTORY], AREA_TABLE | 7
        mov dword [AREA_TABLE], 0x200000 | 3
        mov dword [AREA_TABLE + 4], 0x00800000                      ; bit 55: ignored
        mov dword [AREA_TABLE + 8], 0x201000 | 3
        mov dword [AREA_TABLE + 12], 0x00040000                     ; bit 50: reserved
        mov dword [AREA_TABLE + 16], 0x202000 | 3
        mov dword [AREA_TABLE + 20], 0x80000000                     ; XD with NXE clear: reserved
        call system_tables_64
        mov dword [GDT_RAM + BOTH_SIZES], 0x0000ffff
        mov dword [GDT_RAM + BOTH_SIZES + 4], 0x00ef9b00
        mov eax, PML4
        call activate_long_mode
        jmp CODE64:.long
bits 64
.long:
        lidt [abs ADDRESS(idtr_64)]
        mov ax, TSS64
        ltr ax
        mov esp, STACK_TOP

        BEGIN_CASE "non-canonical through RBP"
        CLEAN
        mov rbp, 0x1234567800000000
        mov rax, [rbp]
        END_CASE
        BEGIN_CASE "push to a non-canonical stack"
        mov byte [abs IDT_RAM + 12 * 16 + 4], 1
        CLEAN
        mov rsp, 0x1234567800000000
        push rax
        END_CASE
        BEGIN_CASE "near jump to a non-canonical address"
        CLEAN
        mov rsi, 0x0000900000000000
        jmp rsi
        END_CASE
        BEGIN_CASE "ret to a non-canonical address"
        CLEAN
        mov rsi, 0x0000900000000000
        push rsi
        ret
        END_CASE
        BEGIN_CASE "iretq to a non-canonical address"
        CLEAN
        mov rdi, rsp
        push qword DATA32
        push rdi
        push qword 2
        push qword CODE64
        mov rsi, 0x0000900000000000
        push rsi
        iretq
        END_CASE
        BEGIN_CASE "vector without a gate"
        CLEAN
        int 0x60
        END_CASE
        BEGIN_CASE "absent gate"
        and byte [abs IDT_RAM + 0x42 * 16 + 5], 0x7f
        CLEAN
        int 0x42
        END_CASE
        BEGIN_CASE "gate with a non-canonical target"
        mov dword [abs IDT_RAM + 0x43 * 16 + 8], 0x9000
        CLEAN
        int 0x43
        END_CASE
        BEGIN_CASE "hardware exception through an absent gate"
        and byte [abs IDT_RAM + 6 * 16 + 5], 0x7f
        CLEAN
        ud2
        END_CASE
        or byte [abs IDT_RAM + 6 * 16 + 5], 0x80
        BEGIN_CASE "interrupt stack table keeps SS without a change of ring"
        mov byte [abs IDT_RAM + 0x41 * 16 + 4], 1
        CLEAN
        int 0x41
        END_CASE
        BEGIN_CASE "far jump to code with L and D"
        CLEAN
        mov dword [abs 0x900], 0
        mov word [abs 0x904], BOTH_SIZES
        jmp far dword [abs 0x900]
        END_CASE
        BEGIN_CASE "mov cr0 with an upper bit"
        CLEAN
        mov rax, cr0
        bts rax, 33
        mov cr0, rax
        END_CASE
        BEGIN_CASE "clearing PG in 64-bit mode"
        CLEAN
        mov rax, cr0
        btr rax, 31
        mov cr0, rax
        END_CASE
        BEGIN_CASE "clearing PAE"
        CLEAN
        mov rax, cr4
        btr rax, 5
        mov cr4, rax
        END_CASE
        BEGIN_CASE "cr4: reserved upper bit"
        CLEAN
        mov rax, cr4
        bts rax, 40
        mov cr4, rax
        END_CASE
        BEGIN_CASE "cr3: reserved bit"
        CLEAN
        mov rax, cr3
        bts rax, 55
        mov cr3, rax
        END_CASE
        BEGIN_CASE "cr8: reserved bit"
        CLEAN
        mov eax, 0x10
        mov cr8, rax
        END_CASE
        BEGIN_CASE "efer: LME changed under PG"
        mov ecx, EFER
        rdmsr
        btr eax, 8
        wrmsr
        END_CASE
        BEGIN_CASE "lgdt with a non-canonical base"
        CLEAN
        mov rax, 0x0000900000000000
        mov [abs 0x902], rax
        mov word [abs 0x900], 0xff
        lgdt [abs 0x900]
        END_CASE
        BEGIN_CASE "LSTAR non-canonical"
        mov ecx, 0xc0000082
        xor eax, eax
        mov edx, 0x9000
        wrmsr
        END_CASE
        BEGIN_CASE "ltr of null"
        CLEAN
        ltr ax
        END_CASE
        BEGIN_CASE "null SS with RPL 3 in ring 0"
        CLEAN
        mov eax, 3
        mov ss, ax
        END_CASE
        BEGIN_CASE "page: ignored bit"
        CLEAN
        mov rsi, 0x100000000
        mov rax, [rsi]
        END_CASE
        BEGIN_CASE "page: reserved bit"
        CLEAN
        mov rsi, 0x100001000
        mov rax, [rsi]
        END_CASE
        BEGIN_CASE "page: XD without NXE"
        CLEAN
        mov rsi, 0x100002000
        mov [rsi], rax
        END_CASE
        BEGIN_CASE "read-modify-write of an absent page"
        CLEAN
        mov rsi, 0x100008000
        add [rsi], rax
        END_CASE
        BEGIN_CASE "SYSCALL keeps DF unless masked"
        mov ecx, EFER
        rdmsr
        or eax, 1
        wrmsr
        mov ecx, 0xc0000081
        xor eax, eax
        mov edx, CODE64 | ((USER_CODE32 & ~3) << 16)
        wrmsr
        inc ecx
        mov eax, .kernel
        xor edx, edx
        wrmsr
        CLEAN
        ENTER_USER_64
        std
        syscall
.kernel:
        int 0x40
        END_CASE
        STATUS "complete"

END_OF_IMAGE
