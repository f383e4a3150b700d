/**
 * Direct boot of an ELF kernel (`loadfile_elf.c` rev 1.22, 1.34, 1.51 and 1.59): segments at their physical addresses, then
 * the pages that a boot loader would have left.
 */
import { hex } from '../../address/format';
import { PAGE } from '../../address/range';
import type { ElfImage } from '../../machine/image/elf';
import type { VcpuState } from '../../x86/state';
import {
  BOOTARGS_PAGE,
  flat32,
  flat64,
  flatUnpaged,
  GDT_PAGE,
  PML2_PAGE,
  PML3_PAGE,
  PML4_PAGE,
  STACK_PAGE,
} from './bootState';
import type { E820Entry } from '../e820';
import { OPENBSD_STACK_SIZE, openbsdArguments, openbsdStack } from '../loaders/openbsdArguments';
import type { VmdBehaviour } from './exits';
import type { WriteMemory } from './firmwareLoad';

/** LOADADDR keeps the low 28 bits of the entry point and of the end. */
const LOADADDR_MASK = 0xfffffffn;
const PRESENT = 1n;
const WRITABLE_USER = 6n;
const LARGE = 0x80n;
/** A slot more than the eight that are pushed: vmd's count, and so the guest's RSP. */
const STACK_SLOTS = 9n;

/** Loads the kernel; gives the first state, or why vmd does not start the VM. */
export function bootElf(
  elf: ElfImage,
  memoryMap: readonly E820Entry[],
  behaviour: VmdBehaviour,
  write: WriteMemory,
): VcpuState | string {
  let end = 0n;
  for (const segment of elf.segments) {
    if (!write(segment.physical, segment.bytes)) {
      const range = `${hex(segment.physical)} with ${hex(segment.bytes.length)} bytes`;
      return `program header ${segment.index} of the kernel goes to ${range}, outside the VM's memory`;
    }
    // Memory is zero at first, so what p_memsz adds need not be written.
    const last = segment.physical + segment.memorySize;
    if (last > end) end = last;
  }
  write(GDT_PAGE, words64([0n, 0x00cf9b000000ffffn, 0x00cf93000000ffffn, ...longModeDescriptor(behaviour)]));
  if (behaviour.elfEntry !== 'unpaged') {
    if (behaviour.elfEntry === 'by-class' && elf.bits === 64) writeLongTables(write);
    else writeDirectory(write);
  }
  const list = openbsdArguments(memoryMap, behaviour.bootArguments);
  write(BOOTARGS_PAGE, list.bytes);
  const values = { end: end & LOADADDR_MASK, argumentsSize: list.size, argumentsAt: BOOTARGS_PAGE };
  write(STACK_PAGE + PAGE - BigInt(OPENBSD_STACK_SIZE), openbsdStack(values));
  const rip = elf.entry & LOADADDR_MASK;
  const rsp = STACK_PAGE + PAGE - STACK_SLOTS * 4n;
  switch (behaviour.elfEntry) {
    case 'by-class':
      return elf.bits === 64 ? flat64(rip, rsp) : flat32(rip, rsp);
    case 'unpaged-directory':
      return flatUnpaged(rip, rsp, { cr3: PML3_PAGE, cr4: 0x10n });
    case 'unpaged':
      return flatUnpaged(rip, rsp);
  }
}

function longModeDescriptor(behaviour: VmdBehaviour): bigint[] {
  return behaviour.longModeDescriptor ? [0x00af9b000000ffffn] : [];
}

/** The first 1 GiB in 2 MiB pages. The PML4 entry lacks RW, so everything is read-only once CR0.WP is set. */
function writeLongTables(write: WriteMemory): void {
  write(PML4_PAGE, words64([PML3_PAGE | PRESENT]));
  write(PML3_PAGE, words64([PML2_PAGE | PRESENT | WRITABLE_USER]));
  const pages = Array.from(
    { length: 512 },
    (_, i) => BigInt(i) * 0x200000n + (LARGE | WRITABLE_USER | PRESENT),
  );
  write(PML2_PAGE, words64(pages));
}

/** All 4 GiB in 4 MiB pages. */
function writeDirectory(write: WriteMemory): void {
  write(
    PML3_PAGE,
    words32(Array.from({ length: 1024 }, (_, i) => i * 0x400000 + Number(LARGE | WRITABLE_USER | PRESENT))),
  );
}

function words64(values: readonly bigint[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 8);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => view.setBigUint64(index * 8, value, true));
  return bytes;
}

function words32(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => view.setUint32(index * 4, value >>> 0, true));
  return bytes;
}
