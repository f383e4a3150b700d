/** Addresses of devices where the machine has memory too. */
import { formatRange, formatSize } from '../../address/format';
import { overlappingPairs, type Overlap } from '../../address/intervals';
import { sizeOf } from '../../address/range';
import type { Document } from '../../machine/language';
import type { Machine, Region } from '../../machine/machine';
import { libkrunRamOverMmio } from '../../vmm/libkrun/knownIssues/ramOverMmio';
import type { Check } from '../check';
import { isBacked } from './backed';

/** Pairs reported a machine. */
const LIMIT = 50;

/** True where one is a device's and the other memory; `region-overlap` tells of the others. */
export function isDeviceOverMemory(document: Document, a: Region, b: Region): boolean {
  if (document.language === 'memmap') return false;
  return (a.kind === 'mmio' && isBacked(b.kind)) || (b.kind === 'mmio' && isBacked(a.kind));
}

/** libkrun's own way into it is a known issue with a code of its own. */
function isKnownIssue({ vmm, version }: Machine): boolean {
  return vmm === libkrunRamOverMmio.vmm && libkrunRamOverMmio.affected.includes(version ?? '');
}

/** Overlaps of a machine's regions; what a hole says is no claim to the addresses. */
function overlapsOf({ regions }: Pick<Machine, 'regions'>): (Overlap & {
  readonly lower: Region;
  readonly upper: Region;
})[] {
  const claims = regions.filter(({ kind }) => kind !== 'hole');
  return overlappingPairs(
    claims.map(({ range }) => range),
    LIMIT,
  ).map((pair) => ({ ...pair, lower: claims[pair.first]!, upper: claims[pair.second]! }));
}

/** What becomes of an access, by who runs the guest. */
function consequence(vmm: string | null): string {
  return vmm === 'bhyve' || vmm === 'propolis' || vmm === 'vmd'
    ? 'An access of the guest goes to one of them only, and the other is never reached.'
    : 'KVM looks for a memory slot first: the guest reads and writes memory there, and the device is never reached.';
}

export const mmioOverRam: Check = {
  code: 'mmio-over-ram',
  severity: 'error',
  title: 'Device addresses over memory',
  on: ['machine'],
  *run(document) {
    for (const machine of document.machines) {
      if (isKnownIssue(machine)) continue;
      for (const { lower, upper, shared } of overlapsOf(machine)) {
        if (!isDeviceOverMemory(document, lower, upper)) continue;
        const [device, memory] = lower.kind === 'mmio' ? [lower, upper] : [upper, lower];
        yield {
          at: device.at ?? memory.at,
          message: `${device.name} ${formatRange(device.range)}, addresses of devices, and ${memory.name} ${formatRange(memory.range)}, memory, share ${formatSize(sizeOf(shared))}, ${formatRange(shared)}. ${consequence(machine.vmm)}`,
          ...(device.at && memory.at
            ? { related: [{ at: memory.at, message: `${memory.name} ${formatRange(memory.range)}` }] }
            : {}),
        };
      }
    }
  },
};
