/** The table of probes against their sources and images. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseElf } from '../../../server/src/machine/image/elf';
import { probeKernel } from '../../../server/src/simulation/probes/kernel';
import { PROBES, probeNamed } from '../../../server/src/simulation/probes/probes';
import { readProbeReport } from '../../../server/src/simulation/probes/probeReport';
import { probeLabel, probeRom } from '../../../server/src/simulation/probes/rom';

const folder = join(process.env['BOOTPATH_ROOT'] ?? '.', 'server/src/simulation/probes');
/** It carries ROM probes and is none itself. */
const CARRIER = 'rom-as-kernel.asm';
const FOLDERS = { rom: '.', elf: 'kernels' } as const;
const source = (name: string): string => readFileSync(join(folder, name), 'utf8');
/** By the macro of ROM probes, or in the text of a kernel. */
const codesIn = (text: string): string[] =>
  [...text.matchAll(/^\s+(?:STATUS "|.*"status )([a-z0-9-]+)"/gm)].map((m) => m[1] as string);

for (const load of ['rom', 'elf'] as const) {
  test(`each source of kind ${load} is in the table and each row has a source`, () => {
    const sources = readdirSync(join(folder, FOLDERS[load])).filter(
      (name) => name.endsWith('.asm') && name !== CARRIER,
    );
    const rows = PROBES.filter((probe) => probe.load === load).map((probe) => `${probe.name}.asm`);
    assert.deepEqual(rows.sort(), sources.sort());
  });
}

for (const probe of PROBES) {
  test(`${probe.name}: the statuses in the table are those of the source`, () => {
    const own = codesIn(source(join(FOLDERS[probe.load], `${probe.name}.asm`)));
    const shared = probe.load === 'rom' ? codesIn(source('rom.mac')) : [];
    const known = probe.statuses.map((status) => status.code);
    for (const code of own) assert.ok(known.includes(code), `${code} is not in the table`);
    for (const code of known) assert.ok([...own, ...shared].includes(code), `${code} is not in the source`);
  });

  if (probe.load === 'elf') {
    test(`${probe.name}: the executable holds its parameters`, () => {
      const values = Object.fromEntries(probe.parameters.map(({ name }, index) => [name, 0x21 + index]));
      const elf = parseElf(probeKernel(probe, values));
      assert.ok(!('problem' in elf));
      const [segment] = elf.segments;
      assert.ok(segment);
      for (const [index, { label }] of probe.parameters.entries()) {
        assert.equal(segment.bytes[Number(BigInt(probe.labels[label]!) - segment.physical)], 0x21 + index);
      }
    });
    continue;
  }

  test(`${probe.name}: the ROM ends in its reset vector and holds its parameters`, () => {
    const values = Object.fromEntries(probe.parameters.map(({ name }, index) => [name, 0x21 + index]));
    const rom = probeRom(probe, values);
    assert.equal(rom.length, 0x10000);
    // A near jump, which works in both places of the ROM: E9 and the distance from the next instruction.
    const near = Number(probe.labels['from_reset']) - 0xffff3;
    assert.deepEqual([...rom.slice(0xfff0, 0xfff3)], [0xe9, near & 0xff, (near >> 8) & 0xff]);
    for (const [index, { label }] of probe.parameters.entries()) {
      assert.equal(rom[Number(probe.labels[label]) - 0xf0000], 0x21 + index);
    }
    const untouched = probeRom(probe);
    for (const { label, initial, size } of probe.parameters) {
      const at = Number(probe.labels[label]) - 0xf0000;
      const view = new DataView(untouched.buffer);
      assert.equal(size === 1 ? view.getUint8(at) : view.getUint32(at, true), initial);
    }
  });
}

test('an address in the ROM is named by the label before it, in both places where the ROM appears', () => {
  const probe = probeNamed('reset-i8042');
  assert.ok(probe);
  const main = BigInt(probe.labels['main'] as string);
  assert.equal(probeLabel(probe, main), 'main');
  assert.equal(probeLabel(probe, main + 3n), 'main+0x3');
  assert.equal(probeLabel(probe, main + 0xfff00000n), 'main');
  assert.equal(probeLabel(probe, 0xfffffff0n), 'reset_vector');
  assert.equal(probeLabel(probe, 0xf0000n), null);
  assert.equal(probeLabel(probe, 0x100000n), null);
  assert.equal(probeLabel(probe, 0x100000000n), null);
});

test('a report is read back: lines, restarts, status', () => {
  const probe = probeNamed('reset-i8042');
  assert.ok(probe);
  const text =
    'noise\r\nprobe reset-i8042\nport 0x64 reads 0xff\nprobe reset-i8042\nagain\nstatus restarted\n';
  const report = readProbeReport(probe, text);
  assert.deepEqual(report.lines, ['port 0x64 reads 0xff', 'again']);
  assert.equal(report.starts, 2);
  assert.equal(report.status?.code, 'restarted');
});

test('a report that ends early has no status, and an unknown code is none', () => {
  const probe = probeNamed('boot-path');
  assert.ok(probe);
  assert.equal(readProbeReport(probe, 'probe boot-path\nmode real at 0xfe').status, null);
  assert.equal(readProbeReport(probe, 'probe boot-path\nstatus gone').status, null);
  assert.equal(readProbeReport(probe, '').starts, 0);
});
