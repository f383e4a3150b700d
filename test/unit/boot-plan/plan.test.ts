/** Plans as wholes: how the guest starts, what is loaded, what has no effect, and the machine that comes of it. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { stateOf } from '../../../server/src/boot-plan/vcpus';
import { recogniseBootPlan } from '../../../server/src/boot-plan/recognise';
import { isBootPlan, parseBootPlan } from '../../../server/src/boot-plan/document';
import { BOOT_PLAN_CHECKS } from '../../../server/src/checks/boot-plan/rows';
import { runChecks } from '../../../server/src/checks/catalogue';
import { parseSource } from '../../../server/src/cli/inputs';
import { bootpathService } from '../../../server/src/service';
import { SourceText } from '../../../server/src/text/sourceText';
import { modeOf } from '../../../server/src/x86/state';
import { findings, read, told, URI, written } from './read';

const EXAMPLES = join(process.env.BOOTPATH_ROOT!, 'examples/boot-plans');

for (const name of readdirSync(EXAMPLES).filter((file) => file.endsWith('.boot.toml'))) {
  test(`examples/boot-plans/${name} is a plan without errors`, () => {
    const text = readFileSync(join(EXAMPLES, name), 'utf8');
    const source = new SourceText(pathToFileURL(join(EXAMPLES, name)).href, text);
    assert.equal(bootpathService.claim('', text, source.uri)?.kind, 'boot-plan');
    const document = parseSource(bootpathService, source)!;
    assert.deepEqual(
      bootpathService.findings(document).filter(({ severity }) => severity === 'error'),
      [],
    );
    assert.ok(isBootPlan(document) && document.plan.expectations.length > 0);
  });
}

test('the example of docs/boot-plan.md is a plan with nothing to say about', () => {
  const page = readFileSync(join(process.env.BOOTPATH_ROOT!, 'docs/boot-plan.md'), 'utf8');
  const example = /```toml\n([^]*?)```/.exec(page)![1]!;
  assert.deepEqual(
    runChecks(read(example)).map(({ code, message }) => `${code}: ${message}`),
    [],
  );
});

test('a plan without [[vcpu]] is started by its VMM, whose layout it gets', () => {
  const { plan, machines } = read(
    'vmm = "firecracker"\nmemory = "128M"\n[boot]\nkernel = "vmlinux"\ncommand-line = "quiet"\n',
  );
  const [machine] = machines;
  assert.equal(plan.start, 'vmm');
  assert.equal(machine!.boot, undefined);
  assert.deepEqual(
    machine!.images.map(({ role, path }) => [role, path]),
    [['kernel', 'vmlinux']],
  );
  assert.equal(machine!.commandLine!.value, 'quiet');
  assert.ok(machine!.regions.some(({ kind }) => kind === 'ram'));
});

test('a vCPU that says nothing is as after RESET, and what it says comes over that', () => {
  const [vcpu] = read('[[vcpu]]\nrbx = 7\nrflags = ["IF"]\ndr7 = 0x401\n').plan.registers;
  const state = stateOf(vcpu!);
  assert.equal(modeOf(state), 'real');
  assert.equal(state.rip, 0xfff0n);
  assert.equal(state.segments.cs.base, 0xffff0000n);
  assert.equal(state.general.rbx, 7n);
  // Bit 1 is always set.
  assert.equal(state.rflags, 0x202n);
  assert.equal(state.dr[7], 0x401n);
  assert.equal(state.dr[6], 0xffff0ff0n);
});

test('bits by name are the whole register, a number too', () => {
  const registers = read('[[vcpu]]\ncr0 = ["PE", "PG"]\ncr4 = 0x20\nefer = "0x500"\n').plan.registers[0]!
    .control;
  assert.deepEqual([registers.cr0, registers.cr4, registers.efer], [0x80000001n, 0x20n, 0x500n]);
});

test('a bit that the register lacks is told with the nearest', () => {
  const text = '[[vcpu]]\ncr0 = ["PE", "WPP"]\n';
  const [finding] = findings(text);
  assert.equal(finding!.code, 'boot-plan-value');
  assert.equal(written(text, finding!.at!), '"WPP"');
  assert.equal(finding!.fixes![0]!.edits[0]!.newText, '"WP"');
});

test('vCPUs count on from the one before, and twice the same is told', () => {
  const indices = (text: string) => read(text).plan.registers.map(({ index }) => index);
  assert.deepEqual(indices('[[vcpu]]\n[[vcpu]]\nindex = 3\n[[vcpu]]\n'), [0, 3, 4]);
  assert.equal(read('[[vcpu]]\nindex = 3\n').plan.vcpus, 4);
  assert.deepEqual(told('[[vcpu]]\n[[vcpu]]\nindex = 0\n'), ['boot-plan-vcpu: 0']);
  assert.deepEqual(told('vcpus = 1\n[[vcpu]]\n[[vcpu]]\n'), ['boot-plan-vcpu: [']);
  assert.deepEqual(told('vcpus = 2\n[[vcpu]]\n[[vcpu]]\n'), []);
});

test('a vCPU that waits for a SIPI has no first instruction to fetch', () => {
  const plan = (activity: string) =>
    `[[region]]\nkind = "ram"\nbase = 0\nsize = "1M"\n[[vcpu]]\nactivity = "${activity}"\nrip = 0xfff0\n`;
  const codes = (text: string) => runChecks(read(text)).map(({ code }) => code);
  assert.ok(codes(plan('running')).includes('boot-entry-unreachable'));
  assert.ok(!codes(plan('wait-for-sipi')).includes('boot-entry-unreachable'));
});

test('MSRs by index', () => {
  const [vcpu] = read('[[vcpu]]\nmsrs = { "0x277" = 6, "0xc0000102" = "0xffff888000000000" }\n').plan
    .registers;
  assert.deepEqual(
    [...vcpu!.msrs],
    [
      [0x277, 6n],
      [0xc0000102, 0xffff888000000000n],
    ],
  );
  assert.deepEqual(told('[[vcpu]]\nmsrs = { PAT = 6 }\n'), ['boot-plan-number: PAT']);
});

test('loads have one content and a place', () => {
  const load = (lines: string) => `[[vcpu]]\n[[load]]\n${lines}\n`;
  const cases: readonly [string, string[]][] = [
    ['kind = "flat"\nat = 0\nbytes = "f4 eb"', []],
    ['kind = "flat"\nat = 0\nfile = "x.bin"', []],
    ['kind = "elf"\nfile = "vmlinux"', []],
    ['kind = "rom"\nfile = "bios.bin"', []],
    ['kind = "command-line"\ntext = "quiet"\nat = 0x20000', []],
    ['kind = "flat"\nat = 0', ['boot-plan-load: [']],
    ['kind = "flat"\nat = 0\nbytes = "f4"\nfile = "x"', ['boot-plan-load: bytes']],
    ['kind = "flat"\nbytes = "f4"', ['boot-plan-missing-key: [']],
    ['kind = "elf"\nfile = "x"\nat = 0', ['boot-plan-unknown-key: at']],
    ['kind = "flat"\nat = 0\nbytes = "f"', ['boot-plan-value: "f"']],
    ['kind = "flat"\nat = 0\nfile = ""', ['boot-plan-load: ""']],
    ['kind = "flat"\nat = "0xffffffffffffffff"\nbytes = "f4 f4"', ['boot-plan-load: "0xffffffffffffffff"']],
  ];
  for (const [lines, expected] of cases) assert.deepEqual(told(load(lines)), expected, lines);
  const [flat] = read(load('kind = "command-line"\ntext = "é"\nat = 0')).plan.loads;
  assert.deepEqual(flat!.content, { kind: 'bytes', bytes: Uint8Array.of(0xc3, 0xa9, 0) });
});

test('what has no effect is told at its key', () => {
  const cases: readonly [string, string[]][] = [
    ['memory = "1M"\n[[region]]\nkind = "ram"\nbase = 0\nsize = "1M"\n', ['boot-plan-unused: memory']],
    ['[[vcpu]]\n[boot]\nkernel = "x"\n', ['boot-plan-unused: boot']],
    ['[captured]\ncore = "x.core"\n[boot]\nkernel = "x"\n', ['boot-plan-unused: boot']],
    ['memory = "1M"\n[gdt]\nbase = 0\nentries = [0]\n', ['boot-plan-unused: gdt']],
    ['memory = "1M"\n[[load]]\nkind = "flat"\nat = 0\nbytes = "f4"\n', ['boot-plan-unused: load']],
    ['[[vcpu]]\n[gdt]\nbase = 0\nentries = [0]\n', []],
    ['[captured]\ncore = "x.core"\n[[vcpu]]\nrax = 1\n', []],
  ];
  for (const [text, expected] of cases) assert.deepEqual(told(text), expected, text);
});

test('the VMM of the plan, or the one that the user asks for', () => {
  const choice = (text: string) => read(text).plan.vmm;
  assert.equal(choice('vmm = "vmd@7.8"').version, '7.8');
  assert.equal(choice('vmm = "vmd"').vmm, 'vmd');
  assert.equal(choice('').vmm, 'pc');
  assert.deepEqual(told('vmm = "vmd@1.0"'), ['boot-plan-value: "vmd@1.0"']);
  const asked = { vmm: 'bhyve', version: bootpathService.versions('bhyve')[0]!.id };
  const document = parseBootPlan(new SourceText(URI, 'vmm = "vmd"'), { files: new Map(), choice: asked });
  assert.deepEqual([document.plan.vmm, document.choiceReason], [asked, 'asked']);
});

test('CPU features with their sign, and the physical width', () => {
  const { cpu } = read('[cpu]\nvendor = "amd"\nfeatures = ["+LA57", "-x2APIC"]\nphysical-width = 39\n').plan;
  assert.deepEqual(
    [cpu!.vendor, cpu!.added, cpu!.removed, cpu!.physicalWidth!.value],
    ['amd', ['LA57'], ['x2APIC'], 39],
  );
  assert.deepEqual(told('[cpu]\nfeatures = ["+LA75"]\n'), ['boot-plan-value: "+LA75"']);
});

test('the machine has the structures, tables, mappings and vCPUs of the plan', () => {
  const { boot, mappings } = read(
    '[gdt]\nbase = 0x500\nentries = [0, { type = "tss64" }]\n[paging]\nmode = "4-level"\ntables = 0x9000\n[[map]]\nlinear = 0\nsize = "2M"\n[linux]\nboot-params = 0x7000\n[[load]]\nkind = "flat"\nat = 0x1000\nbytes = "f4"\n[[vcpu]]\nrip = 0x1000\n',
  ).machines[0]!;
  assert.deepEqual(
    boot!.structures.map(
      ({ kind, range }) => `${kind} ${range.start.toString(16)}-${range.end.toString(16)}`,
    ),
    [
      'gdt 500-518',
      'page-tables 9000-a000',
      'page-tables a000-b000',
      'page-tables b000-c000',
      'image 1000-1001',
      'boot-parameters 7000-8000',
    ],
  );
  assert.deepEqual(
    boot!.tables.map(({ which, limit, entries }) => [which, limit, entries.length]),
    [['gdt', 0x17, 3]],
  );
  assert.equal(mappings!.length, 1);
  assert.equal(boot!.vcpus[0]!.state.rip, 0x1000n);
});

test('files are linked between their quotes', () => {
  const text = '[[vcpu]]\n[[load]]\nkind = "elf"\nfile = "a/vmlinux"\n[captured]\ncore = "guest.core"\n';
  assert.deepEqual(
    read(text).links.map(({ range }) => written(text, { uri: URI, range })),
    ['a/vmlinux', 'guest.core'],
  );
});

test('the outline lists tables in the order of the text, regions with their ranges', () => {
  const text =
    'name = "x"\n[[region]]\nkind = "ram"\nname = "low"\nbase = 0\nsize = "1M"\n[[vcpu]]\n[[region]]\nkind = "rom"\nbase = "4G-2M"\nsize = "2M"\n';
  assert.deepEqual(
    read(text).outline.map(({ name, detail }) => `${name} | ${detail}`),
    [
      'name | x',
      'low | ram [0x0, 0x100000), 1 MiB',
      'vcpu 0 | ',
      'rom | rom [0xffe00000, 0x100000000), 2 MiB',
    ],
  );
});

test('a plan is known by its name, a schema, or tables that no other TOML has together', () => {
  assert.ok(recogniseBootPlan('', '/x/entry.boot.toml'));
  assert.ok(recogniseBootPlan('#:schema https://x/boot-plan.schema.json\n', '/x/a.toml'));
  assert.ok(recogniseBootPlan('[[vcpu]]\nrip = 1\n[expect]\nmode = "long"\n', '/x/a.toml'));
  for (const other of [
    '[package]\nname = "x"\n[expect]\nx = 1\n',
    '[[region]]\nname = "eu-west-1"\n',
    '[[map]]\nkey = "q"\n[[region]]\nx = 1\n',
    '[main]\ncpus = 2\nmemory = 1\n',
    '[[vcpu]]\0[expect]',
  ]) {
    assert.equal(recogniseBootPlan(other, '/x/Cargo.toml'), false, other);
  }
});

test('a plan of ten thousand regions and mappings is read in no time', () => {
  const many = Array.from(
    { length: 10_000 },
    (_, i) =>
      `[[region]]\nkind = "ram"\nbase = "0x${(i * 0x200000).toString(16)}"\nsize = "2M"\n[[map]]\nlinear = "0x${(i * 0x200000).toString(16)}"\nsize = "2M"\n`,
  ).join('');
  const from = performance.now();
  const document = read(`[paging]\nmode = "4-level"\ntables = "1T"\n${many}[[vcpu]]\n`);
  assert.equal(document.plan.paging!.mappings.length, 10_000);
  assert.ok(performance.now() - from < 5000);
});

test('a key that a plan does not have is an error by the table of codes too, as it is in each plan', () => {
  const row = BOOT_PLAN_CHECKS.find(({ code }) => code === 'boot-plan-unknown-key')!;
  const found = findings('vmm = "pc"\nzork = 1\n').find(({ code }) => code === row.code)!;
  assert.deepEqual([row.severity, found.severity], ['error', 'error']);
});
