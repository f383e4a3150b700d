; A kernel that panics before a virtio console can be up, and reboots as its command line says. It reads the parameters as
; Linux does (torvalds/linux: kernel/panic.c, panic; kernel/reboot.c, reboot_setup; arch/x86/kernel/early_printk.c,
; setup_early_printk; drivers/tty/serial/8250/8250_early.c; arch/x86/kernel/reboot.c, native_machine_emergency_restart), writes
; its panic to the consoles that are up at that point, and to nothing else.
;
; Shorter than Linux: a wait for the serial port's transmitter ends after 1024 reads (0xffff there), delays are a few pauses, a
; second of panic= is a millisecond at most, and where Linux stays in its panic loop for ever the probe halts.

%define ELF_BITS 64
%define PVH_ENTRY pvh_start
%define MEMORY_SIZE 0x3000

%macro PARAMETERS 0
param_when:
        db 0                                            ; 0: before console_init; 1: behind it, before the virtio bus is probed
%endmacro

%include "elf.mac"

STACK_TOP equ KERNEL_BASE + MEMORY_SIZE
COM1 equ 0x3f8
HDRS equ 0x53726448
XEN_MAGIC equ 0x336ec578

; The first bytes are the same instructions in both modes but for one: 0x40 is INC EAX in 32-bit code and a prefix in 64-bit code.
bits 64
start:
        db 0x31, 0xc0                                   ; xor eax, eax
        db 0x40, 0x90
        db 0x85, 0xc0                                   ; test eax, eax
        jnz short not_linux_32
        cmp dword [rsi + 0x202], HDRS
        jne not_linux_64
        mov esp, STACK_TOP
        mov esi, [rsi + 0x228]                          ; hdr.cmd_line_ptr
        jmp main_64

bits 32
not_linux_32:
        mov esp, STACK_TOP
        jmp no_command_line_32

bits 64
not_linux_64:
        mov esp, STACK_TOP
        jmp no_command_line_64

bits 32
pvh_start:
        mov esp, STACK_TOP
        cmp dword [ebx], XEN_MAGIC
        jne no_command_line_32
        mov esi, [ebx + 24]                             ; hvm_start_info.cmdline_paddr
        jmp main_32

; ---- text and state ----------------------------------------------------------------------------------------------------

        align 4, db 0
early_base:     dd 0                                    ; of the boot console; 0: none
console_base:   dd 0                                    ; of the last console=ttySn; 0: none
base:           dd 0                                    ; where text goes; 0: nowhere
panic_timeout:  dd 0                                    ; CONFIG_PANIC_TIMEOUT of libkrunfw and of distributions
reboot_type:    db 'k'                                  ; without ACPI the default BOOT_ACPI comes to BOOT_KBD
serial_bases:   dw 0x3f8, 0x2f8, 0x3e8, 0x2e8
        align 4, db 0
no_idt:
        dw 0
        dq 0

word_reboot:      db "reboot=", 0
word_panic:       db "panic=", 0
word_console:     db "console=ttyS", 0
word_earlyprintk: db "earlyprintk=", 0
word_earlycon_a:  db "earlycon=uart8250,io,", 0
word_earlycon_b:  db "earlycon=uart,io,", 0
word_end:         db "-- ", 0
word_serial:      db "serial", 0
word_comma_tty:   db ",ttyS", 0
word_tty:         db "ttyS", 0
word_hex:         db "0x", 0

text_probe:     db "probe early-panic", 10, 0
text_panic:     db "Kernel panic - not syncing: the probe gives up before a virtio console can be up", 10, 0
text_reboot:    db "Rebooting ...", 10, 0
text_end:       db "---[ end Kernel panic - not syncing: the probe gives up before a virtio console can be up ]---", 10
                db "status waits", 10, 0
text_none:
                db "status no-command-line", 10, 0

; ---- the kernel, once for each mode --------------------------------------------------------------------------------------

%macro KERNEL 1
bits %1

; EDI: a text that ends in 0. Carry clear and ESI behind it where the command line goes on with it, else carry set.
match_%1:
        mov ebp, esi
.next:
        mov al, [edi]
        test al, al
        jz .yes
        cmp al, [ebp]
        jne .no
        inc edi
        inc ebp
        jmp .next
.yes:
        mov esi, ebp
        clc
        ret
.no:
        stc
        ret

; Skips to behind the next space; zero flag set at the end of the command line.
next_word_%1:
        mov al, [esi]
        test al, al
        jz .done
        inc esi
        cmp al, ' '
        jne next_word_%1
        test esi, esi
.done:
        ret

; EAX: the digits at ESI in base EBX, ESI behind them.
number_%1:
        xor eax, eax
.digit:
        movzx ecx, byte [esi]
        sub ecx, '0'
        cmp ecx, 10
        jb .take
        or ecx, 0x20                                    ; letters, in either case, less '0'
        sub ecx, ('a' - '0') - 10
        cmp ecx, 10
        jb .done
.take:
        cmp ecx, ebx
        jae .done
        imul eax, ebx
        add eax, ecx
        inc esi
        jmp .digit
.done:
        ret

; early_serial_init: ",ttySn", ",0xPORT" or nothing at ESI, which does not move; EDX: the port.
serial_port_%1:
        mov edx, esi
        cmp byte [esi], ','
        jne .value
        inc esi
.value:
        mov edi, word_hex
        call match_%1
        jc .name
        mov ebx, 16
        call number_%1
        jmp .done
