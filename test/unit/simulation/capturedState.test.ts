import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { inferEfer } from '../../../server/src/machine/captured/inferredEfer';
import { isGuestDump, readQemuCore } from '../../../server/src/machine/captured/qemuCore';
import { parseRegisters } from '../../../server/src/machine/captured/registerText';
import { registersJson } from '../../../server/src/output/registers';
import { coreFile, type CoreOptions, type CoreVcpu } from './coreFile';

const PAGE = 4096;

/** Page tables at 0x1000: entry 0 of each level down to a large page, whose entry 1 has what the test says. */
function tables(second: bigint): Uint8Array {
  const bytes = new Uint8Array(4 * PAGE);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(PAGE, 0x2003n, true);
  view.setBigUint64(2 * PAGE, 0x3003n, true);
  view.setBigUint64(3 * PAGE, 0x83n, true);
  view.setBigUint64(3 * PAGE + 8, second, true);
  return bytes;
}

const LONG: CoreVcpu = {
  general: { rax: 1n, rbx: 2n, rsp: 0x8000n, r15: 15n },
  rip: 0x1234n,
  rflags: 0x246n,
  cr0: 0x80000011n,
  cr3: 0x1000n,
  cr4: 0x20n,
  cs: [0x08, 0n, 0xffffffff, 0x00af9a00],
  gdt: [0x5000n, 0x17],
};
const REAL: CoreVcpu = { rip: 0xfff0n, cr0: 0x60000010n, cs: [0xf000, 0xffff0000n, 0xffff, 0x9b00] };

const core = (options: Partial<CoreOptions> = {}) =>
  coreFile({ vcpus: [LONG], memory: [{ physical: 0n, bytes: tables(0x200083n) }], ...options });

function read(file: Uint8Array) {
  const state = readQemuCore(file);
  if ('problem' in state) throw new Error(state.problem);
  return state;
}

test('registers, segments, tables and memory of a 64-bit guest', () => {
  const { vcpus, memory } = read(core());
  const { state, activity } = vcpus[0]!;
  assert.equal(activity, 'running');
  assert.deepEqual(
    [state.general.rax, state.general.rbx, state.general.rsp, state.general.r15, state.rip, state.rflags],
    [1n, 2n, 0x8000n, 15n, 0x1234n, 0x246n],
  );
  assert.deepEqual([state.cr0, state.cr3, state.cr4], [0x80000011n, 0x1000n, 0x20n]);
  assert.deepEqual(state.gdtr, { base: 0x5000n, limit: 0x17 });
  // Type 11: what is loaded has been accessed.
  assert.deepEqual(state.segments.cs, { selector: 8, base: 0n, limit: 0xffffffff, attributes: 0xa09b });
  assert.equal(state.segments.ldtr.attributes, 0x82);
  assert.deepEqual(
    memory.map(({ range, bytes }) => [range.start, range.end, bytes.length]),
    [[0n, 0x4000n, 4 * PAGE]],
  );
});

for (const [title, second, expected] of [
  ['without NX in a page table', 0x200083n, 0x500n],
  ['with NX in one', (1n << 63n) | 0x200083n, 0xd00n],
  ['with bit 63 in an entry that is not present', 1n << 63n, 0x500n],
] as const) {
  test(`EFER is inferred, ${title}: 0x${expected.toString(16)}`, () => {
    const { vcpus, notes } = read(core({ memory: [{ physical: 0n, bytes: tables(second) }] }));
    assert.equal(vcpus[0]!.state.efer, expected);
    assert.match(
      notes.join('\n'),
      new RegExp(`EFER, which the dump does not have.*vCPU 0: 0x${expected.toString(16)}`),
    );
  });
}

