; Looks for the MP table where kernels do, and asks the memory map about the place: the floating pointer "_MP_" in the first KiB of
; an EBDA, from 639 KiB to 640 KiB, and from 0xf0000 to 1 MiB (Intel MP specification 1.4, chapter 4; Linux looks there too,
; arch/x86/kernel/mpparse.c, default_find_smp_config). Entered by Linux' 64-bit boot protocol or by PVH.

%define ELF_BITS 64
%define PVH_ENTRY main32
%define MEMORY_SIZE 0x2000

%include "elf.mac"
%include "entry32.mac"

STACK_TOP equ KERNEL_BASE + MEMORY_SIZE
START_INFO_MAGIC equ 0x336ec578                         ; Xen, public/arch-x86/hvm/start_info.h

        ENTRY32
; Linux' 64-bit entry: ESI has the zero page.
        movzx ecx, byte [esi + 0x1e8]                   ; e820_entries
        lea ebx, [esi + 0x2d0]                          ; e820_table
        mov [entries], ecx
        mov [table], ebx
        mov dword [stride], 20
        jmp main

; PVH: EBX has the start info.
main32:
        cmp dword [ebx], START_INFO_MAGIC
        jne main
        cmp dword [ebx + 4], 1                          ; version: from 1 on there is a memory map
        jb main
        mov eax, [ebx + 40]
        mov [table], eax
        mov eax, [ebx + 48]
        mov [entries], eax
        mov dword [stride], 24

main:
        mov esp, STACK_TOP
        mov esi, text_probe
        call put_text
        cmp dword [entries], 0
        jne .map
        mov esi, status_no_map
        jmp finish
.map:
        call print_low_map
        movzx esi, word [0x40e]                         ; segment of an EBDA; 0 where no BIOS has been
        shl esi, 4
        jz .base
        mov ecx, 0x400
        call find
        jnc found
.base:
        mov esi, 639 * 1024
        mov ecx, 0x400
        call find
        jnc found
        mov esi, 0xf0000
        mov ecx, 0x10000
        call find
        jnc found
        mov esi, status_no_table
        jmp finish

; ESI: the floating pointer.
found:
        mov [pointer], esi
        mov eax, [esi + 4]
        mov [configuration], eax
        mov esi, text_found
        call put_text
        mov eax, [pointer]
        call put_hex
        mov esi, text_table
        call put_text
        mov eax, [configuration]
        call put_hex
        call put_line
        mov eax, [pointer]
        call type_of
        jc .outside
        push eax
        mov esi, text_type
        call put_text
        pop eax
        push eax
        call put_number
        call put_line
        pop eax
        mov esi, status_in_ram
        cmp eax, 1
        je finish
        mov esi, status_reserved
        jmp finish
.outside:
        mov esi, status_outside

finish:
        call put_text
        cli
        hlt
        jmp finish

; Looks in ECX bytes from ESI on, every 16 bytes. Carry clear and ESI at it where it is there.
find:
        cmp dword [esi], '_MP_'
        jne .next
        push ecx
        xor eax, eax
        xor ecx, ecx
.sum:
        add al, [esi + ecx]
        inc ecx
        cmp ecx, 16
        jne .sum
        pop ecx
        test al, al
        jz .yes
.next:
        add esi, 16
        sub ecx, 16
        jnz find
        stc
        ret
.yes:
        clc
        ret

; EAX: an address below 4 GiB. Carry clear and EAX its type where an entry has it.
type_of:
        mov ebx, [table]
        mov ecx, [entries]
.next:
        cmp dword [ebx + 4], 0                          ; base above 4 GiB
        jne .skip
        mov edx, eax
        sub edx, [ebx]
        jb .skip
        cmp dword [ebx + 12], 0                         ; 4 GiB long or longer
        jne .yes
        cmp edx, [ebx + 8]
        jb .yes
.skip:
        add ebx, [stride]
        dec ecx
        jnz .next
        stc
        ret
.yes:
        mov eax, [ebx + 16]
        clc
        ret

; The entries that begin below 1 MiB, one a line: start, end, type.
print_low_map:
        mov ebx, [table]
        mov ecx, [entries]
.next:
        cmp dword [ebx + 4], 0
        jne .skip
        cmp dword [ebx], 0x100000
        jae .skip
        push ecx
        push ebx
        mov esi, text_map
        call put_text
        mov ebx, [esp]
        mov eax, [ebx]
        call put_hex
        mov al, ' '
        call put_char
        mov ebx, [esp]
        mov eax, [ebx]
        add eax, [ebx + 8]
        call put_hex
        mov al, ' '
        call put_char
        mov ebx, [esp]
        mov eax, [ebx + 16]
        call put_number
        call put_line
        pop ebx
        pop ecx
.skip:
        add ebx, [stride]
        dec ecx
        jnz .next
        ret

%include "serial32.mac"
%include "hex32.mac"

text_probe:      db "probe mp-table", 10, 0
text_map:        db "map ", 0
text_found:      db "mp-pointer ", 0
text_table:      db " table ", 0
text_type:       db "type ", 0
status_no_map:
        db "status no-memory-map", 10, 0
status_no_table:
        db "status no-table", 10, 0
status_outside:
        db "status outside-map", 10, 0
status_in_ram:
        db "status in-ram", 10, 0
status_reserved:
        db "status reserved", 10, 0

        align 4, db 0
entries:         dd 0
table:           dd 0
stride:          dd 20
pointer:         dd 0
configuration:   dd 0

END_OF_KERNEL