.name:
        mov edi, word_tty
        call match_%1
        movzx ecx, byte [esi]
        mov eax, COM1
        cmp ecx, '1'                                    ; early_printk.c knows two ports
        jne .done
        mov eax, 0x2f8
.done:
        mov esi, edx
        mov [early_base], eax
        ret

; setup_early_printk: looks for its words at every character of the value.
early_printk_%1:
        mov al, [esi]
        test al, al
        jz .done
        cmp al, ' '
        je .done
        mov edi, word_serial
        call match_%1
        jc .tty
        call serial_port_%1
        mov edi, word_comma_tty
        call match_%1
        jmp .next
.tty:
        mov edi, word_tty
        call match_%1
        jc .next
        call serial_port_%1
.next:
        cmp byte [esi], 0
        je .done
        cmp byte [esi], ' '
        je .done
        inc esi
        jmp early_printk_%1
.done:
        ret

parse_%1:
.word:
        mov edi, word_end
        call match_%1
        jnc .done
        mov edi, word_reboot
        call match_%1
        jnc .reboot
        mov edi, word_panic
        call match_%1
        jnc .panic
        mov edi, word_console
        call match_%1
        jnc .console
        mov edi, word_earlyprintk
        call match_%1
        jnc .early_printk
        mov edi, word_earlycon_a
        call match_%1
        jnc .early_port
        mov edi, word_earlycon_b
        call match_%1
        jnc .early_port
.skip:
        call next_word_%1
        jnz .word
.done:
        ret

.reboot:                                               ; b, a, k, t, e and p choose the way, also behind a comma
        mov al, [esi]
        cmp al, 'k'
        je .way
        cmp al, 't'
        je .way
        cmp al, 'p'
        jne .option
.way:
        mov [reboot_type], al
.option:
        mov al, [esi]
        test al, al
        jz .skip
        cmp al, ' '
        je .skip
        inc esi
        cmp al, ','
        jne .option
        jmp .reboot

.panic:
        mov edx, 0
        cmp byte [esi], '-'
        jne .digits
        inc edx
        inc esi
.digits:
        mov ebx, 10
        call number_%1
        test edx, edx
        jz .keep
        neg eax
.keep:
        mov [panic_timeout], eax
        jmp .skip

.console:
        movzx ecx, byte [esi]
        sub ecx, '0'
        cmp ecx, 4
        jae .skip
        movzx eax, word [serial_bases + 2 * ecx]
        mov [console_base], eax
        jmp .skip

.early_printk:
        call early_printk_%1
        jmp .skip

.early_port:
        mov edi, word_hex
        call match_%1
        jc .skip
        mov ebx, 16
        call number_%1
        mov [early_base], eax
        jmp .skip

; EDI: a text that ends in 0, to the console that is up.
print_%1:
        mov ebx, [base]
        test ebx, ebx
        jz .done
.next:
        mov ah, [edi]
        test ah, ah
        jz .done
        inc edi
        lea edx, [ebx + 5]                              ; line status
        mov ecx, 1024
.wait:
        in al, dx
        test al, 0x20
        jnz .ready
        dec ecx
        jnz .wait
.ready:
        mov edx, ebx
        mov al, ah
        out dx, al
        jmp .next
.done:
        ret

delay_%1:
        mov ecx, 50
.next:
        pause
        dec ecx
        jnz .next
        ret

main_%1:
        call parse_%1
        ; A boot console is up from its parameter on; console_init replaces it by the serial console that console= names.
        mov eax, [early_base]
        cmp byte [param_when], 0
        je .chosen
        cmp dword [console_base], 0
        je .chosen
        mov eax, [console_base]
.chosen:
        mov [base], eax
        mov edi, text_probe
        call print_%1
        mov edi, text_panic
        call print_%1
panic_%1:
        mov ebp, [panic_timeout]
        test ebp, ebp
        jz .forever
        js reboot_%1                                    ; below 0: at once
        mov edi, text_reboot
        call print_%1
        cmp ebp, 1000
        jb .wait
        mov ebp, 1000
.wait:
        mov ecx, 100000
.pause:
        pause
        dec ecx
        jnz .pause
        dec ebp
        jnz .wait
        jmp reboot_%1
.forever:
        mov edi, text_end
        call print_%1
        jmp halt_%1

reboot_%1:
        mov al, [reboot_type]
        cmp al, 't'
        je triple_%1
        cmp al, 'p'
        je cf9_%1
        mov ebp, 10
.keyboard:
        mov ecx, 0x10000                                ; kb_wait: until the input buffer is empty
.busy:
        in al, 0x64
        test al, 2
        jz .free
        dec ecx
        jnz .busy
.free:
        call delay_%1
        mov al, 0xfe
        out 0x64, al
        call delay_%1
        dec ebp
        jnz .keyboard
        jmp triple_%1                                   ; EFI and the BIOS come between, and are not there

cf9_%1:
        mov edx, 0xcf9
        in al, dx
        and al, 0xf1                                    ; not 0x0e, the code of a cold reboot
        or al, 2
        out dx, al
        call delay_%1
        or al, 0x0e
        out dx, al
        call delay_%1

triple_%1:
        lidt [no_idt]
        int3

no_command_line_%1:
        mov dword [base], COM1
        mov edi, text_probe
        call print_%1
        mov edi, text_none
        call print_%1
halt_%1:
        cli
        hlt
        jmp halt_%1
%endmacro

        KERNEL 64
        KERNEL 32

END_OF_KERNEL
