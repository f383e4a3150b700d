/** The local APIC's timer: divide values, one-shot, periodic and TSC-deadline modes (SDM vol. 3, 10.5.4). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testProfile } from '../oracle/profile';
import { ApicLab, ENABLE, rdmsr, read, wrmsr, write } from './bench';

const eax = (hex: string, lab = new ApicLab()): number => Number(lab.runOn(0, hex).state.general.rax);
const COUNT = 1 << 20;

/** The clock counts one for an instruction; 256 NOPs lie between the start and the reading. */
for (const [divide, by] of [
  [0b0000, 2],
  [0b0001, 4],
  [0b0010, 8],
  [0b0011, 16],
  [0b1000, 32],
  [0b1001, 64],
  [0b1010, 128],
  [0b1011, 1],
] as const)
  test(`divide configuration ${divide.toString(2).padStart(4, '0')}: by ${by}`, () => {
    const code =
      write('divide', divide) + write('initialCount', COUNT) + '90'.repeat(255) + read('currentCount');
    assert.equal(eax(code), COUNT - Math.floor(256 / by));
  });

test('a change of the divide value keeps the count that is left', () => {
  const code = write('divide', 0b1011) + write('initialCount', COUNT) + '90'.repeat(99);
  assert.equal(eax(`${code}${write('divide', 0b1010)}${read('currentCount')}`), COUNT - 100);
});

/** What a run of `ticks` sees of a timer, from its start: how often it fired, and the count behind. */
function fired(setup: string, ticks: number): { times: number; count: number } {
  const lab = new ApicLab({ profile: testProfile({ with: ['TSC-Deadline'] }) });
  lab.runOn(0, `${ENABLE}${write('divide', 0b1011)}${setup}`);
  const until = lab.core.now + ticks;
  let times = 0;
  while (lab.core.now < until) {
    lab.core.setActivity(0, 'halted');
    lab.set({}, { rflags: 0x202n });
    lab.core.run(until);
    const taken = lab.taken().length;
    times += taken;
    if (taken === 0) lab.core.skipIdle(until);
    lab.runOn(0, write('eoi', 0));
  }
  return { times, count: eax(read('currentCount'), lab) };
}

for (const [title, setup, times, stopped] of [
  ['one-shot: once', write('timer', 0x41) + write('initialCount', 1000), 1, true],
  [
    'one-shot, masked: it runs down and nothing comes',
    write('timer', 0x10041) + write('initialCount', 1000),
    0,
    true,
  ],
  ['periodic: again and again', write('timer', 0x20041) + write('initialCount', 1000), 10, false],
  [
    'an initial count of 0 stops it',
    write('timer', 0x20041) + write('initialCount', 1000) + write('initialCount', 0),
    0,
    true,
  ],
  [
    'one-shot made periodic while it runs',
    write('timer', 0x41) + write('initialCount', 1000) + write('timer', 0x20041),
    10,
    false,
  ],
  [
    'periodic made one-shot while it runs',
    write('timer', 0x20041) + write('initialCount', 1000) + write('timer', 0x41),
    1,
    true,
  ],
  [
    'software-disabled: masked',
    write('timer', 0x41) + write('initialCount', 1000) + write('svr', 0xff),
    0,
    true,
  ],
  [
    'one-shot made TSC-deadline: disarmed',
    write('timer', 0x41) + write('initialCount', 1000) + write('timer', 0x40041),
    0,
    true,
  ],
  [
    'TSC-deadline mode ignores the initial count',
    write('timer', 0x40041) + write('initialCount', 1000),
    0,
    true,
  ],
] as const)
  test(title, () => {
    const result = fired(setup, 10_500);
    assert.equal(result.times, times);
    assert.equal(result.count === 0, stopped);
  });

// ---- TSC-deadline mode ----
const profile = testProfile({ with: ['TSC-Deadline'] });
const DEADLINE_MODE = ENABLE + write('timer', 0x40041);
const deadline = (value: number): string => wrmsr(0x6e0, value);
for (const [title, code, left] of [
  ['keeps the deadline that is ahead', DEADLINE_MODE + deadline(0x7fffffff) + rdmsr(0x6e0), 0x7fffffff],
  ['clears it when it has passed', DEADLINE_MODE + deadline(1) + '90'.repeat(4) + rdmsr(0x6e0), 0],
  ['zero disarms', DEADLINE_MODE + deadline(0x7fffffff) + deadline(0) + rdmsr(0x6e0), 0],
  [
    'another mode ignores the write and reads 0',
    ENABLE + write('timer', 0x41) + deadline(0x7fffffff) + rdmsr(0x6e0),
    0,
  ],
  [
    'a change of mode clears it',
    DEADLINE_MODE + deadline(0x7fffffff) + write('timer', 0x41) + write('timer', 0x40041) + rdmsr(0x6e0),
    0,
  ],
  [
    'the same mode written again keeps it',
    DEADLINE_MODE + deadline(0x7fffffff) + write('timer', 0x40042) + rdmsr(0x6e0),
    0x7fffffff,
  ],
  [
    'the initial count does not disarm it',
    DEADLINE_MODE + deadline(0x7fffffff) + write('initialCount', 5) + rdmsr(0x6e0),
    0x7fffffff,
  ],
  [
    'a TSC that is set beyond it has passed it',
    DEADLINE_MODE + deadline(0x100000) + wrmsr(0x10, 0x200000) + '90'.repeat(4) + rdmsr(0x6e0),
    0,
  ],
  ['the current count reads 0', DEADLINE_MODE + deadline(0x7fffffff) + read('currentCount'), 0],
  ['the initial count is gone', `${write('initialCount', 5000)}${DEADLINE_MODE}${read('initialCount')}`, 0],
] as const)
  test(`IA32_TSC_DEADLINE: ${title}`, () => {
    assert.equal(eax(code, new ApicLab({ profile })), left);
  });

test('a deadline fires once when the TSC reaches it', () => {
  // rdtsc; add eax, 1000; mov ecx, 6e0; wrmsr
  const arm = `${write('timer', 0x40041)} 0f31 05e8030000 b9e0060000 0f30`;
  assert.equal(fired(arm, 900).times, 0);
  assert.equal(fired(arm, 10_500).times, 1);
});

test('a deadline waits for a TSC that is set back', () => {
  const armed = `${wrmsr(0x10, 1_000_000)}${write('timer', 0x40041)}${deadline(1_001_000)}`;
  assert.equal(fired(armed, 10_500).times, 1);
  assert.equal(fired(armed + wrmsr(0x10, 0), 10_500).times, 0);
  assert.equal(fired(armed + wrmsr(0x10, 995_000), 10_500).times, 1);
});
