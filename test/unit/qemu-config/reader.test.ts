/** Config files of QEMU: recognised, read as sscanf does, and laid out where the machine is a PC. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { bootpathService } from '../../../server/src/service';
import { SourceText } from '../../../server/src/text/sourceText';
import { parseQemuConfig } from '../../../server/src/vmm/pc/readconfig/document';
import { readQemuConfig } from '../../../server/src/vmm/pc/readconfig/read';
import { recogniseQemuConfig } from '../../../server/src/vmm/pc/readconfig/recognise';
import { memorySize } from '../../../server/src/vmm/pc/readconfig/size';

const CONFIG = `# a guest
[machine]
  type = "pc"
  accel = "kvm"
  kernel = "/boot/vmlinuz"
  append = "console=ttyS0"

[memory]
  size = "5120"

[smp-opts]
  cpus = "2"

[drive "code"]
  if = "pflash"
  file = "/fw/code.fd"

[drive "disk"]
  file = "disk.img"

[name]
  guest = "web"
`;
const parse = (text: string) => parseQemuConfig(new SourceText('file:///vm.cfg', text), { files: new Map() });

test('a PC is a machine with its memory around the PCI hole', () => {
  const [machine, ...others] = parse(CONFIG).machines;
  assert.ok(machine);
  assert.equal(others.length, 0);
  assert.equal(machine.name, 'web');
  assert.equal(machine.vmm, 'pc');
  assert.equal(machine.memory?.value, 5n << 30n);
  assert.equal(machine.vcpus.value, 2);
  assert.equal(machine.commandLine?.value, 'console=ttyS0');
  assert.deepEqual(
    machine.images.map(({ role, path }) => [role, path]),
    [
      ['kernel', '/boot/vmlinuz'],
      ['firmware', '/fw/code.fd'],
      ['disk', 'disk.img'],
    ],
  );
  assert.equal(machine.settings?.get('drive.code.if')?.value, 'pflash');
  assert.ok(machine.regions.some(({ range }) => range.start === 4n << 30n && range.end === 6n << 30n));
  assert.deepEqual(
    machine.regions.filter(({ at }) => at !== null).map(({ name, at }) => [name, at?.range.start.line]),
    [
      ['RAM', 8],
      ['RAM above 4 GiB', 8],
    ],
  );
});

test('from 3.5 GiB on, 3 GiB of RAM stay below the PCI hole', () => {
  const ram = (size: string) =>
    parse(CONFIG.replace('5120', size)).machines[0]?.regions.filter(({ name }) => name.startsWith('RAM'))
      .length;
  assert.equal(ram('3583'), 1);
  assert.equal(ram('3584'), 2);
});

for (const [what, text] of [
  ['q35', CONFIG.replace('"pc"', '"q35"')],
  ['no machine type, since the binary decides', CONFIG.replace('  type = "pc"\n', '')],
  ['microvm', CONFIG.replace('"pc"', '"microvm"')],
  ['a PC with a border of its own below 4 GiB', CONFIG.replace('accel', 'max-ram-below-4g = "1G"\n  accel')],
  ['a size that is none', CONFIG.replace('"5120"', '"5120MB"')],
] as const) {
  test(`nothing is laid out for ${what}`, () => assert.deepEqual(parse(text).machines, []));
}

test('a PC of a version is one, with 128 MiB where nobody says how much', () => {
  const [machine] = parse('[machine]\ntype = "pc-i440fx-8.2"\n').machines;
  assert.equal(machine?.memory?.value, 128n << 20n);
});

for (const [text, mib] of [
  ['512', 512n],
  ['512M', 512n],
  ['2g', 2048n],
  ['1.5G', 1536n],
  ['0x400', 1024n],
  ['1048576K', 1024n],
  ['4194304B', 4n],
] as const) {
  test(`a size of ${text} is ${mib} MiB`, () => assert.equal(memorySize(text), mib << 20n));
}
for (const text of ['', 'x', '512MB', '1GiB', '-1', '1.5B', '512 M', '99999999999999999999']) {
  test(`\`${text}\` is no size`, () => assert.equal(memorySize(text), null));
}

for (const [what, line, kind] of [
  ['a value without quotes', 'size = 1G', 'unquoted'],
  ['single quotes', "size = '1G'", 'unquoted'],
  ['no blank before the sign', 'size="1G"', 'glued'],
  ['a blank behind the sign alone', 'size= "1G"', 'glued'],
  ['a comment in the middle of a line', '  # size', 'comment'],
  ['blanks', '   ', 'blank'],
  ['a CR', '\r', 'blank'],
  ['a word', 'size', 'no-value'],
  ['no closing quote', 'size = "1G', 'unclosed-value'],
  ['text behind the value', 'size = "1G" or so', 'tail'],
  ['a group without a name', '[]', 'header'],
  ['a group that is not closed', '[memory', 'unclosed-header'],
  ['a key of 64 bytes', `${'k'.repeat(64)} = "1"`, 'long-name'],
  ['a line of 1024 bytes', `size = "${'1'.repeat(1014)}"`, 'long-line'],
] as const) {
  test(`${what} is told`, () => {
    const { problems } = readQemuConfig(`[memory]\n${line}\n[name]\n`);
    assert.deepEqual(
      problems.map((problem) => problem.kind),
      [kind],
    );
  });
}

test('a pair above every group is told', () => {
  assert.deepEqual(
    readQemuConfig('size = "1"\n').problems.map(({ kind }) => kind),
    ['no-group'],
  );
});

for (const line of [
  'size="1G',
  'size ="1G"',
  ' size  =  "1G"  # comment',
  'size = ""',
  'size = "1G"\r',
  '# size',
  '',
]) {
  test(`\`${line.trim()}\` is read as it looks, or told otherwise`, () => {
    const { problems } = readQemuConfig(`[memory]\n${line}\n`);
    assert.equal(problems.length, line === 'size="1G' ? 1 : 0);
  });
}

test('files of other programs are not ours', () => {
  const others = [
    '[machine]\ntype = "pc"\n', // one group that many have
    '[package]\nname = "x"\n[memory]\nsize = "1G"\n',
    '[remote "origin"]\n\turl = "x"\n[branch "main"]\n\tremote = "origin"\n',
    'arch = "x"\n[machine]\ntype = "virt"\n[memory]\nsize = "1G"\n',
    '[machine]\ntype = pc\n[memory]\nsize = 1G\n',
    '[Unit]\nDescription="x"\n',
    '[device "a"]\nname = b\n',
    'device "x" {\n}\n',
    '',
  ];
  for (const text of others) assert.equal(recogniseQemuConfig(text, '/x.conf'), false, text);
  assert.equal(recogniseQemuConfig(CONFIG, '/vm.toml'), false);
  assert.equal(recogniseQemuConfig(CONFIG, '/vm.cfg'), true);
  assert.equal(recogniseQemuConfig(CONFIG.replaceAll('\n', '\r\n'), '/vm.cfg'), true);
  assert.equal(bootpathService.claim('ini', CONFIG, '/vm.ini')?.kind, 'qemu-config');
  // Half of it is enough while somebody types.
  assert.equal(recogniseQemuConfig('[drive "d"]\n  file = "/d.img"\n  if = \n', '/vm.cfg'), true);
});

test('reading never throws, and every place lies inside the text', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '[',
      ']',
      '"',
      '=',
      ' ',
      '\n',
      '#',
      '[memory]\n',
      ' size = "1G"\n',
      '\r\n',
      '\0',
      '[drive "a"]',
    ),
    fc.string({ maxLength: 6, unit: 'binary' }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (parts) => {
      const text = parts.join('');
      const { groups, problems } = readQemuConfig(text);
      const spans = [
        ...problems,
        ...groups.flatMap((group) => [group, group.name, ...(group.id ? [group.id] : [])]),
        ...groups.flatMap(({ pairs }) => pairs.flatMap((pair) => [pair, pair.key, pair.value])),
      ];
      for (const { start, end } of spans) assert.ok(start >= 0 && start <= end && end <= text.length);
      for (const { name, id, pairs } of groups) {
        assert.equal(text.slice(name.start, name.end), name.text);
        if (id) assert.equal(text.slice(id.start, id.end), id.text);
        for (const { key, value } of pairs) {
          assert.equal(text.slice(key.start, key.end), key.text);
          assert.equal(text.slice(value.start, value.end), value.text);
        }
      }
      parse(text);
    }),
  );
});
