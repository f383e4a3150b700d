/** R16 and R17: states that no processor is in, and one that is legal but has consequences. */
import { hex } from '../../../address/format';
import { bit } from '../../../x86/bitField';
import { linesOf, register, type CrashRule, type RuleFinding } from '../../crashFacts';
import type { RegisterFacts } from '../facts';

interface Impossible {
  readonly registers: readonly string[];
  readonly message: string;
}

/** SDM vol. 3, 4.1.2 and 26.3.1; APM vol. 2, 15.5.1. */
function impossibilities(facts: RegisterFacts): Impossible[] {
  const found: Impossible[] = [];
  const cr0 = register(facts, 'cr0')!;
  const cr4 = register(facts, 'cr4');
  const efer = register(facts, 'efer');
  if (bit(cr0, 31) && !bit(cr0, 0))
    found.push({ registers: ['cr0'], message: `CR0 ${hex(cr0)} has PG 1 with PE 0` });
  if (efer === undefined || !bit(efer, 10)) return found;
  if (!bit(cr0, 31)) {
    found.push({
      registers: ['efer', 'cr0'],
      message: `EFER ${hex(efer)} has LMA 1 with CR0.PG 0 (CR0 ${hex(cr0)})`,
    });
  }
  if (cr4 !== undefined && !bit(cr4, 5)) {
    found.push({
      registers: ['efer', 'cr4'],
      message: `EFER ${hex(efer)} has LMA 1 with CR4.PAE 0 (CR4 ${hex(cr4)})`,
    });
  }
  if (facts.codeSize?.long && facts.codeSize.wide === true) {
    found.push({
      registers: ['cs', 'efer'],
      message: 'CS has L and D both 1 under LMA 1, which is reserved',
    });
  }
  return found;
}

export const impossibleState: CrashRule<RegisterFacts> = {
  id: 'R16',
  code: 'impossible-cpu-state',
  title: 'No processor is in this state',
  confidence: 'likely',
  check(facts): readonly RuleFinding[] {
    return impossibilities(facts).map(({ registers, message }) => ({
      message: `${message}. No processor gets into this state by itself, and a VM entry with it fails: somebody wrote the registers so, or they were not taken at one moment.`,
      severity: 'error',
      evidence: 'proven',
      cause: null,
      lines: linesOf(facts, ...registers),
    }));
  },
};

/** Legal, and no fault: rules that ask for 32-bit legacy mode have to fire themselves. */
export const compatibilityMode: CrashRule<RegisterFacts> = {
  id: 'R17',
  code: 'compatibility-mode',
  title: 'The CPU is in compatibility mode',
  confidence: 'certain',
  check(facts): readonly RuleFinding[] {
    const efer = register(facts, 'efer');
    if (facts.mode.mode !== 'compatibility' || efer === undefined) return [];
    return [
      {
        message: `EFER ${hex(efer)} has LMA 1 and CS.L is 0: compatibility mode, which is legal. RIP and RSP are used with 32 bits; exceptions and interrupts, #VC included, go through 64-bit gates and push 64-bit frames.`,
        severity: 'information',
        evidence: 'proven',
        cause: null,
        lines: linesOf(facts, 'efer', 'cs'),
      },
    ];
  },
};
