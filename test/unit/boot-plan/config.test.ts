/** Plans that name a config or a memory map: whose machine they boot, and what may not stand beside it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { completeBootPlan } from '../../../server/src/boot-plan/completion';
import { describe } from '../../../server/src/boot-plan/describe';
import { bootpathService } from '../../../server/src/service';
import { SourceText } from '../../../server/src/text/sourceText';
import { parseUnder } from '../../../server/src/vmm/documentUnder';
import { findings, read, told, URI, written } from './read';

const VM = 'vm "one" {\n\tmemory 512M\n\tdisk "/one.img"\n}\n';
const OTHER = 'vm "two" {\n\tmemory 1G\n\tdisk "/two.img"\n}\n';
const MAP = `[    0.000000] BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable
[    0.000000] BIOS-e820: [mem 0x0000000000100000-0x000000001fffffff] usable
`;
const PLAN = 'config = "../vm.conf"\n';

/** The machine as the config alone gives it. */
function machineOf(text: string, path: string, choice?: { vmm: string; version: string }) {
  const uri = new URL(path, URI).href;
  const language = bootpathService.claim('', text, uri)!;
  const source = new SourceText(uri, text);
  return parseUnder(language, source, { files: new Map(), ...(choice ? { choice } : {}) }).machines[0]!;
}

test('the machine is the one of the config, and stands where the plan is named', () => {
  const document = read(`name = "boots"\n${PLAN}`, { '../vm.conf': VM });
  const [machine, ...more] = document.machines;
  const alone = machineOf(VM, '../vm.conf');
  assert.deepEqual(more, []);
  assert.equal(machine!.name, 'one');
  assert.deepEqual(machine!.regions, alone.regions);
  assert.deepEqual(document.choice, { vmm: 'vmd', version: alone.version });
  assert.equal(document.choiceReason, 'newest');
  assert.equal(document.plan.start, 'vmm');
  assert.deepEqual([machine!.nameAt!.uri, machine!.nameAt!.range.start.line], [URI, 0]);
});

for (const [vmm, version] of [
  ['vmd', '7.8'],
  ['bhyve', 'illumos-2020-09'],
] as const) {
  test(`\`vmm = "${vmm}@${version}"\` has it laid out as --as does`, () => {
    const choice = { vmm, version };
    const named = read(`${PLAN}vmm = "${vmm}@${version}"\n`, { '../vm.conf': VM });
    const asked = read(PLAN, { '../vm.conf': VM }, choice);
    const { regions } = machineOf(VM, '../vm.conf', choice);
    for (const { machines, plan } of [named, asked]) {
      assert.deepEqual(plan.vmm, choice);
      assert.deepEqual([machines[0]!.vmm, machines[0]!.version], [vmm, version]);
      assert.deepEqual(machines[0]!.regions, regions);
    }
    assert.deepEqual([named.choiceReason, asked.choiceReason], ['pragma', 'asked']);
  });
}

test('a memory map keeps its regions under the VMM that the plan or its own pragma names', () => {
  const pragma = '# bootpath: bhyve@illumos-2021-08\n';
  for (const [head, map, vmm] of [
    ['vmm = "firecracker"\n', MAP, 'firecracker'],
    ['vmm = "firecracker"\n', pragma + MAP, 'firecracker'],
    ['', pragma + MAP, 'bhyve'],
  ] as const) {
    const { machines, plan } = read(`${head}config = "dmesg.txt"\n`, { 'dmesg.txt': map });
    assert.equal(plan.vmm.vmm, vmm);
    assert.equal(machines[0]!.vmm, vmm);
    assert.deepEqual(machines[0]!.regions, machineOf(map, 'dmesg.txt').regions);
  }
});

test('a command line of the plan takes the place of the config’s', () => {
  const config = JSON.stringify({
    'boot-source': { kernel_image_path: 'vmlinux', boot_args: 'quiet' },
    'machine-config': { vcpu_count: 1, mem_size_mib: 128 },
    drives: [],
  });
  const lineOf = (boot: string) =>
    read(`config = "vm.json"\n${boot}`, { 'vm.json': config }).machines[0]!.commandLine!.value;
  assert.equal(lineOf(''), 'quiet');
  assert.equal(lineOf('[boot]\ncommand-line = "loud"\n'), 'loud');
});

test('the config and what it includes are wanted first, and read then', () => {
  const files = { '../vm.conf': 'include "more.conf"\n', '../more.conf': VM };
  const { '../vm.conf': config } = files;
  assert.deepEqual(read(PLAN).wanted, ['file:///vm.conf']);
  assert.deepEqual(read(PLAN, { '../vm.conf': config }).wanted, ['file:///more.conf']);
  const whole = read(PLAN, files);
  assert.deepEqual(whole.wanted, []);
  assert.deepEqual(whole.read, [URI, 'file:///vm.conf', 'file:///more.conf']);
  assert.equal(whole.machines[0]!.name, 'one');
});

