/** What the known issues of Cloud Hypervisor say of a config: only chv-hypertransport-hole says something. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runChecks } from '../../../server/src/checks/catalogue';
import { SourceText } from '../../../server/src/text/sourceText';
import { parseCloudHypervisor } from '../../../server/src/vmm/cloud-hypervisor/document';
import { CLOUD_HYPERVISOR_KNOWN_ISSUES } from '../../../server/src/vmm/cloud-hypervisor/knownIssues';
import { GIB } from './cloudHypervisorGuest';

const DEVICE = { path: '/sys/bus/pci/devices/0000:01:00.0' };
const findingsOf = (text: string, version = '2026-08') =>
  runChecks(
    parseCloudHypervisor(new SourceText('file:///vm.json', text), {
      files: new Map(),
      choice: { vmm: 'cloud-hypervisor', version },
    }),
  ).filter(({ code }) => code === 'chv-hypertransport-hole');
const config = (size: bigint, rest: object) =>
  JSON.stringify({ cpus: { boot_vcpus: 1, max_vcpus: 1 }, memory: { size: Number(size) }, ...rest }, null, 1);

// RAM above 4 GiB ends at 4 GiB + (M - 3 GiB): 1011 GiB end at 0xfd00000000 exactly.
for (const [size, rest, count] of [
  [1011n * GIB, { devices: [DEVICE] }, 0],
  [1012n * GIB, { devices: [DEVICE] }, 1],
  [2048n * GIB, { devices: [DEVICE, DEVICE] }, 1],
  [2048n * GIB, {}, 0],
  [2048n * GIB, { devices: null }, 0],
  [2048n * GIB, { user_devices: [{ socket: '/s' }] }, 0],
] as const) {
  test(`${size / GIB} GiB with ${JSON.stringify(rest)}: ${count}`, () => {
    assert.equal(findingsOf(config(size, rest)).length, count);
  });
}

test('the finding stands at the memory’s size and leads to the device', () => {
  const [finding] = findingsOf(config(1024n * GIB, { devices: [DEVICE] }));
  assert.equal(finding!.severity, 'information');
  assert.match(
    finding!.message,
    /RAM goes up to 0x10040000000 and so covers \[0xfd00000000, 0x10000000000\)/,
  );
  assert.match(finding!.message, /1011 GiB stay below it/);
  assert.equal(finding!.related!.length, 1);
  assert.deepEqual(finding!.at!.range.start, { line: 6, character: 10 });
});

test('the page’s examples: the first is told of, the second is not', () => {
  const page = readFileSync(
    join(process.env.BOOTPATH_ROOT!, 'docs/checks/chv-hypertransport-hole.md'),
    'utf8',
  );
  const counts = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text]) => findingsOf(text!).length);
  assert.deepEqual(counts, [1, 0]);
});

for (const { id, link, affected } of CLOUD_HYPERVISOR_KNOWN_ISSUES) {
  test(`${id} has its page and affected versions`, () => {
    assert.ok(link.endsWith(`/docs/known-issues/${id}.md`));
    readFileSync(join(process.env.BOOTPATH_ROOT!, `docs/known-issues/${id}.md`));
    assert.ok(affected.length > 0);
  });
}
