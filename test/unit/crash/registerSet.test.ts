/** Registers without a header: which mode they make, which states are impossible, and vmd's entry states among them. */
import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { registersJson, registersText } from '../../../server/src/output/registers';
import { SourceText } from '../../../server/src/text/sourceText';
import { flat32, flat64, flatUnpaged } from '../../../server/src/vmm/vmd/bootState';
import { vmconf } from '../../../server/src/vmm/vmd/language';
import { codes, crashOf, fixture, golden, messageOf, report } from './dumps';

const qemu = fixture('registers-vmd-flat64-qemu.txt');
const list = fixture('registers-vmd-flat32.txt');

const VM_CONF =
  '# bootpath: vmd@7.8\nvm "bsd" {\n\tmemory 1G\n\tboot "/bsd.rd"\n}\nvm "linux" {\n\tdisk "/l.qcow2"\n}\n';
const conf = vmconf.parse(new SourceText('file:///etc/vm.conf', VM_CONF), { files: new Map() });
const inConf = { machines: conf.machines, documents: [conf] };

test('QEMU’s layout: every value and the hidden parts of segments', () => {
  const { registers, mode, format } = crashOf(qemu);
  assert.equal(format, 'register-set');
  assert.equal(mode, 'compatibility');
  for (const [name, value] of [
    ['rip', 0x1001000n],
    ['rsp', 0xffdcn],
    ['rflags', 2n],
    ['cr0', 0x80000011n],
    ['cr3', 0x11000n],
    ['cr4', 0x30n],
    ['efer', 0x500n],
    ['r8', 0n],
  ] as const)
    assert.equal(registers.values[name], value, name);
  assert.deepEqual(registers.segments['cs'], {
    selector: 8,
    base: 0n,
    limit: 0xffffffff,
    attributes: 0xc09f,
  });
  assert.equal(registers.segments['gdtr']?.base, 0x10000n);
});

