/** P1: which exit it was, in words, where no known issue says more. */
import { hex } from '../../../address/format';
import type { CrashRule } from '../../crashFacts';
import type { ExitFacts } from '../facts';
import type { ExitKind } from '../scanner';
import { isRomWrite } from './romWrite';

/** PROT_READ, PROT_WRITE, PROT_EXEC. */
const ACCESSES: readonly (readonly [bit: number, words: string])[] = [
  [1, 'a read of'],
  [2, 'a write to'],
  [4, 'an instruction fetch from'],
];
/** INS and OUTS, behind a prefix or two. */
const STRING_IO = /^(?:f2|f3|66|67|48)?(?:f2|f3|66|67|48)?(?:6[c-f])/;

export const unhandledExit: CrashRule<ExitFacts> = {
  id: 'P1',
  code: 'propolis-unhandled-exit',
  title: 'Propolis has no answer to this exit',
  confidence: 'certain',
  check(facts) {
    if (isRomWrite(facts)) return [];
    const { kind, program, first, rip } = facts.exit;
    const end = program === 'propolis-server' ? 'propolis-server panics' : 'propolis-standalone aborts';
    const place = rip === null ? '' : ` at rip ${hex(rip)}`;
    return [
      {
        message: `${program} has no answer to the exit ${kind.name}${place}: ${describe(kind)}; ${end}.`,
        severity: 'warning',
        evidence: 'proven',
        // The exit is where it ends, not why the guest came there.
        cause: null,
        lines: [first],
      },
    ];
  },
};

function describe(kind: ExitKind): string {
  switch (kind.name) {
    case 'Paging': {
      const access = ACCESSES.filter(([bit]) => (kind.prot & bit) !== 0).map(([, words]) => words);
      return `${access.join(' and ') || 'an access to'} ${hex(kind.gpa)} where memory is mapped without that permission`;
    }
    case 'InstEmul':
      return instruction(kind.bytes);
    case 'VmxError':
    case 'SvmError':
      return 'the processor ended the guest for a reason that the kernel passes on; exit_reason or exit_code tells which';
    case 'Unknown':
      return 'an exit code that this Propolis does not know';
  }
}

function instruction(bytes: readonly number[] | null): string {
  if (bytes === null) return 'an instruction that the kernel could not emulate; its bytes are kept back';
  if (bytes.length === 0) {
    return 'an instruction that the kernel could not even fetch: the instruction pointer leads to no memory, or its page is not mapped';
  }
  const text = bytes.map((byte) => byte.toString(16).padStart(2, '0'));
  const string = STRING_IO.test(text.join(''))
    ? '. They begin with INS or OUTS, which the kernel leaves to the processor’s decode assists; hosts that lack them, nested ones too, are reported to end so (propolis issue 1168)'
    : '';
  return `an instruction that the kernel could not emulate, bytes ${text.join(' ')}${string}`;
}
