/** What a plan expects: each value is one expectation with its place. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseExit } from '../../../server/src/boot-plan/exitPattern';
import { read, told, written } from './read';

const expectations = (lines: string) => {
  const text = `[expect]\n${lines}\n`;
  return read(text).plan.expectations.map(({ at, text: said, ...rest }) => ({
    at: written(text, at),
    said,
    rest,
  }));
};

test('each value is an expectation of its own, in the order of the text', () => {
  assert.deepEqual(
    expectations(
      'console = ["a", "b"]\noutcome = ["halted", "shutdown"]\nmode = "long"\nno-fault = true',
    ).map(({ at, said }) => [at, said]),
    [
      ['"a"', 'the console has "a"'],
      ['"b"', 'the console has "b"'],
      ['["halted", "shutdown"]', 'the outcome is halted or shutdown'],
      ['"long"', 'a vCPU is in long mode'],
      ['true', 'no exception is raised'],
    ],
  );
});

test('registers as numbers, and by the bits that matter', () => {
  const found = expectations(
    'registers = { rip = "0x1000", cr0 = ["PE", "!WP"], cs = 8, ss = { base = 0, limit = 0xffff }, gdtr = { base = 0x500 }, dr7 = 0x400 }',
  );
  const all = (1n << 64n) - 1n;
  assert.deepEqual(
    found.map(({ rest }) => (rest.kind === 'register' ? rest.register : null)),
    [
      { name: 'rip', value: 0x1000n, mask: all },
      { name: 'cr0', value: 1n, mask: 0x10001n },
      { name: 'cs.selector', value: 8n, mask: all },
      { name: 'ss.base', value: 0n, mask: all },
      { name: 'ss.limit', value: 0xffffn, mask: all },
      { name: 'gdtr.base', value: 0x500n, mask: all },
      { name: 'dr7', value: 0x400n, mask: all },
    ],
  );
});

test('other vCPUs have tables of their own', () => {
  const found = expectations('[[expect.vcpu]]\nindex = 1\nfinal-mode = "long"\nregisters = { rax = 1 }');
  assert.deepEqual(
    found.map(({ said }) => said),
    ['vCPU 1 ends in long mode', 'rax of vCPU 1 is 0x1'],
  );
});

test('exits in their writing', () => {
  const cases: readonly [string, string | null][] = [
    ['OUT 0x3f8', 'out 1016 null'],
    ['out 1016', 'out 1016 null'],
    ['IN 0x64 = 0xfe', 'in 100 254'],
    ['MMIO  write 0xfee0_0300', 'mmio-write 4276093696 null'],
    ['MMIO read', 'mmio-read null null'],
    ['HLT', 'hlt null null'],
    ['WRMSR 0xc0000080 = 0x500', 'wrmsr 3221225600 1280'],
    ['HLT 0x1', null],
    ['PORT 0x3f8', null],
    ['OUT 0x', null],
    ['OUT 0x10000000000000000', null],
    ['', null],
  ];
  for (const [text, expected] of cases) {
    const exit = parseExit(text);
    assert.equal(exit && `${exit.kind} ${exit.address} ${exit.value}`, expected, text);
  }
});

test('exits in order, and counts of them', () => {
  const found = expectations(
    'exits = ["OUT 0x3f8", "HLT"]\nexit-counts = { "HLT" = 1, "IN 0x64" = { least = 2 }, "OUT" = { least = 1, most = 3 } }',
  );
  assert.deepEqual(
    found.map(({ said }) => said),
    [
      'exits in this order: OUT 0x3f8, HLT',
      'HLT comes once',
      'IN 0x64 comes 2 times at least',
      'OUT comes 1 to 3 times',
    ],
  );
});

test('events of the timeline, with names where they have them', () => {
  const [event, fault] = expectations(
    'timeline = [{ event = "mode", to = "long", paging = "4-level" }, { event = "exception", vector = "#GP", error-code = 0x18, vcpu = 1 }]',
  );
  assert.deepEqual(event!.rest, {
    kind: 'event',
    event: 'mode',
    fields: new Map([
      ['to', 'long'],
      ['paging', '4-level'],
    ]),
  });
  assert.deepEqual(fault!.rest, {
    kind: 'event',
    event: 'exception',
    fields: new Map([
      ['vector', 13n],
      ['errorCode', 0x18n],
      ['vcpu', 1n],
    ]),
  });
});

test('the chain of faults by name or vector', () => {
  const [chain] = expectations('fault-chain = ["#GP", 14, "#DF"]');
  assert.deepEqual(chain!.rest, { kind: 'fault-chain', vectors: [13, 14, 8] });
});

test('what can never fail or never hold is told', () => {
  const cases: readonly [string, string[]][] = [
    ['console = ""', ['boot-plan-expectation: ""']],
    ['console-without = ""', ['boot-plan-expectation: ""']],
    ['exits = ["HLT = 1"]', ['boot-plan-expectation: "HLT = 1"']],
    ['exits = ["OUT 0x1zz"]', ['boot-plan-expectation: "OUT 0x1zz"']],
    ['exits = ["JUMP 0x1"]', ['boot-plan-value: "JUMP 0x1"']],
    ['exit-counts = { "OUT 0x64 = 0xfe" = 1 }', ['boot-plan-expectation: "OUT 0x64 = 0xfe"']],
    ['exit-counts = { "HLT" = { least = 2, most = 1 } }', ['boot-plan-expectation: { least = 2, most = 1 }']],
    ['outcome = "halt"', ['boot-plan-value: "halt"']],
    ['consol = "x"', ['boot-plan-unknown-key: consol']],
    ['timeline = [{ event = "mode", vector = 1 }]', ['boot-plan-unknown-key: vector']],
    ['no-fault = false', []],
    // An empty list is no word on what came, but an empty chain says that there is none.
    ['exits = []', ['boot-plan-value: []']],
    ['timeline = []', ['boot-plan-value: []']],
    ['registers = { cr0 = [] }', ['boot-plan-value: []']],
    ['fault-chain = []', []],
  ];
  for (const [lines, expected] of cases) assert.deepEqual(told(`[expect]\n${lines}\n`), expected, lines);
});
