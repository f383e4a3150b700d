/** The rules on config files of QEMU. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { runChecks } from '../../../server/src/checks/catalogue';
import { SourceText } from '../../../server/src/text/sourceText';
import { parseQemuConfig } from '../../../server/src/vmm/pc/readconfig/document';

const findings = (text: string) =>
  runChecks(parseQemuConfig(new SourceText('file:///vm.cfg', text), { files: new Map() }));

const REPORTED: readonly (readonly [code: string, what: string, text: string])[] = [
  ['qemu-config-syntax', 'a value without quotes', '[memory]\nsize = 1G\n'],
  ['qemu-group', 'the name of an option', '[smp]\ncpus = "1"\n'],
  ['qemu-group', 'an option that has no group', '[cpu]\nmodel = "host"\n'],
  ['qemu-group', 'blanks in the brackets', '[ memory ]\nsize = "1G"\n'],
  ['qemu-group-id', 'an id of the memory', '[memory "m"]\nsize = "1G"\n'],
  ['qemu-group-id', 'a chardev without one', '[chardev]\nbackend = "null"\n'],
  ['qemu-group-id', 'two drives with one', '[drive "a"]\nfile = "x"\n[drive "a"]\nfile = "y"\n'],
  ['qemu-group-id', 'one that begins with a digit', '[drive "1"]\nfile = "x"\n'],
  ['qemu-key', 'a misspelt key', '[smp-opts]\ncpu = "1"\n'],
  ['qemu-key-twice', 'a port forwarded twice', '[netdev "n"]\nhostfwd = "a"\nhostfwd = "b"\n'],
  ['qemu-memory-size', 'MB', '[memory]\nsize = "1MB"\n'],
  ['qemu-memory-size', 'bytes without a suffix', '[memory]\nsize = "1073741824"\n'],
  ['qemu-smp', 'no vCPU', '[smp-opts]\ncpus = "0"\n'],
  ['qemu-smp', 'a word', '[smp-opts]\ncores = "two"\n'],
  ['qemu-smp', 'more than the most', '[smp-opts]\ncpus = "4"\nmaxcpus = "2"\n'],
  [
    'qemu-smp',
    'a product that is too large',
    '[smp-opts]\ncpus = "4"\nsockets = "2"\ncores = "2"\nthreads = "2"\n',
  ],
  ['qemu-smp', 'cores that do not divide the vCPUs', '[smp-opts]\ncpus = "4"\ncores = "3"\n'],
  ['qemu-smp', 'more cores than vCPUs', '[smp-opts]\ncpus = "2"\ncores = "4"\n'],
  [
    'qemu-smp',
    'two levels of three that do not divide',
    '[smp-opts]\nmaxcpus = "8"\ncores = "3"\nthreads = "2"\n',
  ],
];
for (const [code, what, text] of REPORTED) {
  test(`${code}: ${what}`, () => {
    assert.deepEqual(
      findings(text).map((finding) => finding.code),
      [code],
    );
  });
}

for (const [what, text] of [
  ['a key of an open group', '[device]\ndriver = "e1000"\nanything = "1"\n'],
  ['an id given by a key', '[chardev]\nid = "c0"\nbackend = "null"\n'],
  ['one id in two kinds of groups', '[drive "a"]\nfile = "x"\n[device "a"]\ndriver = "virtio-blk-pci"\n'],
  ['a topology whose threads QEMU works out', '[smp-opts]\ncpus = "8"\nsockets = "2"\ncores = "2"\n'],
  ['cores alone', '[smp-opts]\ncpus = "6"\ncores = "3"\n'],
  ['levels without a number of vCPUs', '[smp-opts]\nsockets = "2"\ncores = "3"\n'],
  ['a topology with dies', '[smp-opts]\ncpus = "8"\nsockets = "2"\ndies = "2"\ncores = "2"\nthreads = "1"\n'],
  [
    'fewer vCPUs than may be',
    '[smp-opts]\ncpus = "2"\nmaxcpus = "4"\nsockets = "1"\ncores = "4"\nthreads = "1"\n',
  ],
  ['a hexadecimal number', '[smp-opts]\ncpus = "0x4"\n'],
  [
    'templates',
    '[memory]\nsize = "${MEM}"\n[smp-opts]\ncpus = "{{ cpus }}"\n[drive "{{ d }}"]\nfile = "x"\n',
  ],
  ['a comment behind a value', '[memory]\nsize = "1G" # enough\n'],
  ['the same key in two groups', '[drive]\nfile = "x"\n[drive]\nfile = "y"\n'],
] as const) {
  test(`nothing is said about ${what}`, () => assert.deepEqual(findings(text), []));
}

test('a file with DOS line ends has one finding about them', () => {
  const found = findings('[memory]\r\nsize = "1G"\r\n\r\n[name]\r\nguest = "a"\r\n\r\n');
  assert.deepEqual(
    found.map(({ code, at }) => [code, at?.range.start.line]),
    [['qemu-config-syntax', 2]],
  );
});

test('the fix of a value without quotes puts it into quotes', () => {
  const [finding] = findings('[memory]\n  size=512M\n');
  assert.equal(finding?.fixes?.[0]?.edits[0]?.newText, 'size = "512M"');
});

for (const [type, choice] of [
  ['pc', 'pc'],
  ['q35', undefined],
  ['microvm', undefined],
  ['virt', undefined],
] as const) {
  test(`a machine of type ${type} is read ${choice ? 'as the PC that is modelled' : 'for no VMM and version'}`, () => {
    const text = `[machine]\n  type = "${type}"\n`;
    const document = parseQemuConfig(new SourceText('file:///vm.cfg', text), { files: new Map() });
    assert.equal(document.choice?.vmm, choice);
    assert.equal(document.choiceReason, choice ? 'newest' : null);
  });
}
