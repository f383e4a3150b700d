/** Names for addresses of a run: of states, of fault chains and of timelines. */
import type { KernelSymbols } from '../machine/image/symbolFiles';
import { linkedAddress, symbolAt, symbolText, type SymbolTable } from '../machine/image/symbolTable';
import type { CpuMode, VcpuState } from '../x86/state';
import { instructionAddress, translate, type ReadMemory } from './guestAddress';
import { kernelSlide, slideOfHandlers } from './kernelSlide';
import type { TimelineEvent } from './report';

export interface Symbolizer {
  /** `start_kernel+0x1c` of the instruction pointer of a state, or null. */
  ofState(state: VcpuState, read: ReadMemory): string | null;
  /** The same events; those that have an instruction pointer with a name get `symbol`. */
  ofTimeline(events: readonly TimelineEvent[], last: readonly CpuMode[]): readonly TimelineEvent[];
}

const PG = 1n << 31n;
/** In these modes code segments start at 0 on every kernel, and an event's rip is a linear address. */
const FLAT_MODES: ReadonlySet<CpuMode> = new Set(['protected-32', 'compatibility', 'long']);

/** What shows where a kernel runs. */
export interface Evidence {
  readonly timeline: readonly TimelineEvent[];
  /** Of all vCPUs at the end. */
  readonly states: readonly VcpuState[];
  readonly read: ReadMemory;
}

/** For the symbols of a request and the timeline of its run; a sentence where they cannot be used. */
export function createSymbolizer(
  { file, table, loadedAsLinked }: KernelSymbols,
  { timeline, states, read }: Evidence,
): Symbolizer | string {
  const slide = loadedAsLinked ? 0n : provenSlide(table, timeline, states, read);
  if (slide === null) {
    return `symbols of ${file}: the kernel may have moved itself (KASLR), and neither its IDT nor what it wrote to IA32_LSTAR shows how far, so no address is named`;
  }
  const linked = (address: bigint) => {
    const named = symbolAt(table, address - slide);
    return named && symbolText(named);
  };
  /** Where it was loaded is known from its segments only if it was loaded by them. */
  const loaded = (physical: bigint) => {
    const address = loadedAsLinked ? linkedAddress(table, physical) : null;
    const named = address === null ? null : symbolAt(table, address);
    return named && symbolText(named);
  };
  return {
    ofState(state, read) {
      const linear = instructionAddress(state);
      if ((state.cr0 & PG) === 0n) return loaded(linear) ?? linked(linear);
      // A kernel that has just switched paging on still runs at its physical address.
      return linked(linear) ?? (translate(state, linear, read) === linear ? loaded(linear) : null);
    },
    ofTimeline: (events, last) => namedTimeline(events, last, linked, loaded),
  };
}

/** The table as it stands at the end counts first; what both say must agree. */
function provenSlide(
  table: SymbolTable,
  timeline: Evidence['timeline'],
  states: Evidence['states'],
  read: ReadMemory,
): bigint | null {
  const found = states.map((state) => slideOfHandlers(table, state, read)).filter((slide) => slide !== null);
  const written = kernelSlide(table, timeline);
  if (written !== null) found.push(written);
  return found.length > 0 && found.every((slide) => slide === found[0]) ? found[0]! : null;
}

type NameOf = (address: bigint) => string | null;

/**
 * Events have no page tables. An address is taken for a physical one while the vCPU has not yet been seen at a linked
 * address since it started: before that there are no user programs, which may live at any low address.
 */
function namedTimeline(
  events: readonly TimelineEvent[],
  last: readonly CpuMode[],
  linked: NameOf,
  loaded: NameOf,
): readonly TimelineEvent[] {
  const modes = modesAt(events, last);
  const high = new Set<number>();
  return events.map((event, index) => {
    if (event.event === 'init' || event.event === 'sipi') high.delete(event.vcpu);
    if (event.event === 'verdict') high.clear();
    if (!('rip' in event) || !FLAT_MODES.has(modes[index]!)) return event;
    const atLinked = linked(event.rip);
    const symbol = atLinked ?? (high.has(event.vcpu) ? null : loaded(event.rip));
    if (atLinked !== null && loaded(event.rip) === null) high.add(event.vcpu);
    return symbol === null ? event : { ...event, symbol };
  });
}

/** The mode of the event's vCPU at each event: as its last mode event left it, else as its next one finds it. */
function modesAt(events: readonly TimelineEvent[], last: readonly CpuMode[]): CpuMode[] {
  const next = [...last];
  const modes = events.map<CpuMode>(() => 'real');
  for (let index = events.length - 1; index >= 0; index--) {
    const event = events[index]!;
    if (event.event === 'mode') next[event.vcpu] = event.from;
    modes[index] = next[event.vcpu] ?? 'real';
  }
  const present = new Map<number, CpuMode>();
  events.forEach((event, index) => {
    modes[index] = present.get(event.vcpu) ?? modes[index]!;
    if (event.event === 'mode') present.set(event.vcpu, event.to);
    else if (event.event === 'init' || event.event === 'sipi') present.set(event.vcpu, 'real');
    // Nor is it known what the vCPUs did where events are missing.
    else if (event.event === 'verdict' || event.event === 'omitted') present.clear();
  });
  return modes;
}
