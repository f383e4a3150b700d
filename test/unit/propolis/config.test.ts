import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { bootpathService } from '../../../server/src/service';
import { SourceText } from '../../../server/src/text/sourceText';
import { bootOrderFile, parseBdf } from '../../../server/src/vmm/propolis/bootOrder';
import { parsePropolis } from '../../../server/src/vmm/propolis/document';
import { recognisePropolis } from '../../../server/src/vmm/propolis/recognise';

const CONFIG = `# A guest with a disk and a NIC.
[main]
name = "web"
cpus = 4
bootrom = "/opt/OVMF_CODE.fd"
memory = 0x1000 # MiB
exit_on_reboot = 7
boot_order = ["disk0", "net0"]

[block_dev.image]
type = "file"
path = "/var/web.raw"

[dev.disk0]
driver = "pci-nvme"
block_dev = "image"
pci-path = "0.16.0"

[dev.net0]
driver = "pci-virtio-viona"
vnic = "vnic0"
pci-path = "0.5.1"
`;

const parse = (text: string, version?: string) =>
  parsePropolis(new SourceText('file:///vm.toml', text), {
    files: new Map(),
    ...(version ? { choice: { vmm: 'propolis', version } } : {}),
  });
const textAt = (text: string, at: { range: { start: { line: number; character: number } } } | null) => {
  const { line, character } = at!.range.start;
  return text.split('\n')[line]!.slice(character);
};

test('a config gives one guest, and every fact knows its place', () => {
  const { machines, problems } = parse(CONFIG);
  assert.deepEqual(problems, []);
  assert.equal(machines.length, 1);
  const [machine] = machines;
  assert.equal(machine!.name, 'web');
  assert.equal(machine!.memory?.value, 4n << 30n);
  assert.equal(machine!.vcpus.value, 4);
  const { origin } = machine!.memory;
  assert.ok(origin.kind === 'text' && textAt(CONFIG, origin).startsWith('0x1000'));
  assert.ok(textAt(CONFIG, machine!.nameAt).startsWith('"web"'));
  assert.deepEqual(
    machine!.images.map(({ role, path }) => [role, path]),
    [
      ['firmware', '/opt/OVMF_CODE.fd'],
      ['disk', '/var/web.raw'],
    ],
  );
  assert.equal(machine!.settings?.get('main.exit_on_reboot')?.value, 7n);
  assert.equal(machine!.settings?.get('dev.net0.pci-path')?.value, '0.5.1');
  const lowmem = machine!.regions[0]!;
  assert.ok(textAt(CONFIG, lowmem.at).startsWith('0x1000'));
});

test('the boot order is in OVMF’s words, as the test of formats::BootOrder has them', () => {
  const [machine] = parse(CONFIG).machines;
  // hw/qemu/fwcfg.rs, test_bootorder; the device of 0.16.0 is 10 in hex, and eui is 0 (generate_bootorder).
  assert.equal(
    new TextDecoder().decode(bootOrderFile(machine!)!),
    '/pci@i0cf8/pci8086,5845@10,0/namespace@1,0\n/pci@i0cf8/device@5,1\nHALT\0',
  );
  assert.equal(bootOrderFile(parse('[main]\nmemory = 1\n').machines[0]!), null);
});

test('a PCI path is three decimal numbers within their limits', () => {
  assert.deepEqual(parseBdf('0.31.7'), [0, 31, 7]);
  for (const wrong of ['0.32.0', '0.0.8', '256.0.0', '0.1', '0.1.2.3', '0.a.0', '', '0:1.0']) {
    assert.equal(parseBdf(wrong), null, wrong);
  }
});

test('the service claims such a config by its content, and no other TOML', () => {
  assert.equal(bootpathService.claim('toml', CONFIG, 'vm.toml')?.kind, 'propolis');
  for (const text of [
    '[main]\nbootrom = "x"\n',
    '[main]\ncpus = 1\nmemory = 512\n',
    '[dev.a]\ndriver = "pci-nvme"\n',
    '# bootpath: propolis@2026-06\n',
  ]) {
    assert.ok(recognisePropolis(text), text);
  }
  for (const text of [
    '[package]\nname = "main"\nversion = "1.0.0"\n',
    '[main]\nname = "x"\n',
    '[dev.x]\ndriver = "eth"\n',
    '[tool.x]\nmemory = 1\ncpus = 1\n',
    'vm "x" {\n\tmemory 1G\n}\n',
    '',
  ]) {
    assert.ok(!recognisePropolis(text), text);
  }
});

