/** The guest-physical ranges that vmd's create_memory_map makes, by version. */
import { formatSize } from '../../address/format';
import { fromLength, MIB, type AddressRange } from '../../address/range';
import type { GuestDescription, Region } from '../../machine/machine';
import { fromText } from '../../machine/origin';
import type { SourceRange } from '../../text/position';
import { DEFAULT_MEMORY, isVmdSince, lowmemEnd, NEWEST_VMD, vmdVersion, type VmdVersion } from './versions';

/** One `struct vm_mem_range`: RAM (0), RESERVED (1) or MMIO (2). */
export interface VmdRange {
  readonly range: AddressRange;
  readonly type: 'ram' | 'reserved' | 'mmio';
  readonly name: string;
  readonly reason: string;
}

/**
 * create_memory_map for a guest of `memory` bytes (whole MiB, as parse_size leaves it): the ranges in vmd's order.
 * None where the memory is 0 or beyond VMM_MAX_VM_MEM_SIZE, as in vmd. Empty ranges, which vmm(4) refuses, are left out.
 */
export function createMemoryMap(version: VmdVersion, memory: bigint): VmdRange[] {
  const { facts } = version;
  if (memory <= 0n || memory > facts.maxMemory) return [];
  const low = lowmemEnd(facts);
  const ranges: VmdRange[] = [
    {
      range: { start: 0n, end: low },
      type: 'ram',
      name: 'low RAM',
      reason: `RAM from 0 to LOWMEM_KB, ${facts.lowmemKb} KiB in this version.`,
    },
    {
      range: { start: low, end: MIB },
      type: 'reserved',
      name: 'VGA and BIOS area',
      reason: `Reserved from LOWMEM_KB to 1 MiB but backed by memory, since some guests write to VGA RAM at 0xb8000; it comes out of the VM's memory.`,
    },
  ];
  const rest = memory - MIB;
  if (facts.tinyGuest > 0n && rest <= facts.tinyGuest) return [...ranges, ...tinyGuest(version, rest)];
  const below = rest < facts.ramTop - MIB ? rest : facts.ramTop - MIB;
  const above = rest - below;
  ranges.push({
    range: fromLength(MIB, below),
    type: 'ram',
    name: 'RAM',
    reason:
      above > 0n
        ? `RAM from 1 MiB up to 0x${facts.ramTop.toString(16)}, where the addresses of ${facts.acpi ? 'the ACPI tables' : 'PCI devices'} begin.`
        : `The VM's memory less its first MiB: ${formatSize(rest)} from 1 MiB.`,
  });
  if (facts.acpi) ranges.push(acpiRange(facts.acpi));
  if (facts.mmioIsRange) {
    const use = emulatesMmio(version)
      ? 'not backed by memory'
      : 'an access ends the VM, since this vmd is built without MMIO emulation';
    ranges.push({
      range: facts.mmio,
      type: 'mmio',
      name: 'PCI MMIO window',
      reason: `Addresses for the BARs of PCI devices (PCI_MMIO_BAR_BASE to PCI_MMIO_BAR_END): ${use}.`,
    });
  }
  if (facts.firmwareSize > 0n) ranges.push(firmwareRange(facts.mmio.end, facts.firmwareSize));
  if (above > 0n) {
    ranges.push({
      range: fromLength(facts.highRam, above),
      type: 'ram',
      name: 'RAM above 4 GiB',
      reason: `The ${formatSize(above)} that do not fit below 0x${facts.ramTop.toString(16)}.`,
    });
  }
  return ranges.filter(({ range }) => range.end > range.start);
}

function acpiRange(range: AddressRange): VmdRange {
  return {
    range,
    type: 'reserved',
    name: 'ACPI tables',
    reason:
      "Reserved and backed by memory for XSDT, MADT, FADT, DSDT and FACS (VMD_ACPI_BASE_PADDR): the guest is told type 2, not 3, and it does not come out of the VM's memory.",
  };
}

function firmwareRange(start: bigint, size: bigint): VmdRange {
  return {
    range: fromLength(start, size),
    type: 'reserved',
    name: 'firmware',
    reason: `Reserved and backed by memory: the BIOS image is loaded so that it ends at 4 GiB (${formatSize(size)}).`,
  };
}

/** A guest so small that vmd gives it only low memory and the firmware range. */
function tinyGuest(version: VmdVersion, rest: bigint): VmdRange[] {
  const { facts } = version;
  const start = facts.tinyGuestOffByOne ? facts.mmio.end - 1n : facts.mmio.end;
  const firmware = firmwareRange(start, facts.firmwareSize);
  const offByOne = facts.tinyGuestOffByOne
    ? ' This branch starts it at PCI_MMIO_BAR_END, the last byte of the window: one byte low, and not page aligned.'
    : '';
  const reason = `${firmware.reason} With ${formatSize(rest)} above the first MiB (at most ${formatSize(facts.tinyGuest)}) vmd makes no RAM above 1 MiB and no MMIO window.${offByOne}`;
  return [...(facts.acpi ? [acpiRange(facts.acpi)] : []), { ...firmware, reason }];
}

/**
 * The largest `memory` whose map vmm(4) takes, in bytes, a whole number of MiB. vmm applies VMM_MAX_VM_MEM_SIZE to
 * addresses (sys/dev/vmm/vmm.c rev 1.6, vm_create_check_mem_ranges), and the window below 4 GiB pushes memory up.
 */
export function largestMemory({ facts }: VmdVersion): bigint {
  if (facts.maxMemory <= facts.ramTop) return facts.maxMemory;
  return ((facts.maxMemory - (facts.highRam - facts.ramTop)) / MIB) * MIB;
}

/** x86_vm.c rev 1.19 and later decode and emulate the instruction; before, MMIO_NOTYET leaves that out. */
function emulatesMmio(version: VmdVersion): boolean {
  return isVmdSince(version.id, 'x86_vm-1.19');
}

/** vmm maps every range but MMIO read, write and execute; `reserved` is only what the guest is told. */
const PERMISSIONS: Readonly<Record<VmdRange['type'], string>> = { ram: 'rwx', reserved: 'rwx', mmio: '---' };

/**
 * The ranges of create_memory_map as regions of a machine. `at` is the line that decided the size: `memory`, or the
 * VM's name.
 */
export function regionsOf(
  version: VmdVersion,
  ranges: readonly VmdRange[],
  at: SourceRange | null,
  sized: boolean,
): Region[] {
  const vmm = {
    kind: 'vmm' as const,
    vmm: 'vmd',
    version: version.id,
    citation: `${version.layoutSource}, create_memory_map`,
  };
  return ranges.map(({ range, type, name, reason }) => ({
    range,
    kind: type,
    name,
    permissions: type === 'mmio' && emulatesMmio(version) ? 'rw-' : PERMISSIONS[type],
    reason,
    origin: sized && at && type === 'ram' && range.start >= MIB ? fromText(at) : vmm,
    at,
  }));
}

/** The address space of any guest under a version of vmd, also of one that another VMM's config describes. */
export function layOutVmd({ memory, nameAt }: GuestDescription, version: string): Region[] {
  const vmd = vmdVersion(version) ?? NEWEST_VMD;
  const ranges = createMemoryMap(vmd, memory?.value ?? DEFAULT_MEMORY);
  const sized = memory?.origin.kind === 'text';
  const at = memory?.origin.kind === 'text' ? { uri: memory.origin.uri, range: memory.origin.range } : nameAt;
  return regionsOf(vmd, ranges, at, sized);
}
