/** A raw disk image that the BIOS starts: its first sector goes to 0000:7C00 by INT 19h. */
import { isBootSector } from '../../machine/image/bootSector';
import { isElf } from '../../machine/image/elf';
import { isLinuxImage } from '../../machine/image/linuxImage';
import { realMode } from './entryState';
import type { BootProtocol } from './loader';

const BIOS_SEGMENT = 0xf000;
const RESET_VECTOR = 0xfff0n;
/** Below the boot sector; the BIOS sets its own up. */
const STACK = 0x7000;

export const BOOT_SECTOR: BootProtocol = {
  name: 'boot-sector',
  title: 'boot sector of a raw disk image',
  needsDisk: true,
  // GRUB's disks bear a Multiboot header behind their first sector; bzImages the mark of one; ELF files are kernels.
  recognises: (image) => isBootSector(image) && !isLinuxImage(image) && !isElf(image),
  load: (image) =>
    isBootSector(image)
      ? { ...realMode(BIOS_SEGMENT, 0, STACK), rip: RESET_VECTOR }
      : { problem: 'its first sector does not end in 55 AA' },
};