test('duplicates and broken lines are findings with codes; the rest is read', () => {
  const { machines, problems } = parse('[main]\nmemory = 1024\nmemory = 2048\ncpus = \n[dev.a\n');
  assert.deepEqual(
    problems.map(({ code }) => code),
    ['propolis-duplicate', 'propolis-toml', 'propolis-toml'],
  );
  assert.equal(problems[0]!.related?.length, 1);
  assert.equal(machines[0]!.memory?.value, 1n << 30n);
});

test('a version by pragma or by choice; an unknown one is told, with fixes', () => {
  const pinned = parse('# bootpath: propolis@2024-06\n[main]\nmemory = 1048576\n');
  assert.equal(pinned.choice?.version, '2024-06');
  assert.deepEqual(pinned.machines[0]!.regions, []);
  assert.equal(parse(CONFIG, '2025-06').choiceReason, 'asked');
  const unknown = parse('# bootpath: propolis@1.0\n[main]\nmemory = 1\n');
  assert.equal(unknown.problems[0]!.code, 'propolis-pragma');
  assert.ok(unknown.problems[0]!.fixes!.length > 3);
});

test('negative memory and absurd numbers give a guest without memory, or one that is refused', () => {
  assert.equal(parse('[main]\nmemory = -1\n').machines[0]!.memory, null);
  assert.deepEqual(parse('[main]\nmemory = 9223372036854775807\n').machines[0]!.regions, []);
  assert.equal(parse('[main]\ncpus = 300\n').machines[0]!.vcpus.value, 1);
});

test('the outline has the tables in the order of the text, links lie between the quotes', () => {
  const document = parse(CONFIG);
  assert.deepEqual(
    document.outline.map(({ name, detail }) => [name, detail]),
    [
      ['main', '4 GiB'],
      ['block_dev.image', 'file'],
      ['dev.disk0', 'pci-nvme'],
      ['dev.net0', 'pci-virtio-viona'],
    ],
  );
  assert.deepEqual(
    document.links.map(({ path, range }) => [path, textAt(CONFIG, { range }).startsWith(path)]),
    [
      ['/opt/OVMF_CODE.fd', true],
      ['/var/web.raw', true],
    ],
  );
});

test('any damage to a config is read without an exception', () => {
  const damage = fc.tuple(
    fc.nat(CONFIG.length),
    fc.nat(12),
    fc.constantFrom('', '\0', '"', '[', ']', '=', '\n', '{', '.', '99999999999999999999', "'''"),
  );
  fc.assert(
    fc.property(damage, ([at, cut, inserted]) => {
      const document = parse(CONFIG.slice(0, at) + inserted + CONFIG.slice(at + cut));
      assert.ok(document.outline.length >= 0 && document.links.length >= 0);
      for (const { range, children } of document.outline) {
        for (const child of children) {
          assert.ok(child.range.start.line >= range.start.line && child.range.end.line <= range.end.line);
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('memory that an older version cannot hold, or tells wrong, is a finding at its line', () => {
  const codes = (version: string, mib: number) =>
    bootpathService
      .findings(parse(`[main]\nbootrom = "/x"\nmemory = ${mib}\ncpus = 1\nname = "big"\n`, version))
      .filter(({ code }) => code.startsWith('propolis-'))
      .map(({ code, severity, at }) => [code, severity, at?.range.start.line]);
  const tebibyte = 1024 * 1024;
  assert.deepEqual(codes('2024-06', tebibyte), [['propolis-address-space', 'warning', 2]]);
  assert.deepEqual(codes('2022-09', 300 * 1024), [['propolis-address-space', 'warning', 2]]);
  assert.deepEqual(codes('2025-05', tebibyte), []);
  assert.deepEqual(codes('2025-05', 1026 * 1024), []);
  assert.deepEqual(codes('2025-05', 1027 * 1024), [['propolis-cmos-memory', 'warning', 2]]);
  assert.deepEqual(codes('2025-06', 1027 * 1024), []);
});
