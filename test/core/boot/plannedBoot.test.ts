/** A boot plan's memory and registers before the first instruction, on the boards of VMMs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elfFile } from '../../unit/simulation/elfFile';
import { vmmModel } from '../../../server/src/vmm/models';
import { at, code, contentsOf, plan, PROTECTED, run } from './planned';

/** `out dx, al; inc eax; cmp al, 'F'; jb back; cli; hlt`. */
const LETTERS = 'ee 40 3c46 72fa fa f4';
const A = { ...PROTECTED, general: { rax: 0x41n, rdx: 0x3f8n } };
const latest = (vmm: string) => ({ vmm, version: vmmModel(vmm)!.versions.at(-1)!.id });

for (const vmm of ['pc', 'vmd', 'bhyve', 'firecracker', 'libkrun', 'cloud-hypervisor', 'propolis']) {
  test(`${vmm}: the plan's code runs on its board`, () => {
    const report = run(plan({ vmm: latest(vmm), loads: [code(LETTERS)], registers: [A] }));
    assert.equal(report.outcome, 'halted', report.reason);
    assert.equal(report.vcpus[0]?.registers.general.rax, 0x46n);
    assert.equal(report.exits.find(({ kind }) => kind === 'out')?.count, 5);
  });
}

test('what the plan leaves out is as after RESET', () => {
  const { vcpus } = run(plan({ vcpus: 2, loads: [code('f4')] }));
  const { registers } = vcpus[0]!;
  assert.equal(registers.idtr.limit, 0xffff);
  assert.equal(registers.dr[6], 0xffff0ff0n);
  assert.equal(vcpus[1]?.registers.rip, 0xfff0n);
});

test('a plan may be run through resets: memory and registers are filled anew', () => {
  // mov byte [0x1000], al would stay; triple fault by an empty IDT: ud2
  const report = run(
    plan({
      loads: [code('8a0500100000 40 a200100000 0f0b')],
      registers: [{ ...PROTECTED, idtr: { base: 0n, limit: 0 } }],
    }),
    [],
    { reboots: 2 },
  );
  assert.equal(report.outcome, 'triple-fault');
  assert.equal(report.vcpus[0]?.registers.general.rax, 1n);
});

test('a later load is written over an earlier one, its zeros too', () => {
  const file = elfFile({
    entry: 0x100000n,
    segments: [{ physical: 0x100000n, virtual: 0x100000n, bytes: Uint8Array.of(0xf4), memorySize: 16n }],
  });
  const contents = contentsOf(
    plan({
      loads: [
        code('0101010101', 0x100008n),
        { kind: 'elf', content: { kind: 'file', path: { value: 'k', at: at(3) } }, address: null, at: at(3) },
      ],
    }),
    new Map([['k', file]]),
  );
  assert.ok('pieces' in contents);
  assert.deepEqual(
    contents.pieces.map(({ address, bytes }) => [address, [...bytes]]),
    [
      [0x100008n, [1, 1, 1, 1, 1]],
      [0x100008n, [0, 0, 0, 0, 0]],
      [0x100000n, [0xf4]],
    ],
  );
});

test('what does not lie in memory is a problem at its line', () => {
  const outside = contentsOf(
    plan({
      loads: [{ ...code('f4', 0x200000n), at: at(7) }],
      structures: [{ what: 'gdt', address: 0x1ffff8n, bytes: new Uint8Array(24), at: at(9) }],
    }),
  );
  assert.deepEqual(outside, [
    { message: 'this load goes to [0x200000, 0x200001), which is not all memory', at: at(7) },
    { message: 'the GDT goes to [0x1ffff8, 0x200010), which is not all memory', at: at(9) },
  ]);
});

test('a file that is not what its kind says is a problem at its line', () => {
  const load = (kind: 'elf' | 'bzimage') => ({
    kind,
    content: { kind: 'file' as const, path: { value: 'kernel', at: at(4) } },
    address: null,
    at: at(3),
  });
  for (const kind of ['elf', 'bzimage'] as const) {
    const problems = contentsOf(plan({ loads: [load(kind)] }), new Map([['kernel', Uint8Array.of(1, 2, 3)]]));
    assert.ok(!('pieces' in problems));
    assert.match(problems[0]!.message, /^kernel is no (ELF file|bzImage) to load: /);
    assert.deepEqual(problems[0]!.at, at(3));
  }
});

test('memory that may not be written is a ROM: a write of the guest changes nothing', () => {
  // mov byte [0x1000], 7; mov al, [0x1000]; hlt
  const report = run(
    plan({
      regions: [
        { range: { start: 0n, end: 0x2000n }, kind: 'ram', name: 'r', permissions: 'r-x', at: at(1) },
        {
          range: { start: 0x100000n, end: 0x101000n },
          kind: 'ram',
          name: 'c',
          permissions: 'rwx',
          at: at(2),
        },
      ],
      loads: [code('c60500100000 07 a000100000 f4'), code('55', 0x1000n)],
    }),
  );
  assert.equal(report.vcpus[0]?.registers.general.rax, 0x55n);
});

test('the VM-entry checks hold for a plan', () => {
  const control = { rip: 0x100000n, cr0: 0x80000010n, rflags: 2n };
  const report = run(plan({ loads: [code('f4')], registers: [{ ...PROTECTED, control }] }));
  assert.equal(report.outcome, 'invalid-entry');
  assert.match(report.reason, /PG=1 with PE=0/);
});

test('MSRs go to the core or to the board, and one that neither has is told', () => {
  const withMsr = (index: number, value: bigint) =>
    run(
      plan({
        loads: [code('b9820000c0 0f32 f4')],
        registers: [{ ...PROTECTED, msrs: new Map([[index, value]]) }],
      }),
    );
  // rdmsr of LSTAR
  assert.equal(withMsr(0xc0000082, 0x1234n).vcpus[0]?.registers.general.rax, 0x1234n);
  const unknown = withMsr(0x12345, 1n);
  assert.equal(unknown.outcome, 'vmm-exit');
  assert.match(unknown.reason, /does not take 0x1 in MSR 0x12345, which the plan gives vCPU 0/);
});

test('the width of physical addresses is what CPUID tells', () => {
  // mov eax, 0x80000008; cpuid; hlt
  const report = run(plan({ loads: [code('b808000080 0fa2 f4')] }), [], { physicalWidth: 36 });
  assert.equal(Number(report.vcpus[0]!.registers.general.rax & 0xffn), 36);
});
