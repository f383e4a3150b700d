/** From a dump to the line of a real config or memory map. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { Document } from '../../../server/src/machine/language';
import { memmap } from '../../../server/src/memory-map/language';
import { SourceText } from '../../../server/src/text/sourceText';
import { vmconf } from '../../../server/src/vmm/vmd/language';
import { codes, crashOf, golden } from './dumps';

const BODY = 'vm "alpine" {\n\tmemory 1G\n\tdisk "/var/vmm/alpine.qcow2"\n}\n';

function vmConf(text: string): Document {
  return vmconf.parse(new SourceText('file:///etc/vm.conf', text), { files: new Map() });
}

function decoded(...documents: readonly Document[]) {
  return crashOf(golden, { machines: documents.flatMap(({ machines }) => machines), documents });
}

test('the reboot crash leads to the memory line of a vm.conf for an affected vmd', () => {
  const crash = decoded(vmConf(`# bootpath: vmd@7.8\n${BODY}`));
  const finding = crash.findings.find(({ code }) => code === 'vmd-lowmem')!;
  assert.deepEqual(
    finding.related?.map(({ at }) => [at.uri, at.range.start.line]),
    [['file:///etc/vm.conf', 2]],
  );
  const rip = crash.mappings.find(({ what }) => what === 'RIP')!;
  assert.equal(rip.machine, 'alpine');
  assert.equal(rip.at?.range.start.line, 2);
  assert.equal(crash.rootCause, null);
  assert.ok(!codes(crash).includes('address-outside-ram'));
});

test('for a vmd that ends low RAM at 576 KiB nothing is linked', () => {
  const crash = decoded(vmConf(`# bootpath: vmd@x86_vm-1.27\n${BODY}`));
  const finding = crash.findings.find(({ code }) => code === 'vmd-lowmem')!;
  assert.equal(finding.related, undefined);
  assert.match(finding.message, /not affected/);
  assert.ok(codes(crash).includes('address-outside-ram'));
});

test('a vm.conf without a version: it is said to be unknown', () => {
  const crash = decoded(vmConf(BODY));
  assert.match(crash.findings.find(({ code }) => code === 'vmd-lowmem')!.message, /the config names none/);
});

test('a memory map of no VMM locates the addresses, and links no line as a remedy', () => {
  const map = memmap.parse(
    new SourceText(
      'file:///guest.e820',
      '[    0.000000] BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable\n' +
        '[    0.000000] BIOS-e820: [mem 0x000000000009fc00-0x000000000009ffff] reserved\n' +
        '[    0.000000] BIOS-e820: [mem 0x0000000000100000-0x000000003fffffff] usable\n',
    ),
    { files: new Map() },
  );
  const crash = decoded(map);
  assert.equal(crash.mappings.find(({ what }) => what === 'RIP')?.at?.uri, 'file:///guest.e820');
  assert.equal(crash.findings.find(({ code }) => code === 'vmd-lowmem')!.related, undefined);
});

test('an E820 map in the dump’s own text is used', () => {
  const log =
    '[    0.000000] BIOS-e820: [mem 0x0000000000000000-0x0000000000097fff] usable\n' +
    '[    0.000000] BIOS-e820: [mem 0x0000000000098000-0x00000000000fffff] reserved\n';
  const crash = crashOf(log + golden);
  const finding = crash.findings.find(({ code }) => code === 'address-outside-ram')!;
  assert.match(finding.message, /0x9c000 lies in .*\[0x98000, 0x100000\), which is reserved/);
  assert.equal(finding.at?.range.start.line, 1);
});
