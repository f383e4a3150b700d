/** A first instruction that cannot be fetched. */
import { hex } from '../../address/format';
import type { InitialVcpu } from '../../machine/bootState';
import { in64BitMode } from '../../x86/entryChecks/guestState';
import type { Check } from '../check';
import { bootsOf, pagingOn, placeOf, vcpuWord, written, type Boot } from './boots';

/** CS.base + RIP, or RIP in 64-bit mode; null where the state does not tell, and for a vCPU that waits to be started. */
function firstFetch({ state }: InitialVcpu): bigint | null {
  const long = in64BitMode(state);
  const cs = state.segments?.cs;
  if (state.rip === undefined || long === undefined || (state.activity ?? 0) !== 0) return null;
  if (long) return BigInt.asUintN(64, state.rip);
  return cs ? BigInt.asUintN(32, cs.base + state.rip) : null;
}

const CR4_LA57 = 1n << 12n;

/** Whether no CPU takes the address under this paging: bits 63:47 differ, 63:56 under five levels (SDM vol. 1, 3.3.7.1). */
function isNonCanonical({ state }: InitialVcpu, address: bigint): boolean {
  if (!in64BitMode(state)) return false;
  const width = state.cr4 === undefined || (state.cr4 & CR4_LA57) !== 0n ? 57 : 48;
  return BigInt.asUintN(64, BigInt.asIntN(width, address)) !== address;
}

function problemOf({ linear, memory }: Boot, vcpu: InitialVcpu, address: bigint): string | null {
  const outside = (physical: bigint, how: string) =>
    memory.known && !memory.coverage.covers({ start: physical, end: physical + 1n })
      ? `${how}, where no region has memory: the fetch gives all ones or ends in an MMIO exit that no VMM completes`
      : null;
  const paging = pagingOn(vcpu);
  if (paging === undefined) return null;
  if (!paging) return outside(address, `the first instruction is at ${hex(address)}`);
  if (isNonCanonical(vcpu, address))
    return `the first instruction is at ${hex(address)}, which is not canonical: VM entry fails (Intel), or the first fetch is a general-protection fault (AMD)`;
  if (!linear.known) return null;
  const mapping = linear.at(address);
  const faults = 'the first fetch is a page fault, before the guest can have a handler';
  if (!mapping) return `the page tables do not map the first instruction at ${hex(address)}: ${faults}`;
  if (mapping.executable === false)
    return `the page tables map the first instruction at ${hex(address)} with XD, no execution: ${faults}`;
  const physical = linear.translate(address);
  return physical === null
    ? null
    : outside(physical, `the first instruction at ${hex(address)} is mapped to ${hex(physical)}`);
}

export const entryPoint: Check = {
  code: 'boot-entry-unreachable',
  severity: 'error',
  title: 'First instruction that cannot be fetched',
  on: ['machine'],
  *run(document) {
    for (const boot of bootsOf(document)) {
      for (const vcpu of boot.state.vcpus) {
        const address = firstFetch(vcpu);
        const problem = address === null ? null : problemOf(boot, vcpu, address);
        if (problem === null) continue;
        const own = written(vcpu.origin);
        const words = own ? '' : ` So does this VMM start it on x86-64 (${boot.state.method}).`;
        yield {
          // What a VMM does on one of its architectures, the text may be meant for another.
          severity: own ? 'error' : 'information',
          at: placeOf(boot, vcpu, 'rip'),
          evidence: 'proven',
          message: `${vcpuWord(boot, vcpu)}${problem[0]!.toUpperCase()}${problem.slice(1)}.${words}`,
        };
      }
    }
  },
};
