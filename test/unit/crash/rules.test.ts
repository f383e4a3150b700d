/** Each rule where it must speak and where it must not. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CRASH_RULES, documentationOf } from '../../../server/src/crash/rules';
import { isPush } from '../../../server/src/crash/linux/rules/exceptionFrame';
import { vmdLowmem } from '../../../server/src/vmm/vmd/knownIssues/vmdLowmem';
import { codes, crashOf, fixture, golden, messageOf, report, vmdMachine } from './dumps';

interface Case {
  readonly name: string;
  readonly text: string;
  readonly fires?: readonly string[];
  readonly silent?: readonly string[];
  readonly machines?: Parameters<typeof vmdMachine>[];
}

const nullDeref = fixture('null-deref-6.12.txt');
const nullCall = fixture('null-call-with-user-frame.txt');
const pagingRequest = fixture('paging-request-4.4.txt');
const generalProtection = fixture('gp-non-canonical.txt');
const stackOverflow = fixture('stack-overflow.txt');

const FRAME_RULES = ['exception-frame-not-pushed', 'push-faulted', 'fault-below-stack'];
const AFFECTED: Parameters<typeof vmdMachine> = ['7.8', 640];

/** A page fault of the 6.12 fixture with other registers. */
function pageFault(changes: Readonly<Record<string, string>>): string {
  let text = nullDeref;
  for (const [from, to] of Object.entries(changes)) {
    assert.ok(text.includes(from), from);
    text = text.replaceAll(from, to);
  }
  return text;
}