for (const [title, text, config, expected] of [
  ['that is not there', PLAN, null, /^The config \.\.\/vm\.conf is not there or cannot be read\.$/],
  ['with an empty path', 'config = ""\n', null, /^The config {2}is not there/],
  ['of no kind that is known', PLAN, 'hello\n', /is not recognised as a VM config or a memory map\.$/],
  ['that is a boot plan', PLAN, '[[vcpu]]\n[gdt]\n[expect]\n', /is a boot plan itself/],
  ['without a machine', PLAN, 'switch "uplink" {\n\tinterface bridge0\n}\n', /describes no machine\.$/],
  ['with several machines', PLAN, VM + OTHER, /describes 2 machines, .* which: one, two\.$/],
  ['that is a memory map of no VMM', PLAN, MAP, /names no VMM: `vmm` has to say which one runs it\.$/],
  [
    'without the machine that is named',
    `${PLAN}machine = "ones"\n`,
    VM + OTHER,
    /has no machine "ones": it has one, two\.$/,
  ],
] as const) {
  test(`a config ${title} is an error at its key, and there is no machine`, () => {
    const files: Record<string, string> = config === null ? {} : { '../vm.conf': config };
    const found = findings(text, files);
    assert.equal(found.length, 1);
    assert.deepEqual([found[0]!.code, found[0]!.severity], ['boot-plan-config', 'error']);
    assert.match(found[0]!.message, expected);
    assert.match(written(text, found[0]!.at!), /^"/);
    assert.deepEqual(read(text, files).machines, []);
  });
}

test('one of several machines is picked by its name, which a fix puts in', () => {
  const files = { '../vm.conf': VM + OTHER };
  const [finding] = findings(PLAN, files);
  assert.deepEqual(
    finding!.fixes!.map(({ title }) => title),
    ['Add machine = "one"', 'Add machine = "two"'],
  );
  const [edit] = finding!.fixes![1]!.edits;
  const at = new SourceText(URI, PLAN).lines.offsetAt(edit!.range.start);
  const fixed = PLAN.slice(0, at) + edit!.newText + PLAN.slice(at);
  assert.deepEqual(told(fixed, files), []);
  assert.equal(read(fixed, files).machines[0]!.name, 'two');
});

test('what the config or its VMM says cannot stand beside it', () => {
  const parts = {
    memory: 'memory = "1G"',
    vcpus: 'vcpus = 2',
    region: 'region = [{ kind = "ram", start = 0, end = "2M" }]',
    gdt: 'gdt = { base = 0x1000, entries = [0] }',
    idt: 'idt = { base = 0x2000, entries = [] }',
    paging: 'paging = { mode = "4-level", tables = 0x3000 }',
    map: 'map = [{ linear = 0, size = "2M" }]',
    vcpu: 'vcpu = [{ rip = 0 }]',
    load: 'load = [{ kind = "flat", at = 0, bytes = "f4" }]',
    linux: 'linux = { boot-params = 0x7000 }',
    captured: 'captured = { core = "core" }',
  };
  for (const [key, line] of Object.entries(parts)) {
    const text = `${PLAN}${line}\n`;
    const list = findings(text, { '../vm.conf': VM }).filter(({ code }) => code === 'boot-plan-config');
    assert.deepEqual(
      list.map(({ at }) => written(text, at!)),
      [key],
    );
    assert.equal(written(text, list[0]!.related![0]!.at), 'config');
    assert.equal(read(text, { '../vm.conf': VM }).plan.start, 'vmm');
  }
  const beside = `${PLAN}[cpu]\nvendor = "amd"\n[boot]\nprobe = "boot-path"\n[run]\nreboots = 1\n[expect]\nmode = "long"\n`;
  assert.deepEqual(told(beside, { '../vm.conf': VM }), []);
});

test('`machine` without a config has no effect', () => {
  assert.deepEqual(told('machine = "one"\nmemory = "1G"\n'), ['boot-plan-unused: machine']);
  assert.deepEqual(told('config = 1\nmachine = "one"\n'), ['boot-plan-wrong-type: 1']);
});

test('a plan cannot name a plan, whatever that has in it, nor itself', () => {
  for (const [path, text] of [
    ['other.boot.toml', VM],
    ['entry.boot.toml', 'config = "entry.boot.toml"\n'],
  ] as const)
    assert.match(findings(`config = "${path}"\n`, { [path]: text })[0]!.message, /is a boot plan itself/);
});

const BROKEN = 'vm "one" {\n\tmemory 512M\n\tdisc "/one.img"\n\tdisk "/one.img" format raww\n}\n';

test('errors of the config are one error of the plan, with their places; warnings are none', () => {
  const [finding, ...more] = findings(PLAN, { '../vm.conf': BROKEN });
  assert.deepEqual(more, []);
  assert.match(finding!.message, /^\.\.\/vm\.conf has \d errors, the first one in line 3: .*disc/);
  assert.deepEqual(
    finding!.related!.map(({ at }) => [at.uri, at.range.start.line]),
    finding!.related!.map((_, index) => ['file:///vm.conf', 2 + index]),
  );
  // A switch that nobody defines is a warning of vm.conf.
  const warned = VM.replace('\tdisk', '\tinterface { switch "none" }\n\tdisk');
  const config = new SourceText('file:///vm.conf', warned);
  const vmconf = bootpathService.claim('', warned, '')!;
  const alone = bootpathService.findings(vmconf.parse(config, { files: new Map() }));
  assert.deepEqual(
    alone.map(({ severity }) => severity),
    ['warning'],
  );
  assert.deepEqual(bootpathService.findings(read(PLAN, { '../vm.conf': warned })), []);
});

test('errors of the config mean nothing to another VMM, nor where they are silenced', () => {
  const files = { '../vm.conf': BROKEN };
  assert.deepEqual(told(`vmm = "bhyve"\n${PLAN}`, files), []);
  const code = bootpathService
    .claim('', VM, '')!
    .parse(new SourceText('file:///vm.conf', BROKEN), { files: new Map() })
    .problems.map((problem) => problem.code);
  const severities = Object.fromEntries(
    [...code, 'vmconf-disk-format'].map((name) => [name, 'off' as const]),
  );
  assert.deepEqual(bootpathService.findings(read(PLAN, files), { severities }), []);
});

test('an error of one command of a script is none of the others', () => {
  const command = (name: string, cpus: string) =>
    `bhyve -c ${cpus} -m 1G -H -s 0,hostbridge -s 31,lpc -l com1,stdio -l bootrom,/fw/BHYVE.fd ${name}\n`;
  const files = {
    'run.sh': `#!/bin/sh\n${command('one', '1')}${command('two', 'cpus=2,sockets=3,cores=5')}`,
  };
  const plan = (machine: string) => `config = "run.sh"\nmachine = "${machine}"\n`;
  assert.deepEqual(told(plan('one'), files), []);
  assert.deepEqual(told(plan('two'), files), ['boot-plan-config: "run.sh"']);
});

test('the machines of the config are suggested, and its path is a link', () => {
  for (const [text, insert] of [
    [`${PLAN}machine = `, '"two"'],
    [`${PLAN}machine = ""`, 'two'],
  ] as const) {
    const document = read(text, { '../vm.conf': VM + OTHER });
    const end = text.endsWith('""') ? text.length - 1 : text.length;
    const found = completeBootPlan(document, document.source.lines.positionAt(end));
    assert.deepEqual(
      found.map(({ label }) => label),
      ['one', 'two'],
    );
    assert.equal(found[1]!.insert, insert);
  }
  const { links } = read(PLAN);
  assert.deepEqual(
    links.map(({ path, range }) => [path, range.start.character]),
    [['../vm.conf', 10]],
  );
});

test('hover on the path says what the config is read as, and which machine is booted', () => {
  const text = `${PLAN}machine = "two"\nvmm = "vmd@7.8"\n`;
  const hover = (files: Record<string, string>) =>
    describe(read(text, files), { line: 0, character: 12 })?.markdown ?? '';
  assert.match(
    hover({ '../vm.conf': VM + OTHER }),
    /A config or memory map that Bootpath reads[^]*Read as `vmconf`, with the machines `one`, `two`\. `two` is booted under `vmd@7\.8`\.$/,
  );
  assert.doesNotMatch(hover({}), /Read as/);
});

test('whatever the config is, the plan is read, and its own findings lie in it', () => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '"',
    'vm',
    '\n',
    'include "../vm.conf"\n',
    '\0',
    'memory 99999T',
    '',
  );
  const text = fc.array(
    fc.record({
      base: fc.constantFrom(VM, OTHER, MAP, BROKEN),
      at: fc.nat(),
      piece,
      cut: fc.nat({ max: 30 }),
    }),
    { minLength: 1, maxLength: 3 },
  );
  fc.assert(
    fc.property(text, fc.constantFrom('', 'machine = "one"\n', 'vmm = "bhyve"\n'), (parts, more) => {
      const config = parts
        .map(({ base, at, piece: put, cut }) => {
          const place = at % (base.length + 1);
          return base.slice(0, place) + put + base.slice(place + cut);
        })
        .join('');
      const plan = PLAN + more;
      const document = read(plan, { '../vm.conf': config });
      assert.ok(document.machines.length <= 1);
      for (const { at } of bootpathService.findings(document)) {
        assert.equal(at!.uri, URI);
        assert.ok(at!.range.end.line <= plan.split('\n').length);
      }
      assert.ok(document.read.includes('file:///vm.conf') || document.wanted.includes('file:///vm.conf'));
    }),
    { numRuns: 300 },
  );
});
