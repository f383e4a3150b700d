import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  planResultsJson,
  planResultsJunit,
  planResultText,
  planSummary,
  xml,
  type PlanResult,
} from '../../../server/src/output/planResults';

const PASSED: PlanResult = {
  file: 'plans/boot.boot.toml',
  failures: [],
  run: {
    outcome: 'expectation-met',
    reason: 'All that is expected had come.',
    instructions: 1234567,
    milliseconds: 250,
    console: 'login: ',
    firmwareLog: '',
  },
};
const FAILED: PlanResult = {
  file: 'plans/die.boot.toml',
  failures: [
    { expected: 'the console has "<ready> & waiting"', actual: 'nothing was written', line: 12 },
    { expected: 'the run ends without triple-fault', actual: 'Triple fault of vCPU 0', line: null },
  ],
  run: {
    ...PASSED.run!,
    outcome: 'triple-fault',
    reason: 'Triple fault of vCPU 0.',
    console: '\x1b[31mbad\x07\x1b[0m',
  },
};
const BROKEN: PlanResult = {
  file: 'plans/broken.boot.toml',
  failures: [{ expected: 'the plan has no errors', actual: 'there is no key "vmmm"', line: 1 }],
  run: null,
};

test('a line a plan, and for a failure what was expected, its line and what was there instead', () => {
  assert.equal(
    planResultText(PASSED),
    'ok   plans/boot.boot.toml (expectation-met after 1.2 M instructions)\n',
  );
  assert.equal(
    planResultText(FAILED),
    [
      'FAIL plans/die.boot.toml (triple-fault after 1.2 M instructions)',
      '     plans/die.boot.toml:12: expected: the console has "<ready> & waiting"',
      '         but nothing was written',
      '     plans/die.boot.toml: expected: the run ends without triple-fault',
      '         but Triple fault of vCPU 0',
      '     Triple fault of vCPU 0.',
      '',
    ].join('\n'),
  );
  assert.equal(planSummary([PASSED, FAILED, BROKEN]), '3 plans, 1 passed, 2 failed\n');
  assert.equal(planSummary([PASSED]), '1 plan, 1 passed, 0 failed\n');
});

test('the JSON contract has no times, so that it repeats', () => {
  assert.deepEqual(planResultsJson([PASSED, BROKEN]), {
    plans: [
      { file: PASSED.file, passed: true, failures: [], outcome: 'expectation-met', instructions: 1234567 },
      { file: BROKEN.file, passed: false, failures: BROKEN.failures, outcome: null, instructions: null },
    ],
  });
});

test('JUnit: a suite, a case a plan with one failure', () => {
  const text = planResultsJunit([PASSED, FAILED, BROKEN]);
  assert.match(
    text,
    /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites name="bootpath" tests="3" failures="2" errors="0" skipped="0" time="0\.500">/,
  );
  assert.equal(text.match(/<testcase /g)?.length, 3);
  assert.equal(text.match(/<failure /g)?.length, 2);
  assert.match(
    text,
    /<testcase classname="bootpath" name="plans\/boot\.boot\.toml" file="plans\/boot\.boot\.toml" time="0\.250">/,
  );
  assert.match(
    text,
    /message="Expected: the console has &quot;&lt;ready&gt; &amp; waiting&quot;\. But nothing was written\."/,
  );
  assert.match(text, /<system-out>Console:&#10;bad␇<\/system-out>/);
});

test('whatever a guest writes, the XML has only characters that XML 1.0 knows', () => {
  const console = fc.string({
    unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
  });
  fc.assert(
    fc.property(console, console, (text, name) => {
      const run = { ...PASSED.run!, console: text, firmwareLog: text };
      const junit = planResultsJunit([
        { file: name, failures: [{ expected: text, actual: text, line: 3 }], run },
      ]);
      // XML 1.0, 2.2: Char.
      assert.match(junit, /^(?:[\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}])*$/u);
      assert.doesNotMatch(junit.replace(/&(?:amp|lt|gt|quot|#10);/g, ''), /&/);
    }),
  );
});

test('text that XML takes is as it was', () => {
  assert.equal(xml('tab\tand 😀 and é'), 'tab\tand 😀 and é');
  assert.equal(xml('a\nb\0c\ud800d'), 'a&#10;b␀c\ufffdd');
});
