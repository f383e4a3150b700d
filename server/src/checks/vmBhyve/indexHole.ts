/** Numbered keys: vm-bhyve counts from 0 and stops at the first that is missing. */
import type { GuestLine } from '../../vmm/bhyve/vmBhyve/reader';
import { patternOf } from '../../vmm/bhyve/vmBhyve/keys';
import { at } from '../places';
import { given, vmBhyveCheck, type Guest } from './vmBhyveCheck';

/** The keys by which each series goes on. */
const SERIES: readonly {
  readonly prefix: string;
  readonly what: string;
  readonly needs: readonly string[];
}[] = [
  { prefix: 'disk', what: 'disk', needs: ['diskN_name', 'diskN_type'] },
  { prefix: 'network', what: 'network interface', needs: ['networkN_type'] },
  { prefix: 'passthru', what: 'passthru device', needs: ['passthruN'] },
  { prefix: 'virt_console', what: 'console', needs: ['virt_consoleN'] },
  { prefix: 'grub_run', what: 'command', needs: ['grub_runN'] },
  { prefix: 'grub_install', what: 'command', needs: ['grub_installN'] },
];

export const indexHole = vmBhyveCheck(
  { code: 'vm-bhyve-index-hole', severity: 'warning', title: 'A numbered key behind a missing one' },
  function* (guest) {
    const numbered = new Map<string, Map<number, GuestLine>>();
    for (const [key, line] of guest.values) {
      const { pattern, number } = patternOf(key);
      const prefix = pattern.slice(0, pattern.indexOf('N'));
      if (number === null || /^0\d|\d{5}/.test(number) || line.value === '') continue;
      const lines = numbered.get(prefix) ?? new Map<number, GuestLine>();
      if (!lines.has(Number(number))) lines.set(Number(number), line);
      numbered.set(prefix, lines);
    }
    for (const { prefix, what, needs } of SERIES) {
      const lines = numbered.get(prefix);
      if (!lines) continue;
      const { next, missing } = firstHole(guest, needs);
      for (const [number, line] of lines) {
        if (number < next) continue;
        yield {
          at: at(guest, line.keySpan),
          message: `vm-bhyve counts from 0 and stops where \`${missing}\` is missing or empty: ${what} ${number} is not there.`,
        };
      }
    }
  },
);

function firstHole(guest: Guest, needs: readonly string[]): { next: number; missing: string } {
  for (let next = 0; ; next++) {
    const missing = needs.map((key) => key.replace('N', String(next))).find((key) => !given(guest, key));
    if (missing !== undefined) return { next, missing };
  }
}
