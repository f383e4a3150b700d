/** R7c: a fault at the target of an indirect jump while CET is on. */
import { hex } from '../../../address/format';
import { MIB } from '../../../address/range';
import { bit } from '../../../x86/bitField';
import { inKernel, linesOf, register, type CrashRule } from '../../crashFacts';
import type { OopsFacts } from '../facts';
import { isIdentityMapped } from '../addresses';

const CR4_CET = 23;

/** True where the marked instruction is ENDBR32 or ENDBR64 (f3 0f 1e fb, f3 0f 1e fa). */
function startsWithEndbranch(facts: OopsFacts): boolean {
  const code = facts.block?.code;
  if (!code || code.marker < 0) return false;
  const [a, b, c, d] = code.bytes.slice(code.marker, code.marker + 4);
  return a === 0xf3 && b === 0x0f && c === 0x1e && (d === 0xfa || d === 0xfb);
}

/** The first instruction behind an indirect jump into low memory has not retired. */
function isPendingJumpTarget(facts: OopsFacts): boolean {
  const rip = register(facts, 'rip');
  return (
    rip !== undefined &&
    rip < MIB &&
    inKernel(facts) &&
    isIdentityMapped(facts) &&
    facts.reboot?.blob?.entryPending === true
  );
}

export const missingEndbranch: CrashRule<OopsFacts> = {
  id: 'R7c',
  code: 'missing-endbranch-candidate',
  title: 'A #CP for a missing ENDBR is a candidate',
  confidence: 'possible',
  check(facts) {
    if (facts.oops.missingEndbr !== null) {
      return [
        {
          message: `The kernel recorded a #CP: the target ${facts.oops.missingEndbr} of an indirect branch has no ENDBR. With kernel IBT on, every such target needs one.`,
          severity: 'error',
          evidence: 'proven',
          cause: 'guest',
          confidence: 'certain',
          lines: facts.oops.headerLines.slice(0, 1),
        },
      ];
    }
    const cr4 = register(facts, 'cr4');
    if (cr4 === undefined || !bit(cr4, CR4_CET)) return [];
    if (!isPendingJumpTarget(facts) || startsWithEndbranch(facts)) return [];
    return [
      {
        message: `CR4 ${hex(cr4)} has CET (bit 23) on, and RIP ${hex(register(facts, 'rip')!)} is the target of an indirect far jump whose first instruction did not retire. If kernel IBT is what CET is on for, a target without ENDBR raises #CP exactly here: try ibt=off in the guest. The dump records no #CP.`,
        severity: 'information',
        evidence: 'inferred',
        cause: null,
        lines: linesOf(facts, 'cr4', 'rip'),
      },
    ];
  },
};
