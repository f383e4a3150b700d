/** Multiboot2 Specification 2.0 on the plain PC: the state of 3.3 and the boot information of 3.6. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { BootModule } from '../../../server/src/vmm/model';
import { elfFile } from '../../unit/simulation/elfFile';
import {
  ADDRESS_TAGS,
  ENTRY2,
  HEADER2,
  LOADED2,
  multiboot2File,
  type Multiboot2Fields,
} from '../../unit/simulation/multiboot2File';
import { bootPcKernel } from './bootPcKernel';

const MIB = 1n << 20n;
const HLT = Uint8Array.of(0xfa, 0xf4);

function boot(kernel: Uint8Array, commandLine = '', modules: readonly BootModule[] = []) {
  const { report, bytes, u32 } = bootPcKernel(kernel, { imageName: 'kernel', commandLine, modules });
  assert.equal(report.outcome, 'halted', report.reason);
  const { registers } = report.vcpus[0]!;
  const at = registers.general.rbx;
  const size = u32(at);
  const view = new DataView(bytes(at, size).buffer);
  const tags: { type: number; body: DataView }[] = [];
  for (let offset = 8; offset < size; offset += (view.getUint32(offset + 4, true) + 7) & ~7) {
    const length = view.getUint32(offset + 4, true);
    tags.push({
      type: view.getUint32(offset, true),
      body: new DataView(view.buffer, offset + 8, length - 8),
    });
  }
  const tag = (type: number) => tags.find((one) => one.type === type)?.body;
  const text = (body: DataView, from = 0) =>
    Buffer.from(body.buffer, body.byteOffset + from, body.byteLength - from - 1).toString();
  return { registers, mode: report.vcpus[0]!.mode, bytes, at, size, tags, tag, text };
}

const plain = (fields: Partial<Multiboot2Fields> = {}) => multiboot2File(HLT, fields);

test('the machine state of 3.3: EAX, EBX at a multiple of 8, protected mode without paging', () => {
  const { registers, mode, at } = boot(plain());
  assert.equal(mode, 'protected-32');
  assert.equal(registers.general.rax, 0x36d76289n);
  assert.equal(at % 8n, 0n);
  assert.equal(registers.rip, BigInt(ENTRY2 + 2));
});

test('boot information: command line, loader, memory, ACPI, and an end tag at its end', () => {
  const { tags, tag, text, size, bytes } = boot(plain(), 'a b');
  assert.equal(text(tag(1)!), 'kernel a b');
  assert.equal(text(tag(2)!), 'bootpath');
  assert.deepEqual([tag(4)!.getUint32(0, true), tag(4)!.getUint32(4, true)], [639, 63 * 1024]);
  const map = tag(6)!;
  assert.deepEqual([map.getUint32(0, true), map.getUint32(4, true)], [24, 0]);
  const entries = Array.from({ length: (map.byteLength - 8) / 24 }, (_, i) =>
    [0, 8].map((part) => map.getBigUint64(8 + 24 * i + part, true)),
  );
  assert.deepEqual(entries[0], [0n, 0x9fc00n]);
  assert.deepEqual(entries.at(-1), [MIB, 63n * MIB]);
  assert.equal(Buffer.from(tag(14)!.buffer, tag(14)!.byteOffset, 8).toString(), 'RSD PTR ');
  assert.equal(tags.at(-1)!.type, 0);
  assert.equal(size % 8, 0);
  assert.equal(tag(21), undefined, 'no load base where the image is not relocatable');
  assert.deepEqual(bytes(ENTRY2, HLT.length), HLT);
});

test('modules lie on pages of their own with their lines', () => {
  const modules = [
    { bytes: Uint8Array.of(1, 2, 3), commandLine: 'one' },
    { bytes: Uint8Array.of(4), commandLine: 'two x=1' },
  ];
  const { tags, text, bytes: read } = boot(plain(), '', modules);
  const found = tags.filter(({ type }) => type === 3).map(({ body }) => body);
  assert.deepEqual(
    found.map((body) => text(body, 8)),
    ['one', 'two x=1'],
  );
  found.forEach((body, index) => {
    const start = body.getUint32(0, true);
    assert.equal(start % 4096, 0);
    const bytes = read(start, body.getUint32(4, true) - start);
    assert.deepEqual([...bytes], [...modules[index]!.bytes]);
  });
});

for (const [name, words, base] of [
  ['high', [0x100000, 0xffffffff, 0x200000, 2], 0x3e00000],
  ['low', [0x180000, 0xffffffff, 0x1000, 1], 0x180000],
  ['where it was linked to', [0x100000, 0xffffffff, 0x1000, 0], LOADED2],
  ['lowest, where the link address does not fit', [0x300001, 0xffffffff, 0x1000, 0], 0x301000],
] as const) {
  test(`a relocatable image goes ${name}, and is told where`, () => {
    const { registers, tag } = boot(
      plain({
        loadTags: [ADDRESS_TAGS[0]!, { type: 3, words: [ENTRY2 + 24] }],
        tags: [{ type: 10, optional: true, words }],
      }),
    );
    assert.equal(tag(21)!.getUint32(0, true), base);
    assert.equal(registers.rip, BigInt(base + HEADER2 + 24 + 2));
  });
}

test('section headers of an ELF file come along', () => {
  const bytes = multiboot2File(HLT, { loadTags: [] });
  const kernel = elfFile({
    bits: 64,
    entry: 0x200000n + BigInt(bytes.length - HLT.length),
    segments: [{ physical: 0x200000n, virtual: 0x200000n, bytes }],
  });
  // One section header behind the file: contents that no segment loads.
  const file = new Uint8Array(kernel.length + 8 + 2 * 64);
  file.set(kernel);
  const at = (kernel.length + 7) & ~7;
  const view = new DataView(file.buffer);
  view.setBigUint64(40, BigInt(at), true);
  [64, 2, 1].forEach((value, index) => view.setUint16(58 + 2 * index, value, true));
  view.setUint32(at + 64 + 4, 3, true);
  view.setBigUint64(at + 64 + 24, 0n, true);
  view.setBigUint64(at + 64 + 32, 4n, true);
  const { tag, bytes: read } = boot(file);
  const sections = tag(9)!;
  assert.deepEqual(
    [0, 4, 8].map((offset) => sections.getUint32(offset, true)),
    [2, 64, 1],
  );
  const address = sections.getBigUint64(12 + 64 + 16, true);
  assert.equal(Buffer.from(read(address, 4)).toString('latin1'), '\x7fELF');
});
