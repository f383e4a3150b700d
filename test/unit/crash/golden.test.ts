import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { Document } from '../../../server/src/machine/language';
import { codes, crashOf, golden, MEMORY_LINE, messageOf, report, vmdMachine } from './dumps';

const affected = vmdMachine('7.8', 640);
const fixed = vmdMachine('x86_vm-1.27', 576);

test('the registers of the dump, by their 64-bit names', () => {
  const { values, segments } = crashOf(golden).registers;
  for (const [name, value] of [
    ['rip', 0x9a070n],
    ['rsp', 0x405ebb78n],
    ['rflags', 0x10046n],
    ['rax', 0xffff951d00098000n],
    ['rdi', 0n],
    ['r8', 0n],
    ['r13', 0xfee1de01n],
    ['r14', 0x28121969n],
    ['cr0', 0x80050013n],
    ['cr2', 0x405ebb68n],
    ['cr3', 0x9c000n],
    ['cr4', 0xb50eb0n],
  ] as const) {
    assert.equal(values[name], value, name);
  }
  assert.equal(segments['cs']?.selector, 8);
  assert.equal(segments['ss']?.selector, 0x18);
  assert.equal(segments['ds']?.selector, 0);
});

test('CS 08 under LMA is compatibility mode', () => {
  assert.equal(crashOf(golden).mode, 'compatibility');
});

test('no cause is named: the first fault is not in the dump', () => {
  const crash = crashOf(golden, { machines: [affected] });
  assert.equal(crash.rootCause, null);
  assert.match(crash.verdict, /first fault is not in the dump/);
  for (const finding of crash.findings) assert.equal(finding.cause, null, finding.code);
});

