/** One line for each event of a boot's timeline. */
import { hex } from '../address/format';
import { exceptionTitle } from '../x86/exceptions';
import { msrName } from '../x86/msr';
import type { TimelineEvent } from '../simulation/report';
import { withoutEscapes } from './terminalText';

const IA32_TSC_DEADLINE = 0x6e0;

/** An instruction count with thin grouping: `1 234 567`. */
export function ticksText(at: number): string {
  return String(at).replace(/\B(?=(\d{3})+$)/g, ' ');
}

/**
 * The timeline for people, one line an event: `       1 234  vCPU 0  CR0 ← 0x80000011 (was 0x11)`. Firmware goes through
 * the same mode switches again and again, so an event is printed when it first happens; `repeated` tells of more.
 * What the guest writes and what the VMM does is always printed.
 */
export function distinctEvents(events: readonly TimelineEvent[]): { lines: string[]; repeated: boolean } {
  const seen = new Set<string>();
  const lines: string[] = [];
  let repeated = false;
  for (const event of events) {
    // A blank line on the console is nothing to read here; the console itself is printed whole.
    if (event.event === 'console' && withoutEscapes(event.text).trim() === '') continue;
    const what = `vCPU ${event.vcpu}  ${describe(event)}`;
    if (event.event !== 'console' && event.event !== 'verdict') {
      const key = isTimerDeadline(event) ? `vCPU ${event.vcpu}  deadline at ${event.rip}` : what;
      if (event.event === 'repeated' || seen.has(key)) {
        repeated = true;
        continue;
      }
      seen.add(key);
    }
    lines.push(`${ticksText(event.at).padStart(14)}  ${what}`);
  }
  return { lines, repeated };
}

/** The local APIC timer set once more: its value is another one each time. */
function isTimerDeadline(event: TimelineEvent): event is TimelineEvent & { event: 'msr-write' } {
  return event.event === 'msr-write' && event.index >>> 0 === IA32_TSC_DEADLINE;
}

/** `CR0 ← 0x80000011 (was 0x11) at 0x7c00 (start+0x1c)`: the event without its time and vCPU. */
export function describe(event: TimelineEvent): string {
  const symbol = event.symbol === undefined ? '' : ` (${event.symbol})`;
  switch (event.event) {
    case 'mode':
      return `${event.from} → ${event.to} mode, paging ${event.paging}, at ${hex(event.rip)}${symbol}`;
    case 'cr-write':
      return `${event.register.toUpperCase()} ← ${hex(event.value)} (was ${hex(event.previous)}) at ${hex(event.rip)}${symbol}`;
    case 'msr-write':
      return `${msrText(event.index >>> 0)} ← ${hex(event.value)} at ${hex(event.rip)}${symbol}`;
    case 'table-load': {
      const selector = event.selector === null ? '' : ` selector ${hex(event.selector)}`;
      return `${event.table.toUpperCase()} ←${selector} base ${hex(event.base)} limit ${hex(event.limit >>> 0)} at ${hex(event.rip)}${symbol}`;
    }
    case 'exception': {
      const code = event.errorCode === null ? '' : `, error code ${hex(event.errorCode)}`;
      const address = event.cr2 === null ? '' : `, CR2 ${hex(event.cr2)}`;
      return `${exceptionTitle(event.vector)} at ${hex(event.rip)}${symbol}${code}${address}`;
    }
    case 'interrupt':
      return `interrupt ${hex(event.vector)} (${event.source})`;
    case 'ipi':
      return `ICR ← ${hex(event.icr)} at ${hex(event.rip)}${symbol}`;
    case 'init':
      return 'INIT';
    case 'sipi':
      return `start-up IPI, vector ${hex(event.vector)}: starts at ${hex(event.vector << 12)}`;
    case 'halt':
      return `HLT at ${hex(event.rip)}${symbol}`;
    case 'console':
      return `console: ${JSON.stringify(withoutEscapes(event.text))}`;
    case 'verdict':
    case 'repeated':
    case 'omitted':
      return event.text;
  }
}

/** `IA32_EFER (MSR 0xc0000080)`, or the number alone for one without a name. */
function msrText(index: number): string {
  const name = msrName(index);
  return name ? `${name} (MSR ${hex(index)})` : `MSR ${hex(index)}`;
}
