/** INS and OUTS: what is checked before the port is touched, and what REP leaves behind (SDM vol. 2, INS, OUTS, REP). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DATA, Lab, SELECTOR, TSS, outcomeText } from './lab';

const ABSENT = 0xb000n;
const READ_ONLY = 0xc000n;

interface Ports {
  readonly lab: Lab;
  /** Each access to a port, in order. */
  readonly seen: string[];
}
function machine(): Ports {
  const seen: string[] = [];
  const lab: Lab = new Lab({
    mode: 'long',
    bus: {
      readPort: (port, size) => {
        seen.push(`in ${port.toString(16)} ${size}`);
        return 0x5a;
      },
      writePort: (port, size, value) =>
        void seen.push(`out ${port.toString(16)} ${size} ${value.toString(16)}`),
    },
  });
  lab.put(lab.entryOf(ABSENT), 0n, 8);
  lab.put(lab.entryOf(READ_ONLY), READ_ONLY | 5n, 8);
  const { cr0 } = lab.core.state(0);
  return { lab: lab.set({ rdx: 0x80n, rsi: DATA, rdi: DATA, rcx: 3n }, { cr0: cr0 | 0x10000n }), seen };
}

for (const [title, code, registers, expected, accesses, left] of [
  ['INSB', '6c', {}, 'ok', ['in 80 1'], 3n],
  ['INSB into an absent page: the port is not read', '6c', { rdi: ABSENT }, '#PF(2)', [], 3n],
  ['INSB into a read-only page', '6c', { rdi: READ_ONLY }, '#PF(3)', [], 3n],
  ['INSB to a non-canonical address', '6c', { rdi: 0x8000_0000_0000n }, '#GP(0)', [], 3n],
  ['INSD over the end of a page', '6d', { rdi: ABSENT - 2n }, '#PF(2)', [], 3n],
  [
    'REP INSB stops at the page that is absent',
    'f36c',
    { rdi: ABSENT - 2n },
    '#PF(2)',
    ['in 80 1', 'in 80 1'],
    1n,
  ],
  ['REP INSB of 0 into an absent page', 'f36c', { rdi: ABSENT, rcx: 0n }, 'ok', [], 0n],
  ['REPNE INSB is as REP', 'f26c', {}, 'ok', ['in 80 1', 'in 80 1', 'in 80 1'], 0n],
  ['OUTSB', '6e', {}, 'ok', ['out 80 1 11'], 3n],
  ['OUTSB from an absent page: the port is not written', '6e', { rsi: ABSENT }, '#PF(0)', [], 3n],
  ['OUTSB from a read-only page', '6e', { rsi: READ_ONLY }, 'ok', ['out 80 1 0'], 3n],
  ['REP OUTSB stops at the page that is absent', 'f36e', { rsi: ABSENT - 1n }, '#PF(0)', ['out 80 1 0'], 2n],
  ['REP OUTSW', 'f3666f', {}, 'ok', ['out 80 2 2211', 'out 80 2 4433', 'out 80 2 6655'], 0n],
] as const)
  test(`${title}: ${expected}`, () => {
    const { lab, seen } = machine();
    lab.put(DATA, 0x665544332211n, 8);
    const outcome = lab.set(registers).run(code);
    assert.equal(outcomeText(outcome), expected);
    assert.deepEqual(seen, [...accesses]);
    const state = outcome.fault?.state ?? outcome.state;
    assert.equal(state.general.rcx, left);
  });

/** Above IOPL the bitmap is asked first, and even when REP has nothing to do. */
for (const [title, code, rcx, rdi, allowed, expected] of [
  ['INSB', '6c', 1n, DATA, false, '#GP(0)'],
  ['INSB, before the page fault of its destination', '6c', 1n, ABSENT, false, '#GP(0)'],
  ['REP INSB of 0', 'f36c', 0n, DATA, false, '#GP(0)'],
  ['INSB of a port that the bitmap allows', '6c', 1n, DATA, true, '#UD'],
] as const)
  test(`at CPL 3 with IOPL 0, ${title}: ${expected}`, () => {
    const { lab, seen } = machine();
    lab.segment('cs', { selector: SELECTOR.user32 | 3, attributes: 0xa0fb });
    lab.segment('ss', { selector: SELECTOR.userData | 3, attributes: 0xc0f3 });
    lab.segment('tr', { limit: 0x68 + 0x20 });
    lab.put(TSS + 0x66n, 0x68, 2);
    lab.put(TSS + 0x68n + 0x10n, allowed ? 0 : 1, 2);
    // UD2 behind it.
    assert.equal(outcomeText(lab.set({ rcx, rdi }).run(`${code} 0f0b`)), expected);
    assert.deepEqual(seen, allowed ? ['in 80 1'] : []);
  });
