/** Boot plans that load what other programs made: a kernel with Linux's boot parameters, and a captured machine. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BootPlan, PlannedLoad } from '../../../server/src/boot-plan/plan';
import { linuxFile } from '../../unit/image/linuxFile';
import { coreFile } from '../../unit/simulation/coreFile';
import { bytesOf } from '../lab';
import { at, contentsOf, machineOf, plan, PROTECTED, run } from './planned';

const written = <T>(value: T) => ({ value, at: at(1) });
const file = (kind: PlannedLoad['kind'], path: string, address: bigint | null): PlannedLoad => ({
  kind,
  content: { kind: 'file', path: written(path) },
  address: address === null ? null : written(address),
  at: at(1),
});

const REGIONS: BootPlan['regions'] = [
  { range: { start: 0n, end: 0x9fc00n }, kind: 'ram', name: 'low', permissions: null, at: at(1) },
  {
    range: { start: 0x9fc00n, end: 0x100000n },
    kind: 'reserved',
    name: 'EBDA',
    permissions: null,
    at: at(1),
  },
  { range: { start: 0x100000n, end: 0x800000n }, kind: 'ram', name: 'high', permissions: null, at: at(1) },
  {
    range: { start: 0xd0000000n, end: 0xe0000000n },
    kind: 'mmio',
    name: 'PCI',
    permissions: null,
    at: at(1),
  },
];

test('boot_params tell of the kernel, the initrd, the command line and the regions', () => {
  const contents = contentsOf(
    plan({
      regions: REGIONS,
      loads: [
        file('bzimage', 'vmlinuz', 0x200000n),
        file('initrd', 'initrd.img', 0x700000n),
        file('command-line', 'cmdline', 0x20000n),
      ],
      linux: { bootParameters: written(0x7000n), at: at(2) },
    }),
    new Map([
      ['vmlinuz', linuxFile()],
      ['initrd.img', new Uint8Array(0x1234)],
      ['cmdline', new TextEncoder().encode('console=ttyS0')],
    ]),
  );
  assert.ok('pieces' in contents);
  const [kernel, , line, page] = contents.pieces;
  assert.deepEqual([kernel!.address, kernel!.bytes.length], [0x200000n, 0x400]);
  assert.equal(new TextDecoder().decode(line!.bytes), 'console=ttyS0\0');
  assert.equal(page!.address, 0x7000n);
  const view = new DataView(page!.bytes.buffer);
  // Offsets of Documentation/arch/x86/zero-page.rst and boot.rst.
  assert.equal(view.getUint32(0x202, true), 0x53726448, 'HdrS');
  assert.equal(view.getUint32(0x214, true), 0x200000, 'code32_start');
  assert.equal(view.getUint32(0x218, true), 0x700000, 'ramdisk_image');
  assert.equal(view.getUint32(0x21c, true), 0x1234, 'ramdisk_size');
  assert.equal(view.getUint32(0x228, true), 0x20000, 'cmd_line_ptr');
  assert.equal(view.getUint8(0x1e8), 3, 'e820_entries: no device memory');
  const entry = (index: number) => [
    view.getBigUint64(0x2d0 + 20 * index, true),
    view.getBigUint64(0x2d8 + 20 * index, true),
    view.getUint32(0x2e0 + 20 * index, true),
  ];
  assert.deepEqual([0, 1, 2].map(entry), [
    [0n, 0x9fc00n, 1],
    [0x9fc00n, 0x60400n, 2],
    [0x100000n, 0x700000n, 1],
  ]);
});

test('a ROM ends at 4 GiB, and the guest starts in it at the reset vector', () => {
  // jmp short to itself at the reset vector would not end: cli; hlt instead.
  const rom = new Uint8Array(0x1000);
  rom.set([0xfa, 0xf4], 0xff0);
  const report = run(
    plan({
      regions: [
        ...REGIONS,
        {
          range: { start: 0xfffff000n, end: 1n << 32n },
          kind: 'rom',
          name: 'ROM',
          permissions: null,
          at: at(1),
        },
      ],
      loads: [{ ...file('rom', '', null), content: { kind: 'bytes', bytes: rom } }],
      registers: [{ ...PROTECTED, general: {}, control: {}, segments: {} }],
    }),
  );
  assert.equal(report.outcome, 'halted', report.reason);
  assert.equal(report.vcpus[0]?.mode, 'real');
  assert.equal(report.vcpus[0].registers.rip, 0xfff2n);
});

/** A core of a guest at `out dx, al; cli; hlt` with AL = 'A'. */
const CAPTURE = coreFile({
  machine: 3,
  vcpus: [
    { rip: 0x1000n, cr0: 0x11n, general: { rax: 0x41n, rdx: 0x3f8n }, cs: [8, 0n, 0xffffffff, 0x00cf9a00] },
  ],
  memory: [
    {
      physical: 0n,
      bytes: Uint8Array.from({ length: 0x2000 }, (_, i) => bytesOf('ee fa f4')[i - 0x1000] ?? 0),
    },
  ],
});

const captured = (change: Partial<BootPlan> = {}) =>
  plan({
    regions: [],
    registers: [],
    captured: { core: written('guest.core'), registers: null, at: at(1) },
    ...change,
  });

test('a captured machine goes on, with what the plan changes in it', () => {
  const files = new Map([['guest.core', CAPTURE]]);
  assert.equal(run(captured(), [], {}, files).console, 'A');
  const general = { rax: 0x42n };
  const vcpu = { ...PROTECTED, general, control: {}, segments: {} };
  const changed = run(captured({ registers: [vcpu] }), [], {}, files);
  assert.equal(changed.console, 'B');
  assert.match(changed.notModelled.join('\n'), /EFER, which the dump does not have/);
});

test('a capture that is none is a problem at its line', () => {
  const problems = contentsOf(captured(), new Map([['guest.core', Uint8Array.of(1, 2)]]));
  assert.deepEqual(problems, [
    { message: 'guest.core: it is no core that QEMU’s dump-guest-memory writes', at: at(1) },
  ]);
  assert.equal(machineOf(captured()).regions.length, 0);
});
