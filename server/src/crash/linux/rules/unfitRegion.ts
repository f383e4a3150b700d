/** R7: code, page tables or the stack lie where the machine has no RAM. */
import { formatRange, hex } from '../../../address/format';
import { regionAt, type RegionKind } from '../../../machine/machine';
import { linesOf, type CrashRule, type RuleFinding } from '../../crashFacts';
import type { OopsFacts } from '../facts';
import { straddles, type GuestPhysical } from '../../locate';
import { guestPhysicalAddresses } from '../addresses';

const UNFIT: ReadonlySet<RegionKind> = new Set(['reserved', 'rom', 'mmio', 'hole']);
/** Firmware runs from its ROM and the shadow below 1 MiB: there RIP is at home. */
const FIRMWARE_SHADOW = { start: 0xc0000n, end: 0x100000n };

/**
 * The addresses that must be RAM: the page table, and RIP under its assumption. CR2 is what was not reachable, so its
 * region says nothing.
 */
function mustBeRam(address: GuestPhysical): boolean {
  return address.register === 'cr3' || address.register === 'rip';
}

export const unfitRegion: CrashRule<OopsFacts> = {
  id: 'R7',
  code: 'address-outside-ram',
  title: 'Code or a page table lies where the machine has no RAM',
  confidence: 'likely',
  check(facts): readonly RuleFinding[] {
    const found: RuleFinding[] = [];
    for (const { machine, versionAssumed } of facts.candidates) {
      for (const address of guestPhysicalAddresses(facts).filter(mustBeRam)) {
        const region = regionAt(machine, address.address);
        const across = straddles(machine, address.address);
        if (region && !UNFIT.has(region.kind) && !across) continue;
        // Rounded lengths leave gaps that are none.
        const vague = machine.regions.length === 0 || machine.regions.some(({ approximate }) => approximate);
        if (!region && vague) continue;
        if (address.register === 'rip' && isFirmware(address.address, region?.kind)) continue;
        const place = region
          ? across && !UNFIT.has(region.kind)
            ? `reaches over the end of ${region.name} ${formatRange(region.range)}`
            : `lies in ${region.name} ${formatRange(region.range)}, which is ${region.kind}`
          : 'lies in no region';
        const assumed = versionAssumed ? ' if it runs on the newest version (none was named)' : '';
        found.push({
          message: `${address.what} ${hex(address.address)} ${place} in ${machine.name}${assumed}. A guest can use only RAM for it${contradiction(facts, address)}.`,
          severity: versionAssumed ? 'information' : 'error',
          ...(versionAssumed ? { confidence: 'possible' as const } : {}),
          evidence: 'inferred',
          cause: null,
          lines: linesOf(facts, address.register),
          at: region?.at ?? machine.nameAt,
        });
      }
    }
    return found;
  },
};

function isFirmware(address: bigint, kind: RegionKind | undefined): boolean {
  return kind === 'rom' || (address >= FIRMWARE_SHADOW.start && address < FIRMWARE_SHADOW.end);
}

/** Linux takes its blob from the RAM of the e820 map: such a map is not the one that the guest was given. */
function contradiction(facts: OopsFacts, address: GuestPhysical): string {
  const blob = facts.reboot?.blob;
  if (!blob || (address.register === 'rip' && address.address < blob.physical)) return '';
  return ', and Linux chose this place from its own memory map: the guest probably ran on another map than this one';
}
