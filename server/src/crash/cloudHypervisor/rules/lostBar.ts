/** A device that the guest moved to where the VMM has no addresses: R10's kind, and the known issue chv-guest-phys-bits. */
import { hex } from '../../../address/format';
import type { CrashRule } from '../../crashFacts';
import { chvGuestPhysicalBits as issue } from '../../knownIssues';
import type { LogFacts } from '../facts';

/** DEFAULT_MAX_PHYS_BITS: without an option no device can be at or above it. */
const DEFAULT_LIMIT = 46;

/** Bits that an address needs. */
const bits = (address: bigint): number => address.toString(2).length;

export const lostBar: CrashRule<LogFacts> = {
  id: 'R10',
  code: 'device-outside-window',
  title: 'A device was moved to where no device can be',
  confidence: 'certain',
  check({ event }) {
    if (event.kind !== 'lost-bar') return [];
    const { from, to, size } = event.bar;
    return [
      {
        message: `The guest gave a BAR of ${hex(size)} bytes the address ${hex(to)}, which the VMM has no room at: the device stays at ${hex(from)}, and a guest that goes by the new address reads all ones.`,
        severity: 'error',
        evidence: 'proven',
        cause: null,
        lines: [event.first],
      },
    ];
  },
};

export const guestPhysicalBits: CrashRule<LogFacts> = {
  id: issue.id,
  code: issue.id,
  title: issue.title,
  confidence: 'likely',
  check({ event }) {
    if (event.kind !== 'lost-bar') return [];
    const { from, to } = event.bar;
    const needed = bits(to);
    // Devices are placed from the top of the address space down, so the old address tells its width.
    const width = bits(from);
    if (needed <= width) return [];
    return [
      {
        message: `${hex(to)} needs ${needed} bits of physical address, and the device had ${hex(from)}, which needs ${width}: the guest took a larger width than the VMM gives. On AMD hosts versions before v53.0 told PhysAddrSize less what SME takes (43 of 48) and left GuestPhysAddrSize as KVM has it (48); with max_phys_bits below the host’s width any host does.`,
        severity: 'error',
        evidence: 'inferred',
        cause: 'vmm',
        confidence: needed > DEFAULT_LIMIT ? 'likely' : 'possible',
        lines: [event.first],
      },
    ];
  },
};