for (const [title, cs, cr0, cr4, machine, expected] of [
  ['compatibility mode, by e_machine', 0x00cf9a00, 0x80000011n, 0x20n, true, 0x500n],
  ['PAE paging', 0x00cf9a00, 0x80000011n, 0x20n, false, 0n],
  ['32-bit paging', 0x00cf9a00, 0x80000011n, 0n, false, 0n],
  ['no paging', 0x00cf9a00, 0x11n, 0x20n, false, 0n],
] as const) {
  test(`EFER in ${title}: 0x${expected.toString(16)}`, () => {
    const { state } = read(core({ vcpus: [{ ...LONG, cr0, cr4, cs: [8, 0n, 0xffffffff, cs] }], machine: 3 }))
      .vcpus[0]!;
    assert.equal(
      inferEfer(state, machine, () => null),
      expected,
    );
  });
}

test('an i386 guest is an ELF32 file; vCPUs that nobody has started wait for it', () => {
  const file = core({
    bits: 32,
    machine: 3,
    vcpus: [{ ...LONG, cr0: 0x11n, cr4: 0n, cs: [8, 0n, 0xffffffff, 0x00cf9a00] }, REAL],
  });
  const { vcpus } = read(file);
  assert.deepEqual(
    vcpus.map(({ activity }) => activity),
    ['running', 'wait-for-sipi'],
  );
  assert.equal(vcpus[0]!.state.efer, 0n);
});

test('the base for SWAPGS is taken where the note has it, and its lack is told', () => {
  assert.equal(read(core({ kernelGsBase: 0xffff888000000000n })).vcpus[0]!.kernelGsBase, 0xffff888000000000n);
  const old = core({
    patch: (view, { noteAt }) => {
      view.setUint32(noteAt + 4, 432, true);
      view.setBigUint64(64 + 32, 12n + 8n + 432n, true);
    },
  });
  assert.equal(read(old).vcpus[0]!.kernelGsBase, undefined);
  assert.match(read(old).notes.join('\n'), /IA32_KERNEL_GS_BASE, which this dump does not have/);
});

test('a task register is busy once it is loaded, whatever QEMU kept', () => {
  const file = core({
    patch: (view, { noteAt }) => view.setUint32(noteAt + 20 + 152 + 7 * 24 + 8, 0x8900, true),
  });
  assert.equal(read(file).vcpus[0]!.state.segments.tr.attributes, 0x8b);
});

