/** What a guest finds before its first instruction: each rule on a state that it must report, and on one near it. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { runChecks } from '../../../server/src/checks/catalogue';
import { bootpathService } from '../../../server/src/service';
import { SourceText } from '../../../server/src/text/sourceText';
import type { GuestState } from '../../../server/src/x86/entryChecks/guestState';
import type { SegmentState } from '../../../server/src/x86/state';
import { codes, findings, GDT, line, LONG, mapping, RAM, startOf, type Start } from './bootDocument';

const of = (start: Start) => codes({ boot: startOf(start) });
const first = (start: Start, code: string) =>
  findings({ boot: startOf(start) }).find((finding) => finding.code === code)!;
const withSegment = (name: 'cs' | 'ds' | 'tr', changed: Partial<SegmentState>): GuestState => ({
  ...LONG,
  segments: { ...LONG.segments, [name]: { ...LONG.segments![name]!, ...changed } },
});

test('a sound start in long mode has no finding', () => {
  assert.deepEqual(of({}), []);
});

test('vm-entry-state: PG without PE is refused by the CPU, and the finding stands on CR0', () => {
  const state = { ...LONG, cr0: 0xe0000010n };
  const found = first({ state }, 'vm-entry-state');
  assert.equal(found.severity, 'error');
  assert.deepEqual(found.at, line(41));
  assert.match(found.message, /PG=1 with PE=0.*check V1.*reason 33/);
});

test('vm-entry-state: L and D both set is V15, at CS', () => {
  const found = first({ state: withSegment('cs', { attributes: 0xe09b }) }, 'vm-entry-state');
  assert.match(found.message, /check V15/);
  assert.deepEqual(found.at, line(42));
});

test('vm-entry-state: NW without CD is refused by AMD alone, and so a warning where the vendor is open', () => {
  const boot = startOf({ state: { ...LONG, cr0: 0xa0000011n } });
  const severities = (settings: Record<string, string>) =>
    findings({ boot, settings })
      .filter(({ code }) => code === 'vm-entry-state')
      .map(({ severity }) => severity);
  assert.deepEqual(severities({}), ['warning']);
  assert.deepEqual(severities({ 'cpu.vendor': 'amd' }), ['error']);
  assert.deepEqual(severities({ 'cpu.vendor': 'intel' }), []);
});

test('vm-entry-state: CR3 beyond the width that the text gives the CPU', () => {
  const boot = startOf({ state: { ...LONG, cr3: 1n << 40n } });
  assert.ok(!codes({ boot }).includes('vm-entry-state'));
  assert.ok(codes({ boot, settings: { 'cpu.physical-width': 39n } }).includes('vm-entry-state'));
});

test('boot-structure-overlap: tables that share bytes are an error on both sides; touching ones are fine', () => {
  const found = first(
    {
      structures: [
        ['gdt', 0x9ff8n, 0xa018n],
        ['page-tables', 0xa000n, 0xb000n],
      ],
    },
    'boot-structure-overlap',
  );
  assert.equal(found.severity, 'error');
  assert.match(found.message, /share 24 B/);
  assert.deepEqual([found.at, found.related![0]!.at], [line(31), line(30)]);
  assert.deepEqual(
    of({
      structures: [
        ['gdt', 0x9fe0n, 0xa000n],
        ['page-tables', 0xa000n, 0xb000n],
      ],
    }),
    [],
  );
});

test('boot-structure-overlap: an EBDA holds its tables; a stack in one, and plain bytes, are a warning', () => {
  assert.deepEqual(
    of({
      structures: [
        ['ebda', 0x9e000n, 0x9f000n],
        ['mp-table', 0x9e000n, 0x9e100n],
      ],
    }),
    [],
  );
  const stack = first(
    {
      structures: [
        ['boot-parameters', 0x7000n, 0x8000n],
        ['stack', 0x7f00n, 0x8ff0n],
      ],
    },
    'boot-structure-overlap',
  );
  assert.deepEqual([stack.severity, /first pushes/.test(stack.message)], ['warning', true]);
});

test('boot-structure-overlap and -outside-memory say nothing of what a VMM alone decides, but of what it writes into a hole', () => {
  const structures = [
    ['gdt', 0x500n, 0x520n],
    ['idt', 0x510n, 0x528n],
  ] as const;
  assert.deepEqual(of({ vmm: true, structures }), []);
  assert.deepEqual(of({ vmm: true, structures: [['acpi', 0xe0000n, 0xe0024n]] }), [
    'boot-structure-outside-memory',
  ]);
});

test('boot-structure-outside-memory: a command line in the hole below 1 MiB, half of it in memory', () => {
  const found = first(
    { structures: [['command-line', 0x9ef00n, 0x9f100n]] },
    'boot-structure-outside-memory',
  );
  assert.match(found.message, /\[0x9f000, 0x9f100\) is behind no region/);
  assert.deepEqual(of({ structures: [['command-line', 0x9ef00n, 0x9f000n]] }), []);
  assert.deepEqual(codes({ regions: [], boot: startOf({ structures: [['gdt', 0n, 8n]] }) }), []);
});

test('boot-entry-unreachable: not mapped, not executable, mapped to where nothing is, and no memory without paging', () => {
  const found = first({ state: { ...LONG, rip: 1n << 30n } }, 'boot-entry-unreachable');
  assert.deepEqual([found.severity, found.at], ['error', line(43)]);
  assert.match(found.message, /do not map the first instruction at 0x40000000/);
  const fixed = (mappings: Start['mappings'] & object) =>
    first({ mappings }, 'boot-entry-unreachable').message;
  assert.match(fixed([mapping(0n, 1n << 30n, { executable: false })]), /with XD/);
  assert.match(
    fixed([mapping(0n, 1n << 30n, { physical: 1n << 40n })]),
    /mapped to 0x10000100000, where no region/,
  );
  const unpaged = { ...LONG, cr0: 0x11n, efer: 0n, rip: 0xa0000n };
  const code32 = { selector: 8, base: 0n, limit: 0xffffffff, attributes: 0xc09b };
  const state = { ...unpaged, segments: { ...LONG.segments, cs: code32 } };
  const gdt = [0n, 0x00cf9b000000ffffn, 0x00cf93000000ffffn];
  assert.deepEqual(of({ state, gdt }), ['boot-entry-unreachable']);
  assert.deepEqual(of({ state: { ...state, rip: 0x9effen }, gdt }), []);
});

test('boot-entry-unreachable: an address that is not canonical is no matter of page tables', () => {
  const at = (rip: bigint, cr4 = LONG.cr4) => of({ state: { ...LONG, cr4, rip }, mappings: [] });
  const found = first({ state: { ...LONG, rip: 1n << 47n }, mappings: [] }, 'boot-entry-unreachable');
  assert.match(found.message, /0x800000000000, which is not canonical: .*general-protection fault/);
  assert.ok(!at(0xffff_8000_0000_0000n).includes('boot-entry-unreachable'));
  assert.ok(!at(1n << 47n, LONG.cr4! | (1n << 12n)).includes('boot-entry-unreachable'));
  assert.ok(at(1n << 56n, LONG.cr4! | (1n << 12n)).includes('boot-entry-unreachable'));
});

test('boot-entry-unreachable: without a word on page tables nothing is said', () => {
  assert.deepEqual(of({ state: { ...LONG, rip: 1n << 30n }, mappings: [] }), []);
});

test('boot-table-unreachable: GDTR beside the table, and a GDT that is not mapped', () => {
  const beside = first({ state: { ...LONG, gdtr: { base: 0x508n, limit: 0x17 } } }, 'boot-table-unreachable');
  assert.match(beside.message, /GDTR leads to 0x508, and the table lies at 0x500/);
  const unmapped = first({ mappings: [mapping(0x100000n, 1n << 30n)] }, 'boot-table-unreachable');
  assert.match(unmapped.message, /do not map \[0x500, 0x518\)/);
  assert.deepEqual(of({ vmm: true, mappings: [mapping(0x100000n, 1n << 30n)] }), []);
});

test('boot-image-unmapped: a kernel of which no linear address reaches the end; a high mapping is enough', () => {
  const structures = [['kernel', 0x100000n, 0x300000n]] as const;
  const found = first({ structures, mappings: [mapping(0n, 0x200000n)] }, 'boot-image-unmapped');
  assert.match(found.message, /No linear address leads to \[0x200000, 0x300000\)/);
  const high = mapping(0xffffffff80000000n, 0xffffffffc0000000n, { physical: 0n });
  assert.deepEqual(of({ structures, mappings: [mapping(0n, 0x200000n), high] }), []);
  assert.deepEqual(
    of({ structures: [['initrd', 0x7000000n, 0x7800000n]], mappings: [mapping(0n, 0x200000n)] }),
    [],
  );
});

test('boot-read-only-above: information while WP is 0, a warning where it is 1, once for one entry', () => {
  const above = {
    level: 'PML4E',
    value: 0x12001n,
    origin: { kind: 'text', ...line(51) },
  } as const;
  const mappings = [
    mapping(0n, 1n << 29n, { readOnlyAbove: above }),
    mapping(1n << 29n, 1n << 30n, { readOnlyAbove: above, user: true }),
  ];
  const severities = (state: GuestState) =>
    findings({ boot: startOf({ state, mappings }) }).map(({ code, severity, at }) => [
      code,
      severity,
      at!.range.start.line,
    ]);
  assert.deepEqual(severities(LONG), [['boot-read-only-above', 'information', 51]]);
  assert.deepEqual(severities({ ...LONG, cr0: 0xe0010011n }), [['boot-read-only-above', 'warning', 51]]);
  assert.deepEqual(of({ mappings: [mapping(0n, 1n << 30n, { readOnlyAbove: above, writable: false })] }), []);
});

test('boot-gdt-limit: a selector beyond the limit; the last that fits is fine', () => {
  const found = first({ state: { ...LONG, gdtr: { base: 0x500n, limit: 0xf } } }, 'boot-gdt-limit');
  assert.match(found.message, /selector 0x10, whose descriptor ends at offset 0x17/);
  assert.ok(!of({ state: { ...LONG, gdtr: { base: 0x500n, limit: 0x17 } } }).includes('boot-gdt-limit'));
  const real = { ...LONG, cr0: 0x10n, efer: 0n, gdtr: { base: 0n, limit: 0 } };
  assert.ok(!of({ state: real, gdt: [] }).includes('boot-gdt-limit'), 'real mode has no descriptors');
});

test('boot-segment-mode: L outside IA-32e mode, and compatibility mode as information', () => {
  const legacy = { ...LONG, cr0: 0x11n, efer: 0n };
  assert.match(first({ state: legacy }, 'boot-segment-mode').message, /L=1, and EFER\.LMA is 0/);
  assert.match(
    first({ state: { ...legacy, efer: 0x100n } }, 'boot-segment-mode').message,
    /the MOV to CR0 that sets PG is #GP/,
  );
  const compatibility = first(
    { state: withSegment('cs', { attributes: 0xc09b }), gdt: [0n, 0x00cf9b000000ffffn, GDT[2]] },
    'boot-segment-mode',
  );
  assert.equal(compatibility.severity, 'information');
});

test('boot-segment-cache: what the GDT says otherwise; the accessed and the busy bit do not count', () => {
  const found = first({ gdt: [0n, 0x00af9b000000ffffn, 0x00cf91000000ffffn] }, 'boot-segment-cache');
  assert.match(found.message, /ES is cached otherwise than entry 2.*access rights 0xc091 instead of 0xc093/);
  assert.deepEqual(found.related![0]!.at, line(23));
  assert.deepEqual(of({ gdt: [0n, 0x00af9a000000ffffn, 0x00cf92000000ffffn] }), []);
  const conforming = first({ gdt: [0n, 0x00af9f000000ffffn, GDT[2]] }, 'boot-segment-cache');
  assert.equal(conforming.severity, 'information');
  assert.deepEqual(
    of({ gdt: [0n, 0x00a09b0000000000n, GDT[2]], state: withSegment('cs', { limit: 0 }) }).length,
    1,
  );
});

test('boot-descriptor: L with D, a flat limit without G, and a TSS of 8 bytes in long mode', () => {
  const entry = (value: bigint) => of({ gdt: [...GDT, value] }).filter((code) => code === 'boot-descriptor');
  assert.equal(entry(0x00ef9b000000ffffn).length, 1, 'L and D');
  assert.equal(entry(0x004f93000000ffffn).length, 1, 'no G');
  assert.equal(entry(0x008f8b000000ffffn).length, 1, 'TSS of 8 bytes');
  assert.equal(entry(0x00cf9b000000ffffn).length, 0, '32-bit code');
  assert.equal(entry(0x00ef1b000000ffffn).length, 0, 'not present');
  const whole = of({ gdt: [...GDT, 0x0000890000000067n, 0n] });
  assert.ok(!whole.includes('boot-descriptor'), 'a TSS of 16 bytes');
});

test('boot-mode-step: LME without PAE before PG, and interrupts on without gates', () => {
  const next = { ...LONG, cr0: 0x11n, cr4: 0n, efer: 0x100n };
  assert.equal(first({ state: next }, 'boot-mode-step').severity, 'information');
  assert.ok(!of({ state: { ...next, cr4: 0x20n } }).includes('boot-mode-step'));
  const open = { ...LONG, rflags: 0x202n };
  assert.match(first({ state: open }, 'boot-mode-step').message, /IF=1, and the IDT has limit 0x0/);
  assert.ok(!of({ state: { ...open, idtr: { base: 0n, limit: 0xfff } } }).includes('boot-mode-step'));
});

test('twenty thousand structures and mappings are quick, and no list grows with the square of them', () => {
  const many = 20_000;
  const structures = Array.from(
    { length: many },
    (_, index) =>
      ['image', BigInt(index) * 0x1000n + 0x100000n, BigInt(index) * 0x1000n + 0x101001n] as const,
  );
  const mappings = Array.from({ length: many }, (_, index) =>
    mapping(BigInt(index) * 0x200000n, BigInt(index + 1) * 0x200000n, { user: index % 2 === 0 }),
  );
  const regions = [[0n, 1n << 36n, 'ram'], ...RAM.slice(0, 0)] as const;
  const found = findings({ regions, boot: startOf({ structures, mappings }) });
  assert.ok(found.length <= 60, `${found.length} findings`);
});

test('a raw kernel of libkrun is entered beyond the GiB that its page tables map: information, at the kernel', () => {
  const source = (format: string) =>
    `#include <libkrun.h>\nint main(void)\n{\n\tint ctx = krun_create_ctx();\n\tkrun_set_vm_config(ctx, 1, 3000);\n\tkrun_set_kernel(ctx, "/vmlinux", ${format}, NULL, "console=hvc0");\n\treturn krun_start_enter(ctx);\n}\n`;
  const of = (format: string) => {
    const text = new SourceText('file:///run.c', source(format));
    const document = bootpathService.claim('', text.text, text.uri)!.parse(text, { files: new Map() });
    return runChecks(document).filter(({ code }) => code === 'boot-entry-unreachable');
  };
  const [found] = of('KRUN_KERNEL_FORMAT_RAW');
  assert.deepEqual([found!.severity, found!.at!.range.start.line], ['information', 5]);
  assert.match(found!.message, /0x80000000.*on x86-64/);
  assert.deepEqual(of('KRUN_KERNEL_FORMAT_ELF'), []);
});

test('vmd-direct-launch: a kernel under a vmd that starts ELF64 in compatibility mode, and no disk', () => {
  const of = (version: string, boot: string) => {
    const text = `# bootpath: vmd@${version}\nvm "a" {\n\t${boot}\n\tdisk "/a.img"\n}\n`;
    const source = new SourceText('file:///vm.conf', text);
    const document = bootpathService.claim('', text, source.uri)!.parse(source, { files: new Map() });
    return runChecks(document).filter(({ code }) => code === 'vmd-direct-launch');
  };
  const [found] = of('7.8', 'boot "/bsd"');
  assert.deepEqual([found!.severity, found!.at!.range.start.line], ['information', 2]);
  assert.match(found!.message, /0x12001, has no RW/);
  assert.deepEqual([of('x86_vm-1.27', 'boot "/bsd"'), of('7.8', 'memory 1G')], [[], []]);
});