for (const [code, fact] of [
  ['exception-frame-not-pushed', /CR2 0x405ebb68 .*RSP aligned down to 16, minus 8.*cuts RSP to 0x405ebb78/],
  ['exception-frame-not-pushed', /not the first fault, which the dump does not record/],
  ['stack-beyond-trampoline', /0x405ebb78 is 5\.92 MiB past the first GiB/],
  ['double-fault-first-event', /RF set, with interrupts off: .* most likely itself a fault/],
  ['linux-reboot-call', /R14 0x28121969 is LINUX_REBOOT_MAGIC2 .* LINUX_REBOOT_MAGIC1 with its low byte/],
  [
    'linux-bios-reboot-path',
    /randomised direct map base 0xffff951d00000000 plus 0x98000.*RIP lies 0x2070.*CR3 0x9c000/,
  ],
  ['linux-bios-reboot-path', /RDI 0 is the restart type BIOS/],
  ['restart-entry-not-executed', /DS is 0: its first instruction did not retire/],
  ['missing-endbranch-candidate', /CR4 0xb50eb0 has CET \(bit 23\).*The dump records no #CP/],
  ['opcode-bytes-refused', /does not say that RIP’s page is unmapped/],
  ['vmm-owned-register-bit', /vmm\(4\) masks this bit on Intel hosts/],
] as const) {
  test(`${code}: ${fact.source}`, () => assert.match(messageOf(crashOf(golden), code), fact));
}

test('what the numbers prove is certain, the #CP is only possible', () => {
  const { findings } = crashOf(golden);
  const of = (code: string) => findings.find((finding) => finding.code === code);
  assert.equal(of('exception-frame-not-pushed')?.confidence, 'certain');
  assert.equal(of('exception-frame-not-pushed')?.evidence, 'proven');
  assert.equal(of('missing-endbranch-candidate')?.confidence, 'possible');
  assert.equal(of('double-fault-first-event')?.confidence, 'likely');
  assert.equal(of('double-fault-first-event')?.evidence, 'inferred');
  assert.equal(of('stack-beyond-trampoline')?.evidence, 'inferred');
});

test('both hypotheses stand with their evidence and an experiment', () => {
  const { hypotheses } = crashOf(golden);
  assert.deepEqual(
    hypotheses.map(({ message }) => /ENDBR/.test(message)),
    [true, false],
  );
  assert.match(hypotheses[0]!.for[0]!, /0xb50eb0 has CET/);
  assert.match(hypotheses[0]!.experiment, /ibt=off/);
  assert.match(hypotheses[1]!.message, /overwritten/);
  assert.match(hypotheses[1]!.experiment, /b8 18 00 00 00 8e d8 0f 01 15/);
  for (const hypothesis of hypotheses) {
    assert.ok(hypothesis.for.length > 0 && hypothesis.against.length > 0);
  }
});

test('without CET in CR4 the missing ENDBR comes last, with that against it', () => {
  const { hypotheses } = crashOf(golden.replace('0000000000b50eb0', '0000000000350eb0'));
  assert.match(hypotheses[1]!.message, /ENDBR/);
  assert.match(hypotheses[1]!.against[0]!, /CET off/);
});

test('an affected vmd: the known issue links the memory line as a remedy, not as the cause', () => {
  const crash = crashOf(golden, { machines: [affected] });
  const finding = crash.findings.find(({ code }) => code === 'vmd-lowmem');
  assert.equal(finding?.related?.length, 1);
  assert.equal(finding.related[0]!.at.range.start.line, MEMORY_LINE - 1);
  assert.match(finding.related[0]!.message, /the reported remedy, not an established cause/);
  assert.equal(finding.at?.uri, 'file:///dump.txt');
});

test('a vmd that is not affected: said, and nothing linked', () => {
  const crash = crashOf(golden, { machines: [fixed] });
  const finding = crash.findings.find(({ code }) => code === 'vmd-lowmem');
  assert.match(finding!.message, /x86_vm-1\.27, which is not affected/);
  assert.equal(finding!.related, undefined);
  assert.match(messageOf(crash, 'address-outside-ram'), /probably ran on another map/);
});

test('no config: the version is said to be unknown', () => {
  assert.match(
    messageOf(crashOf(golden), 'vmd-lowmem'),
    /version of vmd is not known; affected are .*vmd@7\.8/,
  );
});

test('a version that nobody named is not taken for the guest’s', () => {
  const document = { choiceReason: 'newest', machines: [fixed] } as unknown as Document;
  const crash = crashOf(golden, { machines: [fixed], documents: [document] });
  assert.match(messageOf(crash, 'vmd-lowmem'), /not known \(the config names none\)/);
  assert.match(messageOf(crash, 'address-outside-ram'), /if it runs on the newest version/);
});

test('RIP maps to low RAM and its line; the note names both neighbours', () => {
  const { mappings } = crashOf(golden, { machines: [affected] });
  const rip = mappings.find(({ what }) => what === 'RIP');
  assert.equal(rip?.region, 'low RAM');
  assert.equal(rip.at?.range.start.line, MEMORY_LINE - 1);
  assert.match(rip.role, /^if identity-mapped/);
  assert.match(rip.note!, /23\.89 KiB before its end; nothing below, VGA and BIOS \[0xa0000, 0x100000\)/);
});

test('the page table is certain, the blob derived, and the truncated stack is no address at all', () => {
  const { mappings } = crashOf(golden, { machines: [affected] });
  assert.match(mappings.find(({ what }) => what === 'CR3 page table')!.role, /^certain/);
  assert.match(mappings.find(({ what }) => what === 'real-mode blob')!.role, /^derived/);
  assert.equal(
    mappings.find(({ address }) => address === 0x405ebb68n || address === 0x405ebb78n),
    undefined,
  );
});

test('machines of another VMM are no candidates', () => {
  const other = vmdMachine(null, 640, 'firecracker');
  assert.ok(crashOf(golden, { machines: [other] }).mappings.every(({ machine }) => machine === null));
});

test('findings point to the lines of the dump that show them', () => {
  const finding = crashOf(golden).findings.find(({ code }) => code === 'exception-frame-not-pushed');
  const lines = golden.split('\n');
  assert.ok(lines[finding!.dumpLines[0]!.range.start.line]!.includes('CR2: 00000000405ebb68'));
  assert.ok(lines[finding!.dumpLines[1]!.range.start.line]!.includes('RSP: 0018'));
});

test('the same text gives the same report', () => {
  assert.deepEqual(report(golden, { machines: [affected] }), report(golden, { machines: [affected] }));
});

test('a low-confidence finding is shown only on request', () => {
  assert.ok(!codes(crashOf(golden, { machines: [affected] })).includes('failure-in-ebda-window'));
  const asked = crashOf(golden, { machines: [affected], includeLow: true });
  assert.match(messageOf(asked, 'failure-in-ebda-window'), /consistent with memory that was overwritten/);
});
