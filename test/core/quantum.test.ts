/** Turns of the vCPUs by the quantum: exact, fair, nothing wasted on who sleeps, and the place to look for races. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CODE, DATA, Lab, bytesOf } from './lab';

const QUANTA = [1, 7, 1000, 1_000_000];
/** inc ebx; jmp back */
const COUNTING = '43 ebfd';

/** vCPUs with flat 32-bit segments, each at its own code, with its own stack. */
function together(codes: readonly string[], quantum: number | undefined, vcpus = codes.length): Lab {
  const lab = new Lab({ vcpus, ...(quantum === undefined ? {} : { quantum }) });
  const state = lab.core.state(0);
  codes.forEach((code, vcpu) => {
    const at = CODE + BigInt(0x80 * vcpu);
    if (!lab.core.write(at, Uint8Array.from(bytesOf(code)))) throw new Error('no memory for the code');
    const general = { ...state.general, rbx: 0n, rsp: 0x7000n - BigInt(0x40 * vcpu) };
    lab.core.setState(vcpu, { ...state, rip: at, general });
    lab.core.setActivity(vcpu, 'running');
  });
  return lab;
}

for (const quantum of QUANTA)
  for (const vcpus of [2, 8, 32])
    test(`a quantum of ${quantum} with ${vcpus} vCPUs: each runs as many instructions as the others, in turn`, () => {
      const lab = together(Array<string>(vcpus).fill(COUNTING), quantum);
      const rounds = quantum > 1000 ? 1 : 6;
      lab.core.run(quantum * vcpus * rounds);
      const expected = BigInt(Math.ceil((quantum * rounds) / 2));
      for (let vcpu = 0; vcpu < vcpus; vcpu++) assert.equal(lab.core.state(vcpu).general.rbx, expected);
      // One instruction further, and it is the first one's turn.
      lab.core.run(lab.core.now + 1);
      const [first, second] = [lab.core.state(0), lab.core.state(1)];
      assert.notDeepEqual([first.rip, first.general.rbx], [CODE, 0n]);
      assert.equal(second.general.rbx, expected);
    });

test('without a choice the quantum is 997, a prime; a quantum below one instruction is refused', () => {
  const lab = together([COUNTING, COUNTING], undefined);
  lab.core.run(997);
  assert.deepEqual([lab.core.state(0).general.rbx, lab.core.state(1).general.rbx], [499n, 0n]);
  for (const quantum of [0, -1, 1.5, NaN])
    assert.throws(() => new Lab({ vcpus: 2, quantum }), /a quantum of 1 at least/);
});

for (const quantum of QUANTA)
  for (const [title, code] of [
    ['are halted', 'fb f4'],
    ['are halted with interrupts off', 'f4'],
    ['wait for a start-up IPI', null],
  ] as const)
    test(`while all others ${title} no tick is lost on them, quantum ${quantum}`, () => {
      const vcpus = 32;
      const codes = code === null ? [COUNTING] : [COUNTING, ...Array<string>(vcpus - 1).fill(code)];
      const lab = together(codes, quantum, vcpus);
      // Everybody has had a turn.
      lab.core.run(2 * vcpus * quantum);
      const before = lab.core.state(0).general.rbx;
      const at = lab.core.now;
      lab.core.run(at + 10_000);
      assert.deepEqual([lab.core.now, lab.core.state(0).general.rbx - before], [at + 10_000, 5000n]);
      assert.equal(lab.core.instructions, lab.core.now);
    });

for (const quantum of QUANTA)
  test(`vCPUs that spin with PAUSE give their turns to the one who works, quantum ${quantum}`, () => {
    // mov ecx, 100; loop $; mov byte [DATA], 1; hlt
    const worker = 'b964000000 e2fe c6050090000001 f4';
    // pause; cmp byte [DATA], 0; je back; hlt
    const spinner = 'f390 803d0090000000 74f5 f4';
    const vcpus = 8;
    const lab = together([...Array<string>(vcpus - 1).fill(spinner), worker], quantum);
    assert.equal(lab.core.run(1e9).reason, 'idle');
    for (let vcpu = 0; vcpu < vcpus; vcpu++) assert.equal(lab.core.activity(vcpu), 'halted');
    // The worker's own instructions lie in as many turns of it; before each the others have one of four instructions at most.
    const turns = Math.ceil(103 / quantum);
    const spun = (turns + 1) * (vcpus - 1) * Math.min(4, quantum);
    assert.ok(lab.core.now <= 103 + spun + vcpus * 4, `${lab.core.now} ticks`);
  });

for (const quantum of [6, 600, 997, 1000, 1_000_000])
  test(`a lock that is given up and taken again behind a PAUSE comes to the one who waits, quantum ${quantum}`, () => {
    // mov byte [DATA], 0; 1: pause; lock bts dword [DATA], 0; jc 1b; then cmp byte [DATA + 4], 0; je mov; hlt: six instructions
    const take = 'f390 f00fba2d0090000000 72f3';
    const holder = `c6050090000000 ${take} 803d0490000000 74e3 f4`;
    // The same; then mov byte [DATA + 4], 1; mov byte [DATA], 0; hlt
    const waiter = `${take} c6050490000001 c6050090000000 f4`;
    const lab = together([holder, waiter], quantum);
    lab.core.write(DATA, Uint8Array.of(1, 0, 0, 0, 0));
    assert.equal(lab.core.run(100_000).reason, 'idle');
    assert.deepEqual([lab.core.activity(0), lab.core.activity(1)], ['halted', 'halted']);
  });

/**
 * Two vCPUs that each count to ROUNDS in one place, and what they reach. A round has five instructions, so a quantum of 100
 * or 1000 always ends between rounds and shows nothing; a prime one does.
 */
const ROUNDS = 1000;
const counter = (step: string): string => {
  const body = bytesOf(step).length;
  return `b9e8030000 ${step} 49 75${(0x100 - body - 3).toString(16)} f4`;
};
const reached = (step: string, quantum: number): number => {
  const lab = together([counter(step), counter(step)], quantum);
  assert.equal(lab.core.run(1e9).reason, 'idle');
  return Number(lab.get(DATA, 4));
};
for (const [title, step, losing] of [
  ['in three instructions loses updates by the quantum', 'a100900000 40 a300900000', [1, 2, 3, 7, 997]],
  ['with LOCK INC never loses one', 'f0ff0500900000', []],
  ['with LOCK XADD never loses one', 'b801000000 f00fc10500900000', []],
  ['with INC in one instruction loses none here: instructions do not overlap', 'ff0500900000', []],
] as const)
  test(`a counter of two vCPUs ${title}`, () => {
    const results = [1, 2, 3, 7, 100, 997, 1000, 1_000_000].map(
      (quantum) => [quantum, reached(step, quantum)] as const,
    );
    assert.deepEqual(
      results.filter(([, sum]) => sum < 2 * ROUNDS).map(([quantum]) => quantum),
      results
        .filter(([quantum]) => (losing as readonly number[]).includes(quantum))
        .map(([quantum]) => quantum),
      JSON.stringify(results),
    );
    // And a run repeats.
    for (const [quantum, sum] of results) assert.equal(reached(step, quantum), sum);
  });
