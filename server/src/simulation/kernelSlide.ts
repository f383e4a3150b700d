/**
 * How far a Linux kernel that moved itself (KASLR) runs from where its symbols are linked: told only where it is certain.
 * The kernel writes the addresses of its entry points to MSRs, and it moves by multiples of 2 MiB within 1 GiB
 * (CONFIG_PHYSICAL_ALIGN, KERNEL_IMAGE_SIZE), so an entry point agrees with the symbols or it does not.
 */
import { addressOf, symbolAt, type SymbolTable } from '../machine/image/symbolTable';
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

/** In bytes, 0 for a kernel that did not move; null where the run does not prove it. */
export function kernelSlide(table: SymbolTable, timeline: readonly TimelineEvent[]): bigint | null {
  const entry = addressOf(table, 'entry_SYSCALL_64');
  if (entry === null) return null;
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
    } else if (slide !== null && OTHER_ENTRIES.has(index)) {
      const expected = event.value - slide;
      agreed ||= OTHER_ENTRIES.get(index)!.some((name) => addressOf(table, name) === expected);
    }
  }
  return agreed ? slide : null;
}

function possible(slide: bigint): boolean {
  return slide >= 0n && slide < RANGE && slide % ALIGNMENT === 0n;
}
