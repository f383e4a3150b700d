; The plain PC's own BIOS: the services that boot sectors and kernels call in real mode. It is no vendor's; what it does and
; what it refuses is listed in docs/plain-pc.md. Its text goes to COM1, its disk comes through fw_cfg.
;
; The image is the last 16 KiB below 1 MiB, segment F000. Labels are offsets in that segment. The loader patches the cells of
; the section "parameters" and, where it starts a kernel without the power-on part, writes the vectors and the data area
; from the tables here.
;
; Every service has the same frame (service.mac): the caller's registers on its own stack, results written into it.

%define IMAGE_SIZE 0x4000
%define BDA 0x40                                        ; segment of the BIOS data area
%define EBDA_SEGMENT 0x9fc0
%define COM1 0x3f8

cpu 386
org 0x10000 - IMAGE_SIZE
bits 16

image_start:
        db "Bootpath BIOS", 0
        align 16, db 0

; ---- parameters: patched by the loader ---------------------------------------------------------------------------------

power_on_done:          db 0                            ; 1: power_on has run, or stands done by the loader
        align 2, db 0
disk_selector:          dw 0                            ; fw_cfg item with the disk, 0 for none
disk_drive:             db 0                            ; as in DL: 0x00 floppy, 0x80 hard disk
disk_type:              db 0                            ; BL of function 08h for a floppy
disk_cylinders:         dw 0
disk_heads:             dw 0
disk_sectors:           dw 0                            ; a track
disk_total:             dd 0                            ; sectors in all
memory_from_1m:         dw 0                            ; KiB from 1 MiB, at most 63 MiB
memory_below_16m:       dw 0                            ; KiB from 1 MiB, at most 0x3c00
memory_above_16m:       dw 0                            ; 64 KiB units from 16 MiB
memory_map_count:       dw 0
        align 16, db 0
%define MEMORY_MAP_ENTRIES 16
memory_map:             times MEMORY_MAP_ENTRIES * 20 db 0

; ---- tables ------------------------------------------------------------------------------------------------------------

        align 16, db 0
vectors:                                                ; offsets for interrupts 0 to 0xff, in order
        dw exception_00, ignore, ignore, ignore, ignore, ignore, exception_06, exception_07
        dw timer_interrupt, keyboard_interrupt, irq_master, irq_master, irq_4, irq_5, irq_master, irq_master
        dw video_service, equipment_service, memory_size_service, disk_service
        dw serial_service, system_service, keyboard_service, printer_service
        dw boot_failed, boot_disk, time_service, ignore, ignore, ignore, diskette_parameters, ignore
        times 0x70 - 0x20 dw ignore
        dw rtc_interrupt, irq_slave, irq_slave, irq_slave, mouse_interrupt, irq_slave, irq_slave, irq_slave
        times 0x100 - 0x78 dw ignore

        align 16, db 0
data_area:                                              ; 256 bytes for 0x400
        dw COM1, 0, 0, 0                                ; 0x400: serial ports
        dw 0, 0, 0                                      ; 0x408: parallel ports
        dw EBDA_SEGMENT                                 ; 0x40e
        dw 0x0222                                       ; 0x410: FPU, 80x25, one serial port
        db 0
        dw 639                                          ; 0x413: KiB of base memory
        times 0x1a - ($ - data_area) db 0
        dw 0x1e, 0x1e                                   ; 0x41a: keyboard buffer, head and tail
        times 0x49 - ($ - data_area) db 0
        db 3                                            ; 0x449: video mode
        dw 80, 0x1000, 0                                ; 0x44a: columns, page size, page offset
        times 8 dw 0                                    ; 0x450: cursor of each page
        dw 0x0607                                       ; 0x460: cursor lines
        db 0                                            ; 0x462: page
        dw 0x3d4                                        ; 0x463: CRT controller
        db 0x29, 0x30                                   ; 0x465: its mode and colour registers
        times 0x78 - ($ - data_area) db 0
        db 0x14, 0x14, 0x14, 0x14                       ; 0x478: time-outs of printers
        db 0x01, 0x01, 0x01, 0x01                       ; 0x47c: and of serial ports
        dw 0x1e, 0x3e                                   ; 0x480: keyboard buffer, start and end
        db 24                                           ; 0x484: rows less one
        dw 16                                           ; 0x485: lines of a character
        times 0x96 - ($ - data_area) db 0
        db 0x10                                         ; 0x496: keyboard with 101 keys
        times 0x100 - ($ - data_area) db 0

diskette_parameters:                                    ; interrupt 0x1e: a 1.44 MB drive
        db 0xdf, 0x02, 0x25, 0x02, 18, 0x1b, 0xff, 0x6c, 0xf6, 0x0f, 0x08

configuration:                                          ; INT 15h C0h
        dw 8
        db 0xfc, 0x01, 0x00                             ; model AT
        db 0x74                                         ; second 8259, clock, INT 15h 4Fh called, EBDA
        db 0, 0, 0, 0

%include "service.mac"
%include "console.mac"
%include "video.mac"
%include "disk.mac"
%include "system.mac"
%include "blockMove.mac"
%include "keyboard.mac"
%include "ports.mac"
%include "time.mac"
%include "interrupts.mac"
%include "post.mac"

; ---- fixed places ------------------------------------------------------------------------------------------------------

%if $ - image_start > 0xff53 - (0x10000 - IMAGE_SIZE)
%error "the BIOS reaches into its fixed places"
%endif
        times 0xff53 - (0x10000 - IMAGE_SIZE) - ($ - image_start) db 0
ignore:                                                 ; F000:FF53, the IBM PC's dummy handler
        iret

        times 0xfff0 - (0x10000 - IMAGE_SIZE) - ($ - image_start) db 0
reset_vector:
        jmp 0xf000:power_on
        db "01/01/26"                                   ; F000:FFF5
        db 0
        db 0xfc                                         ; F000:FFFE, model AT
        db 0
