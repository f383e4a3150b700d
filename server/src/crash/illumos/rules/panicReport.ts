/** K8, R34, R35: what the kernel reported, and how far its stack can be trusted. */
import { hex } from '../../../address/format';
import type { CrashRule } from '../../crashFacts';
import type { PanicFacts } from '../facts';
import { formatFrame, isReliable } from '../panic';

export const reportedPanic: CrashRule<PanicFacts> = {
  id: 'K8',
  code: 'illumos-panic-reported',
  title: 'What the illumos kernel reported',
  confidence: 'certain',
  check(facts) {
    const { panic, host } = facts;
    if (panic.message === '') return [];
    const { assertion } = panic;
    const who = host
      ? 'The host’s kernel stopped itself, and every guest with it'
      : 'An illumos kernel stopped itself; whether it is the host or a guest is not in the text';
    const what = !assertion
      ? `"${panic.message.slice(0, 200)}"`
      : assertion.operands
        ? `the assertion ${assertion.expression} failed in ${assertion.file}, line ${assertion.line}: ${hex(assertion.operands.left)} ${assertion.operands.operator} ${hex(assertion.operands.right)} is false`
        : `the assertion ${assertion.expression} failed in ${assertion.file}, line ${assertion.line}`;
    return [
      {
        message: `${who}: ${what}. The addresses of its stack are the ${host ? 'host' : 'kernel'}’s and none of a guest.`,
        severity: 'error',
        evidence: 'proven',
        cause: null,
        lines: [panic.messageLine],
      },
    ];
  },
};

export const unreliableSymbol: CrashRule<PanicFacts> = {
  id: 'R34',
  code: 'unreliable-symbol',
  title: 'A symbol of the stack is not that function',
  confidence: 'likely',
  check({ panic }) {
    return panic.frames
      .filter((frame) => frame.symbol !== null && !isReliable(frame))
      .slice(0, 4)
      .map((frame) => ({
        message: `${formatFrame(frame)} is ${hex(frame.offset!)} bytes past the symbol: no function is that long, so the frame is not in ${frame.symbol}. The kernel names the nearest symbol before an address; the function has none of its own there.`,
        severity: 'information' as const,
        evidence: 'inferred' as const,
        cause: null,
        lines: [frame.line],
      }));
  },
};

export const namelessFrame: CrashRule<PanicFacts> = {
  id: 'R35',
  code: 'frame-without-symbol',
  title: 'A frame of the stack has no symbol',
  confidence: 'certain',
  check({ panic }) {
    const nameless = panic.frames.filter(({ symbol }) => symbol === null);
    const [first] = nameless;
    if (!first) return [];
    const names = nameless
      .slice(0, 4)
      .map(({ address }) => hex(address ?? 0n))
      .join(', ');
    return [
      {
        message: `${nameless.length === 1 ? 'A frame has' : `${nameless.length} frames have`} an address and no symbol (${names}): the kernel’s own text rather than a module’s. It is an address of that kernel, so it is not looked up in a guest’s map.`,
        severity: 'information',
        evidence: 'inferred',
        cause: null,
        lines: nameless.slice(0, 4).map(({ line }) => line),
      },
    ];
  },
};
