/** Exits that Propolis does not handle (F9): `Unhandled VM exit` of propolis-server, `Unhandled exit` of propolis-standalone. */
import type { Hypothesis } from '../../machine/knownIssue';
import { defineFormat } from '../dumpFormat';
import { propolisRomWrite } from '../knownIssues';
import { exitFacts, type ExitFacts } from './facts';
import { isRomWrite, romWrite } from './rules/romWrite';
import { unhandledExit } from './rules/unhandledExit';
import { EXIT_SIGN, PropolisExitScanner } from './scanner';

export const propolisExit = defineFormat({
  id: 'propolis-exit',
  plural: 'unhandled exits of Propolis',
  sign: EXIT_SIGN,
  lineStarts: [],
  joined: [],
  looksFor:
    'an exit that Propolis does not handle: "vCPU 0: Unhandled VM exit: Paging(…)" or "Unhandled exit @rip:… InstEmul(…)"',
  rules: [romWrite, unhandledExit],
  scanner: () => new PropolisExitScanner(),
  facts: exitFacts,
  title: ({ exit: { kind, vcpu, program } }: ExitFacts) =>
    `${program}: unhandled exit ${kind.name}${vcpu === null ? '' : ` of vCPU ${vcpu}`}`,
  verdict: ({ exit: { kind } }: ExitFacts) =>
    `Propolis ended at an exit that it does not handle (${kind.name}). Why the guest came there is not recorded.`,
  hypotheses: (facts): readonly Hypothesis[] => (isRomWrite(facts) ? propolisRomWrite.hypotheses : []),
  addresses: ({ exit: { kind } }: ExitFacts) =>
    kind.name === 'Paging'
      ? [
          {
            what: 'Paging exit',
            address: kind.gpa,
            role: 'certain',
            why: 'a paging exit names a guest-physical address',
            register: '',
          },
        ]
      : [],
});
