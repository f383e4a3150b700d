import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { checkSarif, checkText, countOf, findingJson } from '../../../server/src/output/findings';
import type { Finding } from '../../../server/src/text/finding';

const finding: Finding = {
  code: 'vmconf-memory-rounded',
  severity: 'warning',
  message: 'memory is rounded down.',
  at: { uri: 'file:///vm.conf', range: { start: { line: 2, character: 4 }, end: { line: 2, character: 9 } } },
};
const pathOf = (uri: string): string => uri.replace('file:///', '');

test('lines and columns are one-based in JSON', () => {
  assert.deepEqual(findingJson(finding, pathOf), {
    code: 'vmconf-memory-rounded',
    severity: 'warning',
    message: 'memory is rounded down.',
    file: 'vm.conf',
    line: 3,
    column: 5,
  });
});

test('a finding without a source has null places', () => {
  const { file, line, column } = findingJson({ ...finding, at: null }, pathOf);
  assert.deepEqual([file, line, column], [null, null, null]);
});

test('the text form is what problem matchers read', () => {
  const text = checkText(
    [{ file: 'vm.conf', language: 'vmconf', vmm: 'vmd@7.8', findings: [finding] }],
    pathOf,
  );
  assert.match(text, /^ {2}vm\.conf:3:5: warning: memory is rounded down\. \[vmconf-memory-rounded\]$/m);
});

test('SARIF names the rule, the level and a one-based region', () => {
  const sarif = checkSarif(
    [{ file: 'vm.conf', language: 'vmconf', vmm: 'vmd@7.8', findings: [finding] }],
    pathOf,
    '1.0.0',
    (code) => `https://example.org/${code}`,
  ) as {
    runs: {
      results: { ruleId: string; level: string; locations: { physicalLocation: { region: object } }[] }[];
    }[];
  };
  const result = sarif.runs[0]!.results[0]!;
  assert.equal(result.ruleId, 'vmconf-memory-rounded');
  assert.equal(result.level, 'warning');
  assert.deepEqual(result.locations[0]!.physicalLocation.region, {
    startLine: 3,
    startColumn: 5,
    endLine: 3,
    endColumn: 10,
  });
});

test('findings are counted in words', () => {
  assert.equal(countOf([]), 'nothing found');
  assert.equal(countOf([finding, finding, { ...finding, severity: 'error' }]), '1 error, 2 warnings');
});