for (const [title, file, message] of [
  [
    'a kdump-compressed file',
    new TextEncoder().encode('KDUMP   and more'),
    /kdump-compressed dump, which is not read/,
  ],
  ['a flattened one', new TextEncoder().encode('makedumpfile\0\0\0\0'), /flattened kdump-compressed/],
  ['a Windows dump', new TextEncoder().encode('PAGEDU64        '), /Windows crash dump/],
  [
    'a dump with paging',
    core({ memory: [{ physical: 0x1000n, virtual: 0xffffffff81000000n, bytes: tables(0n) }] }),
    /p_vaddr 0xffffffff81000000: it is a dump with paging/,
  ],
  ['a core of a program', core({ vcpus: [] }), /no note named QEMU: it is the core of another program/],
  ['another CPU', core({ machine: 183 }), /e_machine is 183/],
  [
    'a truncated dump',
    core().slice(0, 5000),
    /p_offset 0x[0-9a-f]+ with p_filesz 0x4000 ends behind the file's 0x1388 bytes: the dump is truncated/,
  ],
  [
    'a truncated header',
    core().slice(0, 100),
    /e_phoff 0x40 with e_phnum 2 ends at 0xb0, behind the file's 0x64 bytes/,
  ],
  [
    'overlapping memory',
    core({
      memory: [
        { physical: 0n, bytes: tables(0n) },
        { physical: 0x1000n, bytes: tables(0n) },
      ],
    }),
    /two PT_LOAD headers overlap: \[0x0, 0x4000\) and \[0x1000, 0x5000\)/,
  ],
  [
    'memory beyond 2^52',
    core({ memory: [{ physical: (1n << 52n) - 0x1000n, bytes: tables(0n) }] }),
    /p_paddr 0xffffffffff000 with p_memsz 0x4000 ends beyond 2\^52/,
  ],
  [
    'a later version',
    core({ patch: (view, { noteAt }) => view.setUint32(noteAt + 20, 2, true) }),
    /has version 2, known is version 1/,
  ],
  [
    'a short note',
    core({
      patch: (view, { noteAt, headersAt }) => {
        view.setUint32(noteAt + 4, 100, true);
        // p_filesz of the first program header: up to the note's end.
        view.setBigUint64(headersAt + 32, 120n, true);
      },
    }),
    /has 100 bytes, its registers have 432/,
  ],
  [
    'a note that runs out of its segment',
    core({ patch: (view, { noteAt }) => view.setUint32(noteAt + 4, 9999, true) }),
    /program header 0: the note at offset 0x0 has n_namesz 0x5 and n_descsz 0x270f, more than the/,
  ],
  [
    'a note whose size would wrap around 2^32',
    core({
      patch: (view, { noteAt }) => {
        view.setUint32(noteAt, 0xfffffff4, true);
        view.setUint32(noteAt + 4, 0, true);
      },
    }),
    /the note at offset 0x0 has n_namesz 0xfffffff4/,
  ],
  [
    'a core of more vCPUs than the emulator runs',
    core({ vcpus: Array.from({ length: 33 }, () => LONG) }),
    /it has 33 vCPUs, the emulator runs 32 at most/,
  ],
  [
    'an entry size',
    core({ patch: (view) => view.setUint16(54, 32, true) }),
    /e_phentsize is 32, an ELF64 program header has 56 bytes/,
  ],
] as const) {
  test(`${title} is told as such`, () => {
    assert.equal(isGuestDump(file), true);
    const state = readQemuCore(file);
    assert.ok('problem' in state, 'it is refused');
    assert.match(state.problem, message);
  });
}

test('a core that ends anywhere, or has any byte changed, gives a state or a sentence', () => {
  const whole = core();
  fc.assert(
    fc.property(fc.nat(whole.length), fc.nat(1000), fc.nat(255), (length, place, value) => {
      const bytes = whole.slice(0, length);
      if (place < length) bytes[place] = value;
      const state = readQemuCore(bytes);
      return 'problem' in state ? state.problem.length > 0 : state.vcpus.length > 0;
    }),
    { numRuns: 1000 },
  );
});

const QEMU_64 = `(qemu) info registers\x1b[K\r
\r
CPU#0\r
RAX=0000000000000030 RBX=0000000001d8d800 RCX=000000000000000f RDX=00000000000003f8\r
RSI=000000001d8d8000 RDI=0000000000001000 RBP=0000000000000000 RSP=0000000000100238\r
R8 =0000000000000000 R9 =0000000000000009 R10=0000000000000000 R11=0000000000000000\r
R12=0000000000000000 R13=0000000000000000 R14=0000000000000000 R15=123456789abcdef0\r
RIP=00000000001000df RFL=00000016 [----AP-] CPL=0 II=0 A20=1 SMM=0 HLT=1\r
ES =0010 0000000000000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\r
CS =0008 0000000000000000 ffffffff 00af9a00 DPL=0 CS64 [-R-]\r
SS =0010 0000000000000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\r
DS =0010 0000000000000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\r
FS =0000 0000000000000000 00000000 00000000\r
GS =0010 ffff888000000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\r
LDT=0000 0000000000000000 0000ffff 00008200 DPL=0 LDT\r
TR =0000 0000000000000000 0000ffff 00008b00 DPL=0 TSS64-busy\r
GDT=     0000000000100108 00000017\r
IDT=     0000000000000000 000003ff\r
CR0=80000011 CR2=0000000000000000 CR3=0000000000200000 CR4=00000020\r
DR0=0000000000000000 DR1=0000000000000000 DR2=0000000000000000 DR3=0000000000000000 \r
DR6=00000000ffff0ff0 DR7=0000000000000401\r
EFER=0000000000000d01\r
FCW=037f FSW=0000 [ST=0] FTW=00 MXCSR=00001f80\r
`;