const CASES: readonly Case[] = [
  // R1
  { name: 'R1 on a guard page', text: stackOverflow, fires: ['exception-frame-not-pushed'] },
  {
    name: 'R1 not with another CR2',
    text: golden.replace('405ebb68', '405ebb60'),
    silent: ['exception-frame-not-pushed', 'vmd-lowmem'],
  },
  {
    name: 'R1 with an RSP that is aligned already',
    text: golden.replace('00000000405ebb78', '00000000405ebb70'),
    fires: ['exception-frame-not-pushed'],
  },
  {
    name: 'R1 not on a page fault with the same numbers: its frame was delivered',
    text: pageFault({ '0000000000000018': 'ffffa1c2c0477e48' }),
    silent: ['exception-frame-not-pushed'],
  },
  ...[nullDeref, nullCall, pagingRequest, generalProtection, fixture('i386.txt')].map((text, index) => ({
    name: `R1, R1b, R1c not on ordinary oops ${index + 1}`,
    text,
    silent: [...FRAME_RULES, 'double-fault-first-event', 'missing-endbranch-candidate', 'vmd-lowmem'],
  })),
  // R1b, R1c
  {
    name: 'R1b: a push onto an unmapped stack',
    text: pageFault({
      '0000000000000018': 'ffffa1c2c0477e48',
      '<48> 8b 47 18': '<53> 8b 47 18',
    }),
    fires: ['push-faulted'],
    silent: ['fault-below-stack', 'null-pointer-access'],
  },
  {
    name: 'R1c: just below the stack, but no push',
    text: pageFault({ '0000000000000018': 'ffffa1c2c0477e20' }),
    fires: ['fault-below-stack'],
    silent: ['push-faulted'],
  },
  {
    name: 'R1c not 65 bytes below',
    text: pageFault({ '0000000000000018': 'ffffa1c2c0477e0f' }),
    silent: ['fault-below-stack'],
  },
  {
    name: 'R1c not at the stack pointer itself',
    text: pageFault({ '0000000000000018': 'ffffa1c2c0477e50' }),
    silent: ['fault-below-stack'],
  },
  // R2
  { name: 'R2 on the golden case', text: golden, fires: ['double-fault-first-event'] },
  { name: 'R2 not on a page fault', text: nullDeref, silent: ['double-fault-first-event'] },
  // R6
  {
    name: 'R6: RIP in the VGA window on a low page table',
    text: golden.replaceAll('0x9a070', '0xa0010'),
    fires: ['fetch-in-vga-window'],
  },
  {
    name: 'R6 not one byte below',
    text: golden.replaceAll('0x9a070', '0x9ffff'),
    silent: ['fetch-in-vga-window'],
  },
  {
    name: 'R6 not at the option ROMs',
    text: golden.replaceAll('0x9a070', '0xc0000'),
    silent: ['fetch-in-vga-window'],
  },
  {
    name: 'R6 not on an ordinary page table: RIP is no guest-physical address',
    text: golden.replaceAll('0x9a070', '0xa0010').replace('000000000009c000', '0000000004c9c000'),
    silent: ['fetch-in-vga-window'],
  },
  // R7
  {
    name: 'R7: RIP and page table in the reserved range',
    text: golden,
    machines: [['x86_vm-1.27', 576]],
    fires: ['address-outside-ram'],
  },
  {
    name: 'R7 not where they are RAM',
    text: golden,
    machines: [AFFECTED],
    silent: ['address-outside-ram'],
  },
  { name: 'R7 not without a map', text: golden, silent: ['address-outside-ram'] },
  {
    name: 'R7: the page table beyond RAM',
    text: nullDeref,
    machines: [[null, 640, null]],
    fires: ['address-outside-ram'],
  },
  {
    name: 'R7 not for RIP in the BIOS shadow',
    text: golden.replaceAll('0x9a070', '0xf1000'),
    machines: [AFFECTED],
    silent: ['address-outside-ram'],
  },
  // R7c
  { name: 'R7c on the golden case', text: golden, fires: ['missing-endbranch-candidate'] },
  {
    name: 'R7c not without CET',
    text: golden.replace('0000000000b50eb0', '0000000000350eb0'),
    silent: ['missing-endbranch-candidate'],
  },
  {
    name: 'R7c not where the first instruction has retired',
    text: golden.replace('ffff951d00098000 RBX', '0000000000000018 RBX'),
    silent: ['missing-endbranch-candidate', 'restart-entry-not-executed', 'vmd-lowmem'],
  },
  {
    name: 'R7c not where the bytes are an ENDBR32',
    text: golden.replace('Unable to access opcode bytes at 0x9a046.', '90 90 <f3> 0f 1e fb b8 18 00 00 00'),
    silent: ['missing-endbranch-candidate'],
  },
  {
    name: 'R7c: a recorded #CP',
    text:
      'Missing ENDBR: demo_target+0x0/0x10\n------------[ cut here ]------------\n' +
      'kernel BUG at arch/x86/kernel/cet.c:133!\n' +
      nullDeref
        .slice(nullDeref.indexOf('[    9.114218]'))
        .replace('Oops: Oops: 0000', 'Oops: invalid opcode: 0000'),
    fires: ['missing-endbranch-candidate', 'reported-exception'],
    silent: ['null-pointer-access'],
  },
  // R33
  { name: 'R33: a member of a null pointer', text: nullDeref, fires: ['null-pointer-access'] },
  { name: 'R33: a null function pointer', text: nullCall, fires: ['null-pointer-access'] },
  { name: 'R33 on i386', text: fixture('i386.txt'), fires: ['null-pointer-access'] },
  {
    name: 'R33 not at 4096',
    text: pageFault({ '0000000000000018': '0000000000001000' }),
    silent: ['null-pointer-access'],
  },
  {
    name: 'R33 at 4095',
    text: pageFault({ '0000000000000018': '0000000000000fff' }),
    fires: ['null-pointer-access'],
  },
  { name: 'R33 not on a wild pointer', text: pagingRequest, silent: ['null-pointer-access'] },
  { name: 'R33 not on a #GP', text: generalProtection, silent: ['null-pointer-access'] },
  // R36
  { name: 'R36: taint', text: nullDeref, fires: ['tainted-kernel', 'vmm-identified'] },
  { name: 'R36 not for G alone', text: pagingRequest, silent: ['tainted-kernel', 'several-oopses'] },
  { name: 'R36: two oopses', text: nullDeref + nullDeref, fires: ['several-oopses'] },
  // K
  {
    name: 'K1: a panic after an oops',
    text: generalProtection,
    fires: ['kernel-panic', 'reported-exception'],
  },
  {
    name: 'K2 without the path: a crash elsewhere in reboot(2)',
    text: pageFault({
      'R13: ffff8f0a7bd2c0c0': 'R13: 00000000fee1dead',
      'R14: ffff8f0a40055005': 'R14: 0000000028121969',
    }),
    fires: ['linux-reboot-call'],
    silent: ['linux-bios-reboot-path', 'restart-entry-not-executed', 'vmd-lowmem'],
  },
  {
    name: 'K2 not with one magic number alone',
    text: pageFault({ 'R14: ffff8f0a40055005': 'R14: 0000000028121969' }),
    silent: ['linux-reboot-call'],
  },
  {
    name: 'K5 not for a refused read in the kernel half',
    text: nullCall,
    silent: ['opcode-bytes-refused'],
  },
  {
    name: 'K6 not on another VMM',
    text: golden.replace('OpenBSD VMM, BIOS 1.16.3p0-OpenBSD-vmm', 'QEMU Standard PC, BIOS 1.16.3'),
    silent: ['vmm-owned-register-bit', 'vmd-lowmem'],
    fires: ['exception-frame-not-pushed', 'linux-bios-reboot-path'],
  },
  {
    name: 'K7 not without a randomised direct map',
    text: golden.replace('ffff951d00098000', 'ffff888000098000'),
    silent: ['stack-beyond-trampoline'],
    fires: ['linux-bios-reboot-path'],
  },
];

