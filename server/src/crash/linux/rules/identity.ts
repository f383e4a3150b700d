/** R36: which oops of several comes first, what tainted the kernel, which VMM the guest ran under. */
import { hex } from '../../../address/format';
import { bit } from '../../../x86/bitField';
import { linesOf, register, type CrashRule } from '../../crashFacts';
import type { OopsFacts } from '../facts';

/** Documentation/admin-guide/tainted-kernels.rst. */
const TAINTS: Readonly<Record<string, string>> = {
  P: 'proprietary module',
  F: 'module was force loaded',
  S: 'hardware that is out of its specification',
  R: 'module was force unloaded',
  M: 'machine check exception',
  B: 'bad page reference',
  U: 'taint requested by user space',
  D: 'an oops or BUG before this one',
  A: 'ACPI table overridden',
  W: 'a kernel warning before this',
  C: 'staging driver',
  I: 'workaround for a firmware bug',
  O: 'out-of-tree module',
  E: 'unsigned module',
  L: 'soft lockup before this',
  K: 'live patch',
  X: 'auxiliary taint of the distribution',
  T: 'built with structure randomisation',
  N: 'in-kernel test',
  J: 'debug operation of fwctl that changes a device',
};

export const severalOopses: CrashRule<OopsFacts> = {
  id: 'R36',
  code: 'several-oopses',
  title: 'Several oopses of one machine',
  confidence: 'certain',
  check(facts) {
    if (facts.siblings < 2) return [];
    const number = facts.oops.number === null ? '' : ` (#${facts.oops.number})`;
    return [
      {
        message:
          facts.rank === 1
            ? `This is the first of ${facts.siblings} oopses of this machine in the text${number}. The later ones are usually fallout of it.`
            : `This is oops ${facts.rank} of ${facts.siblings} of this machine in the text${number}. Read the first one before it: later ones are usually fallout.`,
        severity: 'information',
        evidence: 'proven',
        cause: null,
        lines: facts.oops.headerLines.slice(0, 1),
      },
    ];
  },
};

export const taintedKernel: CrashRule<OopsFacts> = {
  id: 'R36',
  code: 'tainted-kernel',
  title: 'The kernel was tainted',
  confidence: 'certain',
  check(facts) {
    const { taint, processLine } = facts.oops;
    // G only says that all modules are free software.
    const letters = [...(taint ?? '')].filter((letter) => letter !== 'G');
    if (letters.length === 0) return [];
    const words = letters.map((letter) => `${letter} (${TAINTS[letter] ?? 'unknown'})`).join(', ');
    return [
      {
        message: `The kernel was tainted before this crash: ${words}. ${letters.includes('D') ? 'D means that this is not the first oops of this boot: look for the earlier one.' : 'The crash may come from what tainted it.'}`,
        severity: 'information',
        evidence: 'proven',
        cause: null,
        lines: processLine ? [processLine] : [],
      },
    ];
  },
};

export const vmmIdentified: CrashRule<OopsFacts> = {
  id: 'R36',
  code: 'vmm-identified',
  title: 'Which VMM the guest ran under',
  confidence: 'certain',
  check(facts) {
    const { hardware, hardwareLine } = facts.oops;
    if (!facts.vmm || !hardware || !hardwareLine) return [];
    return [
      {
        message: `Hardware name "${hardware}": the guest ran under ${facts.vmm.title}. Addresses below are looked up in configs of this VMM only.`,
        severity: 'information',
        evidence: 'proven',
        cause: null,
        lines: [hardwareLine],
      },
    ];
  },
};

const CR0_NE = 5;

/**
 * vmm(4) masks CR0.NE on Intel and never sets the read shadow's bit (sys/arch/amd64/amd64/vmm_machdep.c rev 1.64), so
 * the guest reads 0 whatever it wrote.
 */
export const vmmOwnedBits: CrashRule<OopsFacts> = {
  id: 'K6',
  code: 'vmm-owned-register-bit',
  title: 'A control register bit is the VMM’s, not the guest’s',
  confidence: 'likely',
  check(facts) {
    const cr0 = register(facts, 'cr0');
    if (facts.vmm?.model !== 'vmd' || cr0 === undefined || bit(cr0, CR0_NE)) return [];
    return [
      {
        message: `CR0 ${hex(cr0)} reads NE (bit 5) as 0, which Linux always sets: vmm(4) masks this bit on Intel hosts, so it is most likely the VMM’s mark and no guest state, and the host an Intel machine.`,
        severity: 'information',
        evidence: 'inferred',
        cause: null,
        lines: linesOf(facts, 'cr0'),
      },
    ];
  },
};
