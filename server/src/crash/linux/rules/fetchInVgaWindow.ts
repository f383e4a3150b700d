/** R6: the CPU fetched from the VGA window. */
import { hex } from '../../../address/format';
import { linesOf, register, type CrashRule } from '../../crashFacts';
import type { OopsFacts } from '../facts';
import { isIdentityMapped } from '../addresses';

const VGA = { start: 0xa0000n, end: 0xc0000n };
/** What a guest finds that runs through memory that nobody wrote: zeros, EDK2's fill pattern, an unmapped bus. */
const FILLERS = [0x00, 0xaf, 0xff];

export const fetchInVgaWindow: CrashRule<OopsFacts> = {
  id: 'R6',
  code: 'fetch-in-vga-window',
  title: 'The CPU fetched from the VGA window',
  confidence: 'likely',
  check(facts) {
    const rip = register(facts, 'rip');
    if (rip === undefined || rip < VGA.start || rip >= VGA.end || !isIdentityMapped(facts)) return [];
    const code = facts.block?.code;
    const filler = code && code.bytes.every((value) => FILLERS.includes(value));
    const bytes = filler
      ? ` The bytes there are all ${[...new Set(code.bytes)].map(hex2).join(' or ')}.`
      : '';
    return [
      {
        message: `RIP ${hex(rip)} lies in the VGA window [0xa0000, 0xc0000), where no code is.${bytes} The guest ran off the end of low memory.`,
        severity: 'error',
        evidence: 'inferred',
        cause: null,
        lines: linesOf(facts, 'rip', 'code'),
      },
    ];
  },
};

function hex2(value: number): string {
  return value.toString(16).padStart(2, '0');
}