for (const { name, text, fires = [], silent = [], machines = [] } of CASES) {
  test(name, () => {
    const found = codes(crashOf(text, { machines: machines.map((parts) => vmdMachine(...parts)) }));
    for (const code of fires) assert.ok(found.includes(code), `${code} is missing among ${found.join(', ')}`);
    for (const code of silent)
      assert.ok(!found.includes(code), `${code} must not be among ${found.join(', ')}`);
  });
}

/** R7b needs all of its conditions; each row takes one away. */
const EBDA: readonly (readonly [string, string, Parameters<typeof vmdMachine>[], boolean])[] = [
  ['all three', golden, [AFFECTED], true],
  ['636 KiB is affected too', golden, [['loadfile-1.7', 636]], true],
  ['vmd by its config alone', golden.replace(/^.*Hardware name.*\n/m, ''), [AFFECTED], true],
  ['no sign of vmd', golden.replace(/OpenBSD VMM.*/, 'QEMU Standard PC'), [AFFECTED], false],
  [
    'a machine that is no VM',
    golden.replace(/OpenBSD VMM.*/, 'Example Inc. Server, BIOS 1.0'),
    [AFFECTED],
    false,
  ],
  ['a memory map of no VMM', golden, [[null, 640, null]], false],
  ['a version that is not affected', golden, [['x86_vm-1.27', 576]], false],
  ['a version that is unknown', golden, [[null, 640]], false],
  ['no machine at all', golden, [], false],
  ['a failure below the window', golden.replaceAll('0x9a070', '0x8fff0'), [AFFECTED], false],
  ['a failure above the window', golden.replaceAll('0x9a070', '0xa0000'), [AFFECTED], false],
  [
    'a trampoline page table in the window, but a failure elsewhere',
    nullDeref
      .replace(
        'QEMU Standard PC (i440FX + PIIX, 1996), BIOS 1.16.2-1',
        'OpenBSD VMM, BIOS 1.16.3p0-OpenBSD-vmm',
      )
      .replace('0000000102a3e000', '000000000009c000'),
    [AFFECTED],
    false,
  ],
];

for (const [name, text, machines, expected] of EBDA) {
  test(`R7b: ${name}`, () => {
    const crash = crashOf(text, {
      machines: machines.map((parts) => vmdMachine(...parts)),
      includeLow: true,
    });
    assert.equal(codes(crash).includes('failure-in-ebda-window'), expected);
  });
}

test('the user frame does not overwrite the kernel’s registers', () => {
  const { registers, mode } = crashOf(nullCall);
  assert.equal(registers.values['rip'], 0n);
  assert.equal(registers.values['rsp'], 0xffffb3d9c0b9fe20n);
  assert.equal(registers.values['rax'], 0n);
  assert.equal(registers.segments['cs']?.selector, 0x10);
  assert.equal(mode, 'long');
});

test('a symbol after the selector is not an address', () => {
  const { values } = crashOf(nullDeref).registers;
  assert.equal(values['rip'], undefined);
  assert.match(crashOf(nullDeref).title, / in demo_work\+0x1c\/0x90 /);
});

test('an old RIP line has its address in brackets', () => {
  assert.equal(crashOf(pagingRequest).registers.values['rip'], 0xffffffff81234567n);
});

test('a null function pointer names the first reliable frame, from the header’s address and not from CR2', () => {
  const message = messageOf(crashOf(nullCall), 'null-pointer-access');
  assert.match(message, /RIP is 0x0.*first reliable frame is demo_ioctl\+0x4e\/0xa0/);
});

test('the error code of a page fault is decoded', () => {
  assert.match(
    messageOf(crashOf(nullDeref), 'reported-exception'),
    /error code 0x0: supervisor read · page not present/,
  );
  assert.match(messageOf(crashOf(pagingRequest), 'reported-exception'), /error code 0x2: supervisor write/);
});

test('the page walk ends where the kernel says', () => {
  assert.match(messageOf(crashOf(nullCall), 'reported-exception'), /PMD entry that is not present/);
  const { mappings } = crashOf(nullCall, { machines: [vmdMachine(null, 640, null)] });
  assert.deepEqual(
    mappings.filter(({ what }) => what.startsWith('table')).map(({ address }) => address),
    [0x104a5d000n, 0x104b11000n],
  );
});

