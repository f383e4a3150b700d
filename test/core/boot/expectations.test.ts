/** What a boot plan expects of its run: where it ends early, and what it says of what did not come. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Expectation, ExitPattern } from '../../../server/src/boot-plan/plan';
import { registerOf } from '../../../server/src/simulation/expectations';
import { at, code, plan, PROTECTED, run } from './planned';

/** Union members without what every expectation has. */
type Bare<T> = T extends unknown ? Omit<T, 'at' | 'text'> : never;

const expect = (line: number, expectation: Bare<Expectation>): Expectation => ({
  ...expectation,
  at: at(line),
  text: `line ${line}`,
});

const exit = (
  kind: ExitPattern['kind'],
  address: bigint | null,
  value: bigint | null = null,
): ExitPattern => ({
  kind,
  address,
  value,
  text: `${kind} ${address}`,
});
const inOrder = (line: number, ...exits: readonly ExitPattern[]): Expectation =>
  expect(line, { kind: 'exits-in-order', exits: exits.map((value) => ({ value, at: at(line + 1) })) });

/** `out dx, al; inc eax; cmp al, 'F'; jb back`, then what follows. */
const letters = (rest: string) =>
  plan({
    loads: [code('ee 40 3c46 72fa' + rest)],
    registers: [{ ...PROTECTED, general: { rax: 0x41n, rdx: 0x3f8n }, idtr: { base: 0n, limit: 0 } }],
  });
const HALT = letters('fa f4');
const SPIN = letters('ebfe');
const DIE = letters('0f0b');
const LETTERS_ON = (contains: string, absent = false): Bare<Expectation> => ({
  kind: 'console',
  contains,
  absent,
});

/** What was missed: line, and what was there instead. */
const missed = (planned: typeof HALT, ...expectations: readonly Expectation[]) =>
  run(planned, expectations, { maxInstructions: 100_000 }).missed?.map(({ at: place, actual }) => [
    place === null ? null : place.range.start.line + 1,
    actual,
  ]);

test('a run ends at the instruction with which all has come that can be seen on the way', () => {
  const report = run(SPIN, [expect(1, LETTERS_ON('ABC')), expect(2, { kind: 'no-fault' })]);
  assert.equal(report.outcome, 'expectation-met');
  assert.equal(report.console, 'ABC');
  // Of four instructions a letter, the third letter's OUT.
  assert.equal(report.instructions, 9);
  assert.deepEqual(report.missed, []);
  assert.match(report.reason, /^All that is expected had come after 9 instructions/);
});

for (const [title, expectation] of [
  ['an outcome', { kind: 'outcome', outcomes: ['halted'] }],
  [
    'a register',
    { kind: 'register', vcpu: 0, register: { name: 'rax', value: 0x46n, mask: (1n << 64n) - 1n } },
  ],
  ['a mode at the end', { kind: 'mode-at-end', vcpu: 0, mode: 'protected-32' }],
] as const) {
  test(`a run goes on to its own end for ${title}`, () => {
    const report = run(HALT, [expect(1, LETTERS_ON('AB')), expect(2, expectation)]);
    assert.equal(report.outcome, 'halted');
    assert.deepEqual(report.missed, []);
  });
}

test('a run that has a text of its own to end with goes on to that', () => {
  const report = run(SPIN, [expect(1, LETTERS_ON('AB'))], { until: 'DE' });
  assert.equal(report.console, 'ABCDE');
});

test('texts are expected in their order', () => {
  assert.deepEqual(missed(HALT, expect(1, LETTERS_ON('AB')), expect(2, LETTERS_ON('CD'))), []);
  assert.deepEqual(missed(HALT, expect(1, LETTERS_ON('CD')), expect(2, LETTERS_ON('AB'))), [
    [2, 'it came before a text that is expected earlier'],
  ]);
  assert.deepEqual(missed(HALT, expect(1, LETTERS_ON('BC')), expect(2, LETTERS_ON('CD'))), [
    [2, 'it came before a text that is expected earlier'],
  ]);
});

