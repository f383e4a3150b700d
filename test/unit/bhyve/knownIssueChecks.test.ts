/** What a config says about the known issues of bhyve on illumos, by version. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runChecks } from '../../../server/src/checks/catalogue';
import type { Document } from '../../../server/src/machine/language';
import type { Machine } from '../../../server/src/machine/machine';
import { memmap } from '../../../server/src/memory-map/language';
import { SourceText } from '../../../server/src/text/sourceText';
import { BHYVE_VERSIONS } from '../../../server/src/vmm/bhyve/versions';

const source = new SourceText('file:///guest.conf', 'name=a\ncpus=4\n');

function guest(version: string, vcpus: number): Document {
  const at = source.at(0, 6);
  const machine: Machine = {
    name: 'a',
    vmm: 'bhyve',
    version,
    memory: null,
    vcpus: { value: vcpus, origin: { kind: 'text', ...source.at(7, 13) } },
    regions: [],
    images: [],
    at,
    nameAt: at,
  };
  return {
    source,
    language: 'bhyve-config',
    choice: { vmm: 'bhyve', version },
    choiceReason: 'pragma',
    machines: [machine],
    problems: [],
    outline: [],
    symbols: [],
    links: [],
    wanted: [],
    read: [source.uri],
  };
}

test('illumos-13253: a note at the number of vCPUs, under the version that panics and nowhere else', () => {
  const found = BHYVE_VERSIONS.flatMap(({ id }) =>
    [1, 4].flatMap((vcpus) =>
      runChecks(guest(id, vcpus)).map(({ code, severity, at }) => [
        id,
        vcpus,
        code,
        severity,
        at?.range.start.line,
      ]),
    ),
  );
  assert.deepEqual(found, [['illumos-2020-09', 4, 'illumos-13253', 'information', 1]]);
});

test('illumos-14042 is closed-range-seam’s, once, at the boot ROM of the example', () => {
  const file = join(process.env.BOOTPATH_ROOT!, 'examples/illumos-14042/memory-map.txt');
  const text = readFileSync(file, 'utf8');
  const map = memmap.parse(new SourceText('file:///map', text), {
    files: new Map(),
    choice: { vmm: 'bhyve', version: 'illumos-2021-08' },
  });
  const findings = runChecks(map);
  assert.deepEqual(
    findings.map(({ code, severity }) => [code, severity]),
    [['closed-range-seam', 'warning']],
  );
  const line = text.split('\n')[findings[0]!.at!.range.start.line];
  assert.match(line!, /^FFE00000 /);
});
