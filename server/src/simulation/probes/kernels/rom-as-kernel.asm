; Starts a probe that is a firmware image on VMMs that start kernels alone: Linux' 64-bit entry (RSI: boot parameters) and PVH
; (EBX: start info) both end at F000:FFF0 in real mode, as after a reset, with the image at the top of the first MiB.
;
; The memory map that the VMM gave goes to HANDOVER, where the probes look for it before they ask fw_cfg and CMOS.

%define ELF_BITS 64
%define PVH_ENTRY pvh_start
%include "elf.mac"

%define HANDOVER 0x20000                                ; above what the probes use
%define HANDOVER_LIMIT 64
%define REAL_AT 0xe00                                   ; where the last steps run, below 64 KiB
%define ROM_SIZE 0x4000
%define ROM_AT (0x100000 - ROM_SIZE)
%define START_INFO_MAGIC 0x336ec578                     ; Xen, public/arch-x86/hvm/start_info.h

CODE32 equ 0x08
DATA32 equ 0x10
CODE16 equ 0x18
DATA16 equ 0x20

bits 64
start:
        cli
        cld
        lea rsp, [rel stack_top]
        mov ebx, esi                                    ; boot parameters lie below 4 GiB
        mov al, 1
        jmp to_protected

; Down from long mode: a far return to a 32-bit segment of our own table.
to_protected:
        mov [rel entered_by], al
        lgdt [rel gdtr]
        push CODE32
        push protected
        o64 retf

bits 32
pvh_start:
        cli
        cld
        mov esp, stack_top
        mov byte [entered_by], 2
        lgdt [gdtr]
        jmp CODE32:protected

; EBX: boot parameters or start info.
protected:
        mov eax, DATA32
        mov ds, eax
        mov es, eax
        mov ss, eax
        mov esp, stack_top
        mov eax, cr0
        and eax, 0x7fffffff                             ; paging off
        mov cr0, eax
        xor eax, eax
        mov cr3, eax
        mov cr4, eax
        xor edx, edx
        mov ecx, 0xc0000080                             ; EFER
        wrmsr
        mov ebp, HANDOVER
        mov dword [ebp], 'BPMA'
        mov dword [ebp + 4], 'P1  '
        movzx eax, byte [entered_by]
        mov [ebp + 8], eax
        xor edx, edx                                    ; entries
        lea edi, [ebp + 16]
        cmp al, 2
        je .pvh
        movzx ecx, byte [ebx + 0x1e8]                   ; e820_entries
        lea esi, [ebx + 0x2d0]                          ; e820_table
        mov eax, 20
        jmp .entries
.pvh:
        xor ecx, ecx
        cmp dword [ebx], START_INFO_MAGIC
        jne .entries
        cmp dword [ebx + 4], 1                          ; version: from 1 on there is a memory map
        jb .entries
        mov esi, [ebx + 40]
        mov ecx, [ebx + 48]
        mov eax, 24
.entries:                                               ; ECX entries of EAX bytes at ESI
        cmp ecx, HANDOVER_LIMIT
        jbe .next
        mov ecx, HANDOVER_LIMIT
.next:
        test ecx, ecx
        jz .done
        push ecx
        push esi
        mov ecx, 5
        rep movsd                                       ; base, length, type
        pop esi
        pop ecx
        add esi, eax
        inc edx
        dec ecx
        jmp .next
.done:
        mov [ebp + 12], edx
        mov esi, rom_image
        mov edi, ROM_AT
        mov ecx, ROM_SIZE / 4
        rep movsd
        mov esi, real_code
        mov edi, REAL_AT
        mov ecx, (real_code_end - real_code + 3) / 4
        rep movsd
        lidt [ivtr]
        jmp CODE16:REAL_AT

bits 16
real_code:
        mov ax, DATA16
        mov ds, ax
        mov es, ax
        mov fs, ax
        mov gs, ax
        mov ss, ax
        mov eax, cr0
        and al, 0xfe
        mov cr0, eax
        jmp 0:REAL_AT + (.real - real_code)
.real:
        xor ax, ax
        mov ds, ax
        mov es, ax
        mov fs, ax
        mov gs, ax
        mov ss, ax
        xor sp, sp
        jmp 0xf000:0xfff0
real_code_end:

        align 8, db 0
gdt:
        dq 0
        dq 0x00cf9b000000ffff                           ; CODE32
        dq 0x00cf93000000ffff                           ; DATA32
        dq 0x00009b000000ffff                           ; CODE16
        dq 0x000093000000ffff                           ; DATA16
gdt_end:
gdtr:
        dw gdt_end - gdt - 1
        dq gdt
ivtr:
        dw 0x3ff
        dd 0
entered_by:
        db 0                                            ; 1 Linux' 64-bit entry, 2 PVH
        align 16, db 0
        times 256 db 0
stack_top:
rom_image:                                              ; the loader puts the end of the probe's ROM here
        times ROM_SIZE db 0
        END_OF_KERNEL
