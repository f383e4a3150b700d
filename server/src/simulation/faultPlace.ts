/** Where a vCPU is, in words and as a region of the machine. */
import { formatRange, hex } from '../address/format';
import { regionAt, type Machine, type Region } from '../machine/machine';
import { modeOf, type VcpuState } from '../x86/state';
import { instructionAddress, translate, type ReadMemory } from './guestAddress';

export interface Place {
  /** `0x9a070 (reboot+0x1c, protected-32 mode, guest physical 0x9a070 in low memory [0x0, 0xa0000))`. */
  readonly text: string;
  /** Null where the page tables have no entry for it. */
  readonly physical: bigint | null;
  readonly region: Region | null;
}

/** Of the instruction pointer of a state. `symbol` is its name, where there is one. */
export function placeOf(
  state: VcpuState,
  machine: Machine,
  read: ReadMemory,
  symbol: string | null = null,
): Place {
  const linear = instructionAddress(state);
  const physical = translate(state, linear, read);
  const region = physical === null ? null : (regionAt(machine, physical) ?? null);
  const mode = `${symbol === null ? '' : `${symbol}, `}${modeOf(state)} mode`;
  if (physical === null) return { text: `${hex(linear)} (${mode}, not mapped)`, physical, region };
  const where = region ? `in ${region.name} ${formatRange(region.range)}` : 'in no range of the VM';
  return {
    text:
      physical === linear
        ? `${hex(linear)} (${mode}, ${where})`
        : `${hex(linear)} (${mode}, guest physical ${hex(physical)}, ${where})`,
    physical,
    region,
  };
}

/** The first chain of two or more faults that a vCPU went through, for runs that did not end in a triple fault. */
export function nestedFaults<T>(chains: readonly (readonly T[])[]): readonly T[] {
  return chains.find((chain) => chain.length >= 2) ?? [];
}
