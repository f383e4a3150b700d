/** R33: an access near address 0. */
import { hex } from '../../../address/format';
import { PAGE } from '../../../address/range';
import { explainPageFaultError } from '../../../x86/pageFaultError';
import { linesOf, register, type CrashRule, type RuleFinding } from '../../crashFacts';
import type { OopsFacts } from '../facts';
import { formatSymbol } from '../oops';

/**
 * The header's address before CR2: where the kernel tries to read code bytes at a wild RIP, CR2 is the address of that
 * later fault by the time the registers are printed.
 */
function faultAddress(facts: OopsFacts): bigint | undefined {
  if (facts.oops.kind !== 'page-fault') return undefined;
  return facts.oops.faultAddress ?? register(facts, 'cr2');
}

function where(facts: OopsFacts): string {
  const symbol = facts.block?.symbol;
  if (symbol) return formatSymbol(symbol);
  const rip = register(facts, 'rip');
  return rip === undefined ? 'an unknown place' : hex(rip);
}

export const nullPointer: CrashRule<OopsFacts> = {
  id: 'R33',
  code: 'null-pointer-access',
  title: 'An access near address 0',
  confidence: 'possible',
  check(facts): readonly RuleFinding[] {
    const address = faultAddress(facts);
    if (address === undefined || address >= PAGE) return [];
    const lines = [...(facts.oops.faultLine ? [facts.oops.faultLine] : []), ...linesOf(facts, 'rip', 'cr2')];
    const rip = register(facts, 'rip');
    if (rip !== undefined && rip < PAGE) return [calledNull(facts, rip, lines)];
    const code = facts.oops.errorCode;
    const access = code === null ? 'an access' : `a ${explainPageFaultError(code).summary.split(' ·')[0]}`;
    const pointer =
      address === 0n
        ? 'through a null pointer'
        : `at offset ${hex(address)} of what a null pointer should have pointed to`;
    return [
      {
        message: `${capital(access)} at ${hex(address)} in ${where(facts)} faulted: below 4096, so most likely ${pointer}. The instruction at RIP used the pointer; who left it null is further up the trace.`,
        severity: 'error',
        evidence: 'inferred',
        cause: 'guest',
        lines,
      },
    ];
  },
};

function calledNull(facts: OopsFacts, rip: bigint, lines: RuleFinding['lines']): RuleFinding {
  const caller = facts.oops.trace.find(({ reliable, stack }) => reliable && stack !== '#DF');
  const by = caller
    ? `the first reliable frame is ${formatSymbol(caller.symbol)}, which made the call`
    : 'the trace has no reliable frame to name the caller';
  return {
    message: `RIP is ${hex(rip)}: the CPU fetched from address ${hex(rip)}, so a call or jump went through a null function pointer. ${capital(by)}.`,
    severity: 'error',
    evidence: 'inferred',
    cause: 'guest',
    lines: caller ? [...lines, caller.line] : lines,
  };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