function registers(text: string) {
  const parsed = parseRegisters(text);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed;
}

test('info registers of QEMU, as its monitor prints it', () => {
  const { state, activity } = registers(QEMU_64).vcpus[0]!;
  assert.equal(activity, 'halted');
  assert.deepEqual(
    [state.general.rbx, state.general.r9, state.general.r15, state.rip, state.rflags, state.efer, state.cr3],
    [0x1d8d800n, 9n, 0x123456789abcdef0n, 0x1000dfn, 0x16n, 0xd01n, 0x200000n],
  );
  assert.deepEqual(state.segments.gs, {
    selector: 0x10,
    base: 0xffff888000000000n,
    limit: 0xffffffff,
    attributes: 0xc093,
  });
  assert.equal(state.segments.fs.attributes & 0x10000, 0x10000, 'a null selector is unusable');
  assert.deepEqual(state.gdtr, { base: 0x100108n, limit: 0x17 });
  assert.equal(state.dr[7], 0x401n);
});

test('info registers -a has a block for each vCPU; one without CPU# has one', () => {
  const second = QEMU_64.replace('CPU#0', 'CPU#1').replace('RIP=00000000001000df', 'RIP=0000000000001000');
  const { vcpus } = registers(QEMU_64 + second);
  assert.deepEqual(
    vcpus.map(({ state }) => state.rip),
    [0x1000dfn, 0x1000n],
  );
  assert.equal(registers(QEMU_64.replace('CPU#0', '')).vcpus.length, 1);
});

test('a 32-bit text has eight registers', () => {
  const { state } = registers(
    'EAX=00000001 EBX=00000002 ECX=00000003 EDX=00000663\nESI=00000000 EDI=00000000 EBP=00000000 ESP=00007000\nEIP=0000fff0 EFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=0\nCS =f000 ffff0000 0000ffff 00009b00\nGDT=     00000000 0000ffff\nCR0=60000010 CR2=00000000 CR3=00000000 CR4=00000000\n',
  ).vcpus[0]!;
  assert.deepEqual([state.general.rcx, state.general.rdx, state.rip], [3n, 0x663n, 0xfff0n]);
  assert.equal(state.segments.cs.base, 0xffff0000n);
});

test('the registers of our own reports come back, as an object, a vCPU or a report', () => {
  const { state } = read(core()).vcpus[0]!;
  const object = registersJson(state);
  for (const text of [
    object,
    { registers: object, mode: 'long' },
    { outcome: 'budget', vcpus: [{ registers: object }] },
  ]) {
    const again = registers(JSON.stringify(text)).vcpus[0]!.state;
    assert.deepEqual({ ...again, dr: state.dr }, state);
  }
});

for (const [title, text, message] of [
  ['another text', 'hello', /neither JSON nor what QEMU prints/],
  ['wrong JSON', '{ "rip": ', /the registers are no JSON/],
  ['a number', '{"rip": 5}', /vCPU 0: rip is 5, no hex string/],
  ['a segment', '{"cs": {"selector": "0x8"}}', /vCPU 0: cs needs selector, base, limit and attributes/],
  ['too little', '{"rip": "0x1000"}', /vCPU 0 of the registers lacks cr0, cr3, cr4, cs with its base/],
] as const) {
  test(`registers with ${title} that is wrong are refused`, () => {
    const parsed = parseRegisters(text);
    assert.ok('problem' in parsed, 'it is refused');
    assert.match(parsed.problem, message);
  });
}

test('registers that are missing are named with what is taken for them', () => {
  const text = QEMU_64.replace(/^EFER.*$/m, '').replace(/^IDT.*$/m, '');
  assert.match(
    registers(text).notes.join('\n'),
    /taken as after RESET: vCPU 0: cr8, efer, idtr\.base, idtr\.limit/,
  );
});