test('an overflow into the guard page is told from a truncated stack', () => {
  assert.match(
    messageOf(crashOf(stackOverflow), 'exception-frame-not-pushed'),
    /overflowed into a guard page/,
  );
  assert.match(messageOf(crashOf(golden), 'exception-frame-not-pushed'), /32-bit segment, which cuts RSP/);
  const missingSwitch = golden
    .replace('RIP: 0008:0x9a070', 'RIP: 0010:0xffffffff81c00010')
    .replace('00000000405ebb78', '00007ffe405ebb78')
    .replace('00000000405ebb68', '00007ffe405ebb68');
  assert.match(messageOf(crashOf(missingSwitch), 'exception-frame-not-pushed'), /stack switch is missing/);
});

test('the reason of a panic ends before the end mark, also in a flattened text', () => {
  const text =
    generalProtection + '[  120.600000] ---[ end Kernel panic - not syncing: Fatal exception ]---\n';
  for (const shape of [text, text.replaceAll('\n', ' ')]) {
    assert.match(messageOf(crashOf(shape), 'kernel-panic'), /^The kernel panicked: Fatal exception\. /);
  }
});

test('RF clear means that no fault came first', () => {
  assert.match(
    messageOf(crashOf(golden.replace('00010046', '00000246')), 'double-fault-first-event'),
    /RF clear: .* an interrupt, a trap or a breakpoint/,
  );
});

test('a register that equals a boundary of the map is linked', () => {
  const text = golden.replace('R15: ffffffff9c0417e0', 'R15: 0000000020000000');
  const { mappings } = crashOf(text, { machines: [vmdMachine('7.8', 640)] });
  assert.match(
    mappings.find(({ what }) => what === 'R15')!.note!,
    /^equals the end of RAM above 1 MiB \[0x100000, 0x20000000\)/,
  );
});

test('[#1] comes first, whatever the order in the text', () => {
  const second = nullDeref.replace('[#1]', '[#2]').replace('Comm: kworker/2:1', 'Comm: second');
  const { crashes } = report(second + nullDeref);
  assert.deepEqual(
    crashes.map(({ title }) => /\[#(\d)\]/.exec(title)![1]),
    ['1', '2'],
  );
  assert.match(messageOf(crashes[0]!, 'several-oopses'), /first of 2 oopses/);
  assert.match(messageOf(crashes[1]!, 'several-oopses'), /oops 2 of 2/);
});

test('two machines in one text are kept apart, also where their lines alternate', () => {
  const bare = (text: string, host: string) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => `Jan  5 21:23:20 ${host} kernel: ${line}`);
  const first = bare(golden, 'guest-a');
  const second = bare(nullDeref, 'guest-b');
  const mixed: string[] = [];
  for (let i = 0; i < Math.max(first.length, second.length); i++) {
    mixed.push(...[first[i], second[i]].filter((line) => line !== undefined));
  }
  const { crashes } = report(mixed.join('\n'));
  assert.equal(crashes.length, 2);
  const [other, vmd] = crashes;
  assert.deepEqual(vmd!.registers, crashOf(golden).registers);
  assert.deepEqual(other!.registers, crashOf(nullDeref).registers);
  assert.ok(!codes(vmd!).includes('several-oopses'));
});

for (const [what, bytes, expected] of [
  ['push %rbx', [0x53], true],
  ['push %r12', [0x41, 0x54], true],
  ['call rel32', [0xe8, 0, 0, 0, 0], true],
  ['call *(%rax)', [0xff, 0x10], true],
  ['push (%rax)', [0xff, 0x30], true],
  ['jmp *(%rax)', [0xff, 0x20], false],
  ['mov', [0x48, 0x8b, 0x47, 0x18], false],
  ['nothing', [], false],
] as const) {
  test(`${what} ${expected ? 'pushes' : 'does not push'}`, () => assert.equal(isPush(bytes, 0), expected));
}

test('every rule has its page, and codes are unique kebab-case', () => {
  const seen = new Set<string>();
  for (const rule of CRASH_RULES) {
    assert.match(rule.code, /^[a-z0-9]+(?:-[a-z0-9]+)*$/);
    assert.ok(!seen.has(rule.code), rule.code);
    seen.add(rule.code);
    const page = readFileSync(join(process.env['BOOTPATH_ROOT']!, documentationOf(rule)), 'utf8');
    assert.ok(page.startsWith('# '), rule.code);
  }
});

// A proposal was never run by anybody.
test('the affected versions of vmd-lowmem are those that end low RAM above 576 KiB', () => {
  assert.deepEqual(vmdLowmem.affected, ['loadfile-1.7', 'loadfile-1.11', '7.6', '7.8']);
});
