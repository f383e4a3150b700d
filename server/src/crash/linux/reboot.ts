/**
 * Recognises a Linux guest that was on its way through the BIOS reboot path, by what that path leaves in registers:
 * reboot(2)'s magic numbers (include/uapi/linux/reboot.h), the pointer to the real-mode blob
 * (arch/x86/realmode/init.c), the trampoline page table in CR3 and the restart type in RDI
 * (arch/x86/kernel/reboot.c, machine_real_restart; arch/x86/realmode/rm/reboot.S).
 */
import { MIB } from '../../address/range';
import type { DumpLine } from '../dumpText';
import type { RegisterBlock } from '../registerBlock';

export interface NamedValue {
  readonly register: string;
  readonly value: bigint;
}

export interface LinuxReboot {
  /** A register with LINUX_REBOOT_MAGIC1, or with all of it but the low byte. */
  readonly magic1: NamedValue;
  readonly magic2: NamedValue;
  /** The real-mode blob's header, where a register points to it and RIP lies behind it. */
  readonly blob: RealModeBlob | null;
}

export interface RealModeBlob {
  /** The register with the virtual address, in the direct map. */
  readonly pointer: NamedValue;
  /** Base of the direct map, by the rule that it is a multiple of 1 GiB. */
  readonly directMap: bigint;
  /** Guest-physical address of the blob. */
  readonly physical: bigint;
  /** RIP, as an offset from the blob's start. */
  readonly ripOffset: bigint;
  /** CR3, where it lies behind the blob's start too: the trampoline page table. */
  readonly trampoline: bigint | null;
  /** RDI's restart type: 0 is BIOS, 1 is APM (MRR_BIOS, MRR_APM). Null for any other value. */
  readonly restartType: 'BIOS' | 'APM' | null;
  /**
   * True where the first instruction at machine_real_restart_asm has not retired: it loads __KERNEL_DS into EAX, and
   * RAX still has the blob's pointer while DS is still null.
   */
  readonly entryPending: boolean;
}

const MAGIC1 = 0xfee1deadn;
/** LINUX_REBOOT_MAGIC2, 2A, 2B, 2C. */
const MAGIC2: readonly bigint[] = [0x28121969n, 0x05121996n, 0x16041998n, 0x20112000n];
const GENERAL = /^r(?:[a-d]x|[sd]i|bp|\d{1,2})$/;
const KERNEL_HALF = 1n << 63n;
const GIB_MASK = (1n << 30n) - 1n;
/** The blob is at most a few pages long; RIP and the trampoline page table lie within this many bytes of its start. */
const BLOB_REACH = 0x10000n;
/** Linux's direct map base where it is not randomised (Documentation/arch/x86/x86_64/mm.rst). */
export const DEFAULT_DIRECT_MAP = 0xffff888000000000n;

export function readReboot(block: RegisterBlock): LinuxReboot | null {
  const magic1 = findGeneral(block, (value) => value >> 8n === MAGIC1 >> 8n);
  const magic2 = findGeneral(block, (value) => MAGIC2.includes(value));
  if (!magic1 || !magic2) return null;
  return { magic1, magic2, blob: readBlob(block) };
}

export function isExactMagic1(magic: NamedValue): boolean {
  return magic.value === MAGIC1;
}

function readBlob(block: RegisterBlock): RealModeBlob | null {
  const rip = block.values.get('rip');
  if (rip === undefined || rip >= MIB) return null;
  const pointer = findGeneral(block, (value) => {
    const physical = value & GIB_MASK;
    return value >= KERNEL_HALF && physical % 4096n === 0n && physical <= rip && rip - physical < BLOB_REACH;
  });
  if (!pointer) return null;
  const physical = pointer.value & GIB_MASK;
  const cr3 = block.values.get('cr3');
  const table = cr3 === undefined ? null : cr3 & ~0xfffn;
  const rdi = block.values.get('rdi');
  const cs = block.segments.get('cs')?.selector;
  const ds = block.segments.get('ds')?.selector;
  return {
    pointer,
    directMap: pointer.value & ~GIB_MASK,
    physical,
    ripOffset: rip - physical,
    trampoline: table !== null && table > physical && table - physical < BLOB_REACH ? table : null,
    restartType: rdi === 0n ? 'BIOS' : rdi === 1n ? 'APM' : null,
    entryPending: pointer.register === 'rax' && cs === 0x08 && ds === 0,
  };
}

function findGeneral(block: RegisterBlock, wanted: (value: bigint) => boolean): NamedValue | null {
  for (const [name, value] of block.values) {
    if (GENERAL.test(name) && wanted(value)) return { register: name, value };
  }
  return null;
}

/** The lines with the registers that say so. */
export function rebootLines(block: RegisterBlock, reboot: LinuxReboot): DumpLine[] {
  const names = [reboot.magic1.register, reboot.magic2.register];
  return [...new Set(names.map((name) => block.lines.get(name)).filter((line) => line !== undefined))];
}