const MISSED: readonly (readonly [
  string,
  typeof HALT,
  Expectation,
  readonly (readonly [number | null, RegExp])[],
])[] = [
  ['a text', HALT, expect(3, LETTERS_ON('login:')), [[3, /^the text ends with "ABCDE"$/]]],
  ['a text that must not come', HALT, expect(3, LETTERS_ON('BC', true)), [[3, /^it was written$/]]],
  [
    'a text where nothing was written',
    plan({ loads: [code('f4')] }),
    expect(3, LETTERS_ON('A')),
    [[3, /^nothing was written$/]],
  ],
  [
    'an outcome',
    HALT,
    expect(4, { kind: 'outcome', outcomes: ['reset', 'shutdown'] }),
    [[4, /^the outcome was halted: The guest halted after 22 instructions at .*[^.]$/]],
  ],
  ['a mode', HALT, expect(5, { kind: 'mode-reached', mode: 'long' }), [[5, /^the modes were protected-32$/]]],
  [
    'a mode at the end',
    HALT,
    expect(5, { kind: 'mode-at-end', vcpu: 0, mode: 'long' }),
    [[5, /^it was protected-32$/]],
  ],
  [
    'a vCPU',
    HALT,
    expect(5, { kind: 'mode-at-end', vcpu: 1, mode: 'long' }),
    [[5, /^there is no vCPU 1: the machine has 1$/]],
  ],
  [
    'a register',
    HALT,
    expect(6, { kind: 'register', vcpu: 0, register: { name: 'rax', value: 0x44n, mask: 0xffn } }),
    [[6, /^it was 0x46, which differs in 0x2$/]],
  ],
  [
    'no fault',
    DIE,
    expect(7, { kind: 'no-fault' }),
    [
      [null, /^Triple fault of vCPU 0/],
      [7, /^vCPU 0 raised #UD at 0x100006, tick 21$/],
    ],
  ],
  ['a fault chain', HALT, expect(8, { kind: 'fault-chain', vectors: [6, 13, 8] }), [[8, /^there was none$/]]],
  ['another fault chain', DIE, expect(8, { kind: 'fault-chain', vectors: [14, 8] }), [[8, /^it was #UD, #/]]],
  [
    'exits in order',
    HALT,
    inOrder(9, exit('out', 0x3f8n, 0x42n), exit('hlt', null), exit('out', 0x3f8n)),
    [[10, /^it did not come after hlt null$/]],
  ],
  ['the first of the exits', HALT, inOrder(9, exit('in', 0x60n)), [[10, /^it did not come$/]]],
  [
    'a number of exits',
    HALT,
    expect(11, { kind: 'exit-count', exit: exit('out', 0x3f8n), count: { least: 1, most: 4 } }),
    [[11, /^it came 5 times$/]],
  ],
  [
    'an exit that must not come',
    HALT,
    expect(11, { kind: 'exit-count', exit: exit('hlt', null), count: { least: 0, most: 0 } }),
    [[11, /^it came once$/]],
  ],
  [
    'a number of instructions',
    HALT,
    expect(12, { kind: 'max-instructions', most: 21 }),
    [[12, /^it was still running after 22$/]],
  ],
  [
    'an event',
    HALT,
    expect(13, { kind: 'event', event: 'cr-write', fields: new Map() }),
    [[13, /^the timeline has no cr-write$/]],
  ],
  [
    'an event’s fields',
    HALT,
    expect(13, { kind: 'event', event: 'halt', fields: new Map([['rip', 1n]]) }),
    [[13, /^the timeline has halt once, and never with these fields$/]],
  ],
  ['an exit status', HALT, expect(14, { kind: 'exit-status', status: 0 }), [[14, /^there was none$/]]],
];

for (const [title, planned, expectation, wanted] of MISSED) {
  test(`missed: ${title}`, () => {
    const found = missed(planned, expectation) ?? [];
    assert.deepEqual(
      found.map(([line]) => line),
      wanted.map(([line]) => line),
    );
    wanted.forEach(([, actual], index) => assert.match(String(found[index]![1]), actual));
  });
}

test('what is missed is a finding at its line, and an end that is expected is no error', () => {
  const severities = (report: ReturnType<typeof run>) =>
    report.findings.map(({ code: name, severity }) => `${name} ${severity}`);
  const expected = run(DIE, [expect(1, { kind: 'outcome', outcomes: ['triple-fault'] })]);
  assert.deepEqual(severities(expected), ['boot-triple-fault information']);
  const other = run(DIE, [expect(2, { kind: 'outcome', outcomes: ['halted'] })]);
  assert.deepEqual(severities(other), ['boot-triple-fault error', 'boot-expectation-missed error']);
  assert.match(
    other.findings[1]!.message,
    /^Expected: line 2\. But the outcome was triple-fault: Triple fault of vCPU 0/,
  );
  assert.deepEqual(other.findings[1]!.at, at(2));
});

test('a run that ends in an error has failed where the plan does not say how it ends', () => {
  assert.deepEqual(
    run(DIE, [
      expect(1, { kind: 'exit-count', exit: exit('out', null), count: { least: 0, most: 5 } }),
    ]).missed?.map(({ expected }) => expected),
    ['the run ends without triple-fault'],
  );
  assert.deepEqual(missed(DIE, expect(1, { kind: 'fault-chain', vectors: [6, 11, 8] }))?.length, 1);
});

test('exits, modes and events are seen on the way', () => {
  for (const expectation of [
    inOrder(1, exit('out', 0x3f8n, 0x41n), exit('out', null, 0x43n)),
    expect(1, { kind: 'mode-reached', mode: 'protected-32' }),
    expect(1, { kind: 'exit-count', exit: exit('out', 0x3f8n), count: { least: 2, most: Infinity } }),
  ]) {
    const report = run(SPIN, [expectation]);
    assert.equal(report.outcome, 'expectation-met');
    assert.deepEqual(report.missed, []);
  }
});

test('registers have the names of the JSON reports', () => {
  const { registers } = run(HALT).vcpus[0]!;
  for (const [name, value] of [
    ['rip', 0x100008n],
    ['rdx', 0x3f8n],
    ['cs.selector', 8n],
    ['cs.attributes', 0xc09bn],
    ['gdtr.limit', 0xffffn],
    ['dr7', 0x400n],
    ['cs', null],
    ['rq', null],
    ['cs.nothing', null],
    ['general', null],
  ] as const) {
    assert.equal(registerOf(registers, name), value, name);
  }
});
