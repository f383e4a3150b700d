/**
 * How far a Linux kernel that moved itself (KASLR) runs from where its symbols are linked: told only where it is certain.
 * The kernel writes the addresses of its entry points to MSRs and to its interrupt descriptor table, and it moves by
 * multiples of 2 MiB within 1 GiB (CONFIG_PHYSICAL_ALIGN, KERNEL_IMAGE_SIZE), so an entry point agrees with the symbols or
 * it does not.
 */
import { addressOf, symbolAt, type SymbolTable } from '../machine/image/symbolTable';
import type { VcpuState } from '../x86/state';
import { translate, type ReadMemory } from './guestAddress';
import type { TimelineEvent } from './report';

const LSTAR = 0xc0000082;
const ALIGNMENT = 1n << 21n;
const RANGE = 1n << 30n;
/** Other entry points by MSR: they must have moved as far. */
const OTHER_ENTRIES: ReadonlyMap<number, readonly string[]> = new Map([
  [0xc0000083, ['entry_SYSCALL_compat', 'entry_SYSCALL32_ignore', 'ignore_sysret']],
  [0x176, ['entry_SYSENTER_compat']],
]);
/** Where the kernel writes LSTAR. */
const WRITERS: ReadonlySet<string> = new Set([
  'syscall_init',
  'idt_syscall_init',
  'cpu_init',
  'native_write_msr',
]);

/** Names of the handlers of exceptions, which every kernel has in its table: those of today, and those before 5.8. */
const HANDLERS: ReadonlyMap<number, readonly string[]> = new Map([
  [0, ['asm_exc_divide_error', 'divide_error']],
  [3, ['asm_exc_int3', 'int3']],
  [6, ['asm_exc_invalid_op', 'invalid_op']],
  [13, ['asm_exc_general_protection', 'general_protection']],
  [14, ['asm_exc_page_fault', 'page_fault', 'async_page_fault']],
]);
const GATE_SIZE = 16;
const LMA = 1n << 10n;

/**
 * The same from the interrupt descriptor table of a vCPU in IA-32e mode (SDM vol. 3, 7.14.1): three handlers at least must
 * have moved as far, and none otherwise.
 */
export function slideOfHandlers(table: SymbolTable, state: VcpuState, read: ReadMemory): bigint | null {
  if ((state.efer & LMA) === 0n) return null;
  let slide: bigint | null = null;
  let agreed = 0;
  for (const [vector, names] of HANDLERS) {
    const linked = names.map((name) => addressOf(table, name)).filter((address) => address !== null);
    const handler = handlerOf(state, vector, read);
    if (linked.length === 0 || handler === null) continue;
    const moved: bigint | undefined = linked.map((address) => handler - address).find(possible);
    if (moved === undefined || (slide !== null && moved !== slide)) return null;
    slide = moved;
    agreed++;
  }
  return agreed >= 3 ? slide : null;
}

function handlerOf(state: VcpuState, vector: number, read: ReadMemory): bigint | null {
  const offset = vector * GATE_SIZE;
  if (offset + GATE_SIZE - 1 > state.idtr.limit) return null;
  const physical = translate(state, state.idtr.base + BigInt(offset), read);
  const gate = physical === null ? null : read(physical, GATE_SIZE);
  if (!gate || (gate[5]! & 0x80) === 0) return null;
  const view = new DataView(gate.buffer, gate.byteOffset, GATE_SIZE);
  const low = view.getUint16(0, true) + view.getUint16(6, true) * 0x10000;
  return (BigInt(view.getUint32(8, true)) << 32n) | BigInt(low);
}

/** In bytes, 0 for a kernel that did not move; null where the run does not prove it. */
export function kernelSlide(table: SymbolTable, timeline: readonly TimelineEvent[]): bigint | null {
  const entry = addressOf(table, 'entry_SYSCALL_64');
  if (entry === null) return null;
  const others = new Map(
    [...OTHER_ENTRIES].map(([index, names]) => [index, names.map((name) => addressOf(table, name))]),
  );
  let slide: bigint | null = null;
  let agreed = false;
  for (const event of timeline) {
    if (event.event !== 'msr-write') continue;
    const index = event.index >>> 0;
    if (index === LSTAR) {
      const moved = event.value - entry;
      if (!possible(moved) || (slide !== null && slide !== moved)) return null;
      slide = moved;
      agreed ||= WRITERS.has(symbolAt(table, event.rip - moved)?.name ?? '');
    } else if (slide !== null) {
      agreed ||= others.get(index)?.includes(event.value - slide) === true;
    }
  }
  return agreed ? slide : null;
}

function possible(slide: bigint): boolean {
  return slide >= 0n && slide < RANGE && slide % ALIGNMENT === 0n;
}