test('vmd’s flat64 state: compatibility mode is proven, the known issue inferred, and there is no root cause', () => {
  const crash = crashOf(qemu);
  assert.equal(crash.rootCause, null);
  assert.match(crash.verdict, /legal and boots. It is no fault/);
  const issue = crash.findings.find(({ code }) => code === 'vmd-direct-launch')!;
  assert.deepEqual(
    [issue.severity, issue.confidence, issue.evidence, issue.cause],
    ['information', 'likely', 'inferred', 'vmm'],
  );
  const mode = crash.findings.find(({ code }) => code === 'compatibility-mode')!;
  assert.deepEqual([mode.confidence, mode.evidence, mode.cause], ['certain', 'proven', null]);
  assert.match(mode.message, /#VC included, go through 64-bit gates/);
  assert.ok(!codes(crash).includes('pae-change-while-paging'));
});

test('vmd’s flat32 state: one prediction for each vendor, both counterfactual', () => {
  const crash = crashOf(list);
  assert.equal(crash.mode, 'protected-32');
  assert.equal(crash.rootCause, null);
  const predictions = crash.findings.filter(({ code }) => code === 'pae-change-while-paging');
  assert.deepEqual(
    predictions.map(({ evidence, cause, confidence }) => [evidence, cause, confidence]),
    [
      ['counterfactual', null, 'possible'],
      ['counterfactual', null, 'possible'],
    ],
  );
  assert.match(
    predictions[0]!.message,
    /Intel CPU would load the four PDPTEs at the MOV to CR4 and raise #GP\(0\)/,
  );
  assert.match(predictions[1]!.message, /AMD CPU .* #PF with RSVD/);
  for (const { message } of predictions)
    assert.match(message, /0x40008700000087: present, with reserved bits 1, 2, 7 and 54 set/);
  assert.ok(!codes(crash).includes('compatibility-mode'));
});

test('the proposed state is recognised, and nothing is predicted for it', () => {
  const text = list.replace('0x80000011', '0x11');
  const crash = crashOf(text);
  assert.match(messageOf(crash, 'vmd-direct-launch'), /committed in another form.*paging off/);
  assert.ok(!codes(crash).includes('pae-change-while-paging'));
});

test('the state that was committed is recognised under vmd, and any loader may leave it elsewhere', () => {
  const text = list
    .replace('0x80000011', '0x11')
    .replace('0x12000', '0x0')
    .replace(/cr4(\W+)0x10\b/, 'cr4$10x0');
  assert.match(messageOf(crashOf(text, inConf), 'vmd-direct-launch'), /since loadfile_elf.c rev 1.59/);
  assert.ok(!codes(crashOf(text)).includes('vmd-direct-launch'));
});

test('a config of a version that starts kernels in another state is said to be', () => {
  const other = /The config is read for vmd@7\.8, which starts kernels in another state/;
  const unpaged = registersText(flatUnpaged(0x1001000n, 0xffdcn)).join('\n');
  assert.match(messageOf(crashOf(unpaged, inConf), 'vmd-direct-launch'), other);
  assert.doesNotMatch(messageOf(crashOf(qemu, inConf), 'vmd-direct-launch'), other);
});

test('the example, whole', () => {
  const folder = join(process.env['BOOTPATH_ROOT']!, 'examples/vmd-direct-launch');
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.txt'))) {
    const crash = crashOf(readFileSync(join(folder, name), 'utf8'));
    assert.ok(codes(crash).includes('vmd-direct-launch'), name);
  }
});

test('a vm.conf: the finding stands at the boot line of the VM whose kernel vmd loads', () => {
  const crash = crashOf(qemu, inConf);
  const issue = crash.findings.find(({ code }) => code === 'vmd-direct-launch')!;
  assert.deepEqual([issue.at?.uri, issue.at?.range.start.line], ['file:///etc/vm.conf', 3]);
  assert.equal(issue.related?.length, 1);
  assert.match(issue.related[0]!.message, /\/bsd\.rd itself and start bsd/);
  const table = crash.mappings.find(({ what, machine }) => what === 'CR3 page table' && machine === 'bsd')!;
  assert.equal(table.address, 0x11000n);
  assert.match(table.region!, /RAM|memory/i);
});

test('a vm.conf without a kernel says that vmd starts a firmware', () => {
  const text = 'vm "linux" {\n\tdisk "/l.qcow2"\n}\n';
  const document = vmconf.parse(new SourceText('file:///etc/vm.conf', text), { files: new Map() });
  const crash = crashOf(qemu, { machines: document.machines, documents: [document] });
  const issue = crash.findings.find(({ code }) => code === 'vmd-direct-launch')!;
  assert.match(issue.related![0]!.message, /names no kernel: vmd starts a firmware/);
});

test('without CR3 a vm.conf must say that it is vmd', () => {
  const text = list.replace('cr3 0x12000\n', '');
  assert.ok(!codes(crashOf(text)).includes('vmd-direct-launch'));
  assert.ok(codes(crashOf(text, inConf)).includes('pae-change-while-paging'));
});

for (const [name, text] of [
  ['one line', 'CR0=80000011 CR3=0000000000011000 CR4=00000030 EFER=0000000000000500 CS=0008 L=0 D=1'],
  ['commas', 'cr0 = 0x80000011, cr3 = 0x11000, cr4 = 0x30, efer = 0x500, cs = 0x8 L=0 D=1'],
  ['tabs and vCPU indices', 'cr0[0]\t0x80000011\ncr3[0]\t0x11000\ncr4[0]\t0x30\nefer[0]\t0x500\ncs 8 L=0'],
  [
    'vmm(4)',
    ' cr0=0x80000011 (PG cd nw am wp ne ET ts em mp PE)\n cr3=0x0000000000011000\n cr4=0x0000000000000030\n efer=0x500\n cs=0x0008 rpl=0 base=0x0000000000000000 limit=0x00000000ffffffff a/r=0xc09f',
  ],
  ['QEMU, flattened', qemu.replaceAll('\n', ' ')],
  ['what simulate prints', registersText(flat64(0x1001000n, 0xffdcn)).join('\n')],
  [
    'simulate’s JSON',
    JSON.stringify(
      { vcpus: [{ registers: registersJson(flat64(0x1001000n, 0xffdcn)), mode: 'x' }] },
      null,
      2,
    ),
  ],
  ['simulate’s JSON on one line', JSON.stringify({ registers: registersJson(flat64(0x1001000n, 0xffdcn)) })],
] as const) {
  test(`vmd’s flat64 state is recognised in ${name}`, () => {
    const { crashes } = report(text);
    assert.equal(crashes.length, 1);
    assert.equal(crashes[0]!.mode, 'compatibility');
    assert.ok(codes(crashes[0]!).includes('vmd-direct-launch'));
    assert.ok(codes(crashes[0]!).includes('compatibility-mode'));
  });
}

test('simulate’s text of the flat32 state gives back all of its registers', () => {
  const state = flat32(0x200120n, 0xffdcn);
  const { registers } = crashOf(registersText(state).join('\n'));
  for (const name of ['rip', 'rflags', 'cr0', 'cr2', 'cr3', 'cr4', 'efer'] as const)
    assert.equal(registers.values[name], state[name], name);
  assert.equal(registers.values['rsp'], 0xffdcn);
  const { selector, base, limit, attributes } = state.segments.cs;
  assert.deepEqual(registers.segments['cs'], { selector, base, limit, attributes });
});

test('without CS.L a selector does not tell the mode, and it is not claimed', () => {
  const crash = crashOf('CR0=80000011 CR3=00011000 CR4=00000030 EFER=0000000000000500 CS=0008');
  assert.equal(crash.mode, null);
  assert.match(crash.modeReason, /does not tell CS\.L/);
  assert.ok(!codes(crash).includes('compatibility-mode'));
});

for (const [name, change] of [
  ['CR3', ['0000000000011000', '0000000000012000']],
  ['CR4', ['CR4=00000030', 'CR4=000000b0']],
  ['EFER', ['0000000000000500', '0000000000000d01']],
  ['CS.L', ['00cf9f00', '00af9f00']],
] as const) {
  test(`another ${name} is not vmd’s entry state`, () => {
    const text = qemu.replace(change[0], change[1]);
    assert.notEqual(text, qemu);
    assert.ok(!codes(crashOf(text)).includes('vmd-direct-launch'));
  });
}

for (const [name, text, fact] of [
  ['LMA without PAE', 'cr0 0x80000011\ncr4 0x10\nefer 0x500\n', /LMA 1 with CR4\.PAE 0/],
  ['LMA without PG', 'cr0 0x11\ncr4 0x20\nefer 0x500\n', /LMA 1 with CR0\.PG 0/],
  ['PG without PE', 'cr0 0x80000010\ncr4 0x0\nefer 0x0\n', /PG 1 with PE 0/],
  ['L with D', 'cr0 0x80000011\ncr4 0x20\nefer 0x500\ncs 0x8 L=1 D=1\n', /L and D both 1/],
] as const) {
  test(`an impossible state: ${name}`, () => {
    assert.match(messageOf(crashOf(text), 'impossible-cpu-state'), fact);
  });
}

test('a sound 64-bit state says nothing at all', () => {
  const crash = crashOf(
    'rip 0xffffffff81000000\ncr0 0x80050033\ncr3 0x1000\ncr4 0x6f0\nefer 0xd01\ncs 0x10 L=1\n',
  );
  assert.equal(crash.mode, 'long');
  assert.deepEqual(crash.findings, []);
  assert.match(crash.verdict, /nothing in it is illegal, and no cause can be read/);
});

test('paging off: addresses are guest-physical for certain; paging on: only the page table', () => {
  const unpaged = crashOf(list.replace('0x80000011', '0x11').replace('0x12000', '0x0'), inConf);
  assert.match(unpaged.mappings.find(({ what }) => what === 'CS:RIP')!.role, /^certain while paging is off/);
  const paged = crashOf(qemu.replace('0000000000011000', '0000000000013000'), inConf);
  assert.deepEqual([...new Set(paged.mappings.map(({ what }) => what))], ['CR3 page table']);
});

test('two vCPUs are two sets', () => {
  assert.equal(report(qemu + qemu.replace('CPU#0', 'CPU#1')).crashes.length, 2);
  assert.equal(report(list + list).crashes.length, 2);
});

for (const [name, text] of [
  ['an oops, whose registers are its own', golden],
  [
    'an illumos panic’s control registers',
    'cr0: 8005003b<pg,wp,ne,et,ts,mp,pe>  cr4: 406f8<osxsav,xmme>\ncr2: 0\ncr3: 1dc00000\ncr8: 0\n',
  ],
  ['a KVM trace', fixture('healthy-kvm-trace.txt')],
  ['prose', 'With cr0 0x80000011 and efer 0x500 the guest is in compatibility mode, cr4 0x30.'],
  ['too few', 'cr3 0x1000\ncr4 0x30\nefer 0x500\nrip 0x0\n'],
] as const) {
  test(`no register set is taken from ${name}`, () => {
    assert.deepEqual(
      report(text).crashes.filter(({ format }) => format === 'register-set'),
      [],
    );
  });
}

test('every truncation is survived', () => {
  for (const text of [qemu, list]) {
    for (let length = 0; length <= text.length; length++) report(text.slice(0, length));
  }
});
