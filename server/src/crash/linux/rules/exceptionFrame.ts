/** R1, R1b, R1c: the CPU could not push onto the stack, and CR2 says which push it was. */
import { hex } from '../../../address/format';
import { PAGE } from '../../../address/range';
import { inKernel, linesOf, register, type CrashRule, type RuleFinding } from '../../crashFacts';
import { isDoubleFault, type OopsFacts } from '../facts';

/**
 * In IA-32e mode the CPU aligns RSP down to 16 before it pushes a frame, SS first (SDM vol. 3, "64-Bit Mode Stack Frame"); in 32-bit mode
 * it pushes EFLAGS below ESP. A frame that a page fault was delivered with cannot have failed, so this asks for a double
 * fault or a register dump without a header.
 */
function pushedSlot(facts: OopsFacts, rsp: bigint): { readonly address: bigint; readonly formula: string } {
  return facts.oops.arch === 'i386'
    ? { address: rsp - 4n, formula: 'ESP - 4' }
    : { address: (rsp & ~0xfn) - 8n, formula: 'RSP aligned down to 16, minus 8' };
}

const UNKNOWN_FIRST = 'This explains the double fault, not the first fault, which the dump does not record.';

/** Why the stack could not be written, as far as the numbers tell. */
function subclass(facts: OopsFacts, rsp: bigint, cr2: bigint): string {
  if (facts.oops.arch !== 'i386' && rsp < 1n << 32n && inKernel(facts)) {
    if (facts.mode.mode !== 'compatibility')
      return `RSP ${hex(rsp)} is below 4 GiB in kernel mode of a 64-bit kernel: it was cut or never switched.`;
    return `CS is a 32-bit segment, which cuts RSP to ${hex(rsp)}.`;
  }
  if (facts.oops.arch !== 'i386' && rsp < 1n << 47n && inKernel(facts))
    return `RSP ${hex(rsp)} is a user address with CPL 0: the stack switch is missing (TSS.RSP0, SWAPGS).`;
  if (facts.oops.kind === 'stack-guard' || cr2 / PAGE !== rsp / PAGE)
    return `The slot is in the page below RSP ${hex(rsp)}: the stack overflowed into a guard page.`;
  return `RSP is ${hex(rsp)}, and its page is not mapped or not writable.`;
}

export const exceptionFrameUnpushable: CrashRule<OopsFacts> = {
  id: 'R1',
  code: 'exception-frame-not-pushed',
  title: 'The CPU could not push an exception frame',
  confidence: 'certain',
  check(facts): readonly RuleFinding[] {
    const rsp = register(facts, 'rsp');
    const cr2 = register(facts, 'cr2');
    if (rsp === undefined || cr2 === undefined) return [];
    if (!isDoubleFault(facts) && facts.oops.kind !== 'fragment') return [];
    const slot = pushedSlot(facts, rsp);
    if (slot.address < 0n || cr2 !== slot.address) return [];
    return [
      {
        message: `CR2 ${hex(cr2)} is the first slot of an exception frame (${slot.formula}): the push of the frame faulted. ${subclass(facts, rsp, cr2)} ${UNKNOWN_FIRST}`,
        severity: 'error',
        evidence: 'proven',
        cause: null,
        // Without a header it may be a plain #PF of a push, whose slot is the same where RSP is aligned.
        ...(facts.oops.kind === 'fragment' ? { confidence: 'likely' as const } : {}),
        lines: linesOf(facts, 'cr2', 'rsp'),
      },
    ];
  },
};

/** PUSH, CALL and INT by their first bytes (SDM vol. 2, appendix A). */
export function isPush(code: readonly number[], at: number): boolean {
  let index = at;
  // Operand-size and segment prefixes, then REX.
  while ([0x66, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65].includes(code[index] ?? -1)) index++;
  if (((code[index] ?? 0) & 0xf0) === 0x40) index++;
  const opcode = code[index];
  if (opcode === undefined) return false;
  if (opcode === 0xff) {
    const extension = ((code[index + 1] ?? 0) >> 3) & 7;
    return extension === 2 || extension === 3 || extension === 6;
  }
  return (opcode >= 0x50 && opcode <= 0x57) || [0x68, 0x6a, 0xe8, 0x9c, 0xcc, 0xcd].includes(opcode);
}

export const pushFaulted: CrashRule<OopsFacts> = {
  id: 'R1b',
  code: 'push-faulted',
  title: 'A push, call or int found no stack',
  confidence: 'likely',
  check(facts): readonly RuleFinding[] {
    const rsp = register(facts, 'rsp');
    const cr2 = register(facts, 'cr2');
    const code = facts.block?.code;
    if (rsp === undefined || cr2 === undefined || !code || code.marker < 0) return [];
    if (facts.oops.kind !== 'page-fault' && !isDoubleFault(facts)) return [];
    if (rsp < 8n || cr2 !== rsp - 8n || !isPush(code.bytes, code.marker)) return [];
    return [
      {
        message: `The instruction at RIP pushes (opcode ${byte(code.bytes[code.marker]!)}), and CR2 ${hex(cr2)} is the slot that it writes, RSP ${hex(rsp)} minus 8. The stack cannot be written there: it overflowed, or RSP is wrong.`,
        severity: 'error',
        evidence: 'proven',
        cause: 'guest',
        lines: linesOf(facts, 'code', 'cr2', 'rsp'),
      },
    ];
  },
};

function byte(value: number): string {
  return value.toString(16).padStart(2, '0');
}

/** As far below RSP as a frame, a red zone or a stack probe reaches. */
const BELOW_STACK = 64n;

export const faultBelowStack: CrashRule<OopsFacts> = {
  id: 'R1c',
  code: 'fault-below-stack',
  title: 'The fault is just below the stack pointer',
  confidence: 'possible',
  check(facts): readonly RuleFinding[] {
    const rsp = register(facts, 'rsp');
    const cr2 = register(facts, 'cr2');
    if (rsp === undefined || cr2 === undefined || rsp <= cr2 || rsp - cr2 > BELOW_STACK) return [];
    if (facts.oops.kind !== 'page-fault' && !isDoubleFault(facts)) return [];
    if (exceptionFrameUnpushable.check(facts).length > 0 || pushFaulted.check(facts).length > 0) return [];
    return [
      {
        message: `CR2 ${hex(cr2)} is ${rsp - cr2} bytes below RSP ${hex(rsp)}. That is where a frame or a stack probe is written, so the end of the stack is a suspect.`,
        severity: 'warning',
        evidence: 'inferred',
        cause: null,
        lines: linesOf(facts, 'cr2', 'rsp'),
      },
    ];
  },
};
