/** The guest-physical regions of a libkrun guest, with who decided them. */
import { formatSize, hex } from '../../address/format';
import { fromLength, MIB, type AddressRange } from '../../address/range';
import { sortRegions, type GuestDescription, type Region, type RegionKind } from '../../machine/machine';
import { fromText, type VmmOrigin } from '../../machine/origin';
import {
  BUNDLED_KERNEL,
  FOUR_GIB,
  HIGH_MEMORY,
  KVM_TSS,
  MMIO_START,
  MP_TABLE,
  RAW_KERNEL,
} from './addresses';
import { libkrunGuest, type LibkrunGuest } from './guestFacts';
import { libkrunMemory, sharedWindows, type KernelHole, type LibkrunMemory } from './memory';
import { libkrunVersion, type LibkrunVersion } from './versions';

/**
 * Size of libkrunfw's kernel where the file is not at hand: that of Linux 6.12.76 as BoxLite 0.9.7 ships it
 * (krunfw_get_kernel: load address 0x1000000, entry 0x1000123). Other builds differ.
 */
const MEASURED_BUNDLE_SIZE = 0x1230000n;

const LAYOUT_SOURCE = 'src/arch/src/x86_64/mod.rs, arch_memory_regions';

/** Where the kernel is mapped from the host's file, about as large as it is; null where it is copied into RAM instead. */
export function kernelHole({ payload }: Pick<LibkrunGuest, 'payload'>): KernelHole | null {
  if (payload === 'bundled') return fromLength(BUNDLED_KERNEL, MEASURED_BUNDLE_SIZE);
  return payload === 'raw' ? fromLength(RAW_KERNEL, MEASURED_BUNDLE_SIZE) : null;
}

export function libkrunOrigin(version: string, citation: string): VmmOrigin {
  return { kind: 'vmm', vmm: 'libkrun', version, citation: `containers/libkrun ${citation}` };
}

/** Sorted by start; empty where the memory is unknown, 0, or too small for the kernel, at which libkrun panics. */
export function layOutLibkrun(description: GuestDescription, id: string): Region[] {
  const version = libkrunVersion(id);
  const guest = libkrunGuest(description);
  const size = description.memory?.value ?? 0n;
  const hole = kernelHole(guest);
  const memory = size > 0n ? libkrunMemory(size, hole) : null;
  if (!memory) return [];
  return sortRegions([
    ...ramRegions(description, version, memory, hole),
    ...gapRegions(description, version),
    ...windowRegions(description, version, guest, memory),
  ]);
}

interface RegionText {
  readonly range: AddressRange;
  readonly kind: RegionKind;
  readonly name: string;
  readonly reason: string;
  readonly approximate?: boolean;
}

function region(guest: GuestDescription, { id }: LibkrunVersion, text: RegionText, citation: string): Region {
  const at = guest.memory?.origin.kind === 'text' ? guest.memory.origin : guest.nameAt;
  const decided = text.kind === 'ram' && text.range.start >= MIB && guest.memory?.origin.kind === 'text';
  return {
    ...text,
    permissions: text.kind === 'mmio' ? 'rw-' : 'rwx',
    origin: decided && at ? fromText(at) : libkrunOrigin(id, citation),
    at,
  };
}

function ramRegions(
  guest: GuestDescription,
  version: LibkrunVersion,
  memory: LibkrunMemory,
  hole: KernelHole | null,
): Region[] {
  const make = (text: RegionText, citation = LAYOUT_SOURCE) => region(guest, version, text, citation);
  const size = guest.memory!.value;
  const regions = [
    make({
      range: { start: 0n, end: MP_TABLE },
      kind: 'ram',
      name: 'low RAM',
      reason: `RAM up to EBDA_START, ${hex(MP_TABLE)}: the first entry of the guest's memory map. GDT, boot parameters, page tables and the command line lie in it.`,
    }),
    make({
      range: { start: MP_TABLE, end: HIGH_MEMORY },
      kind: 'reserved',
      name: 'MP table and legacy area',
      reason:
        'Backed by memory, with the MP table at its start. A 64-bit boot leaves it out of the memory map; a PVH boot calls it reserved up to 0xe0000.',
    }),
  ];
  const above = memory.ram.find(({ start }) => start === FOUR_GIB);
  const low = memory.ram.filter(({ start }) => start !== FOUR_GIB);
  for (const range of low) {
    const start = range.start < HIGH_MEMORY ? HIGH_MEMORY : range.start;
    if (range.end <= start) continue;
    const behind = hole && range.start === hole.end;
    regions.push(
      make({
        range: { start, end: range.end },
        kind: 'ram',
        name: behind ? 'RAM behind the kernel' : 'RAM',
        reason: reasonOf(size, hole, above !== undefined, Boolean(behind)),
        ...(behind ? { approximate: true } : {}),
      }),
    );
  }
  if (hole) regions.push(make(kernelText(hole)));
  if (above) {
    regions.push(
      make({
        range: above,
        kind: 'ram',
        name: 'RAM above 4 GiB',
        reason: `What of the ${formatSize(size)} does not fit below the MMIO gap, which begins at ${hex(MMIO_START)}${hole ? '; the kernel’s hole is not made up for here' : ''}.`,
      }),
    );
  }
  return regions;
}

function reasonOf(size: bigint, hole: KernelHole | null, split: boolean, behind: boolean): string {
  if (split) return `RAM up to the MMIO gap, which begins at ${hex(MMIO_START)} (768 MiB below 4 GiB).`;
  if (!hole) return `The guest's ${formatSize(size)}, from address 0 on.`;
  return behind
    ? `The guest's whole ${formatSize(size)} behind the mapped kernel: libkrun puts the memory below the kernel on top, so there is more than was asked for.`
    : 'RAM below the mapped kernel, which comes on top of what was asked for.';
}

function kernelText(hole: KernelHole): RegionText {
  return {
    range: hole,
    kind: 'ram',
    name: 'kernel, mapped',
    reason: `The kernel image lies in a memory slot of its own, mapped from the host's file; ${formatSize(hole.end - hole.start)} is the size of one build (libkrunfw's Linux 6.12.76), and other builds differ.`,
    approximate: true,
  };
}

function gapRegions(guest: GuestDescription, version: LibkrunVersion): Region[] {
  return [
    region(
      guest,
      version,
      {
        range: { start: MMIO_START, end: FOUR_GIB },
        kind: 'mmio',
        name: 'MMIO gap',
        reason: `No RAM from ${hex(MMIO_START)} to 4 GiB: virtio-mmio devices take a page each from its start, IOAPIC and local APIC lie at 0xfec00000 and 0xfee00000, KVM's own pages at ${hex(KVM_TSS)}, and a firmware ends at 4 GiB.`,
      },
      'src/arch/src/x86_64/layout.rs, MMIO_MEM_START',
    ),
  ];
}

function windowRegions(
  guest: GuestDescription,
  version: LibkrunVersion,
  { windows }: LibkrunGuest,
  memory: LibkrunMemory,
): Region[] {
  return sharedWindows(memory, windows, version.facts).map((range, index) =>
    region(
      guest,
      version,
      {
        range,
        kind: 'reserved',
        name: index === 0 ? 'virtio-fs window' : `virtio-fs window ${index + 1}`,
        reason: `Memory for the files that virtio-fs maps (DAX), from 4 GiB or the next GiB above RAM; the memory map leaves it out.`,
      },
      version.facts.sharedMemory === 'fixed'
        ? 'src/arch/src/x86_64/mod.rs, MMIO_SHM_SIZE'
        : 'src/vmm/src/device_manager/shm.rs, ShmManager',
    ),
  );
}
