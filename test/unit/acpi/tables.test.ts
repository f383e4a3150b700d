import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loaderFiles } from '../../../server/src/vmm/acpi/loaderScript';
import { placeTables } from '../../../server/src/vmm/acpi/place';
import { pcAcpiTables } from '../../../server/src/vmm/pc/acpiTables';

const PLACE = { rsdp: 0xf0000n, tables: 0xf0100n };
const GIB = 1n << 30n;

function memory() {
  const bytes = new Uint8Array(0x100000);
  const view = new DataView(bytes.buffer);
  return { bytes, view };
}

function placed(vcpus = 2, size = GIB) {
  const { bytes, view } = memory();
  const set = pcAcpiTables({ vcpus, memory: size, pmBase: 0x600 });
  placeTables(set, PLACE, (address, data) => {
    bytes.set(data, Number(address));
    return true;
  });
  return { bytes, view };
}

const sum = (bytes: Uint8Array) => bytes.reduce((total, byte) => (total + byte) & 0xff, 0);
const signature = (bytes: Uint8Array, at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));

/** The tables that RSDT and XSDT list, and those that the FADT points to. */
function walk({ bytes, view }: ReturnType<typeof memory>, rsdp: number): Map<string, Uint8Array> {
  const tables = new Map<string, Uint8Array>();
  const table = (at: number) => {
    const found = bytes.subarray(at, at + view.getUint32(at + 4, true));
    tables.set(signature(bytes, at), found);
    return new DataView(bytes.buffer, at, found.length);
  };
  const rsdt = table(view.getUint32(rsdp + 16, true));
  const xsdt = table(Number(view.getBigUint64(rsdp + 24, true)));
  const count = (rsdt.byteLength - 36) / 4;
  assert.equal((xsdt.byteLength - 36) / 8, count);
  for (let i = 0; i < count; i++) {
    const at = rsdt.getUint32(36 + 4 * i, true);
    assert.equal(xsdt.getBigUint64(36 + 8 * i, true), BigInt(at));
    table(at);
  }
  const fadt = new DataView(bytes.buffer, tables.get('FACP')!.byteOffset);
  assert.equal(fadt.getBigUint64(132, true), BigInt(fadt.getUint32(36, true)));
  assert.equal(fadt.getBigUint64(140, true), BigInt(fadt.getUint32(40, true)));
  table(fadt.getUint32(36, true));
  table(fadt.getUint32(40, true));
  return tables;
}

test('the RSDP has revision 2 and both checksums, and leads to every table', () => {
  const machine = placed();
  const { bytes } = machine;
  assert.equal(String.fromCharCode(...bytes.subarray(0xf0000, 0xf0008)), 'RSD PTR ');
  assert.equal(bytes[0xf000f], 2);
  assert.deepEqual([sum(bytes.subarray(0xf0000, 0xf0014)), sum(bytes.subarray(0xf0000, 0xf0024))], [0, 0]);
  const tables = walk(machine, 0xf0000);
  assert.deepEqual([...tables.keys()], ['RSDT', 'XSDT', 'FACP', 'APIC', 'HPET', 'FACS', 'DSDT']);
  for (const [name, table] of tables) if (name !== 'FACS') assert.equal(sum(table), 0, name);
  assert.equal(tables.get('FACS')!.byteOffset % 64, 0);
});

for (const [name, table, offset, size, expected] of [
  ['SCI is IRQ 9', 'FACP', 46, 2, 9],
  ['no SMI command port', 'FACP', 48, 4, 0],
  ['PM1a events', 'FACP', 56, 4, 0x600],
  ['PM1a control', 'FACP', 64, 4, 0x604],
  ['PM timer', 'FACP', 76, 4, 0x608],
  ['the century’s index', 'FACP', 108, 1, 0x32],
  ['legacy devices and an 8042, no VGA', 'FACP', 109, 2, 0x07],
  ['the reset register is in I/O space and has 8 bits', 'FACP', 116, 4, 0x01000801],
  ['it is port 0xcf9', 'FACP', 120, 4, 0xcf9],
  ['a 6 there resets', 'FACP', 128, 1, 6],
  ['the local APICs', 'APIC', 36, 4, 0xfee00000],
  ['an 8259 pair too', 'APIC', 40, 4, 1],
  ['the second processor', 'APIC', 52, 4, 0x01010800],
  ['the I/O APIC', 'APIC', 64, 4, 0xfec00000],
  ['IRQ 0 goes to input 2', 'APIC', 76, 4, 2],
  ['the SCI is active high and level triggered', 'APIC', 90, 2, 0x0d],
  ['NMI at LINT1 of all', 'APIC', 92, 4, 0x00ff0604],
  ['the HPET', 'HPET', 44, 4, 0xfed00000],
  ['its timers', 'HPET', 36, 4, 0x8086a201],
] as const) {
  test(`${table} offset ${offset}: ${name}`, () => {
    const found = walk(placed(), 0xf0000).get(table)!;
    const view = new DataView(found.buffer, found.byteOffset, found.length);
    const value =
      size === 4
        ? view.getUint32(offset, true)
        : size === 2
          ? view.getUint16(offset, true)
          : view.getUint8(offset);
    assert.equal(value, expected);
  });
}

test('the loader script makes of the files what a VMM would place, wherever they go', () => {
  const files = loaderFiles(pcAcpiTables({ vcpus: 3, memory: GIB, pmBase: 0xb000 }));
  const machine = memory();
  const ends = runScript(files, machine);
  const tables = walk(machine, ends.get('etc/acpi/rsdp')!);
  for (const [name, table] of tables) if (name !== 'FACS') assert.equal(sum(table), 0, name);
  const rsdp = machine.bytes.subarray(ends.get('etc/acpi/rsdp'));
  assert.deepEqual([sum(rsdp.subarray(0, 20)), sum(rsdp.subarray(0, 36))], [0, 0]);
  const fadt = tables.get('FACP')!;
  assert.equal(new DataView(fadt.buffer, fadt.byteOffset).getUint32(76, true), 0xb008);
  assert.equal(tables.get('APIC')!.length, 44 + 3 * 8 + 12 + 10 + 10 + 6);
});

/** Runs the commands as SeaBIOS does: the files go to 0x40000 and from 0x80000 on. */
function runScript(files: ReturnType<typeof loaderFiles>, { bytes, view }: ReturnType<typeof memory>) {
  const script = files.find(({ name }) => name === 'etc/table-loader')!.bytes;
  const commands = new DataView(script.buffer, script.byteOffset, script.length);
  const places = new Map<string, number>();
  const zones: Record<number, number> = { 1: 0x80000, 2: 0x40000 };
  for (let at = 0; at < script.length; at += 128) {
    const word = (offset: number) => commands.getUint32(at + offset, true);
    const name = (offset: number) =>
      new TextDecoder().decode(script.subarray(at + offset, at + offset + 56)).replace(/\0+$/, '');
    const place = (offset: number) => places.get(name(offset))!;
    const code = word(0);
    if (code === 1) {
      const target = zones[script[at + 64]!]!;
      assert.equal(target % word(60), 0);
      places.set(name(4), target);
      bytes.set(files.find((file) => file.name === name(4))!.bytes, target);
    } else if (code === 2) {
      const field = place(4) + word(116);
      if (script[at + 120] === 8)
        view.setBigUint64(field, view.getBigUint64(field, true) + BigInt(place(60)), true);
      else view.setUint32(field, view.getUint32(field, true) + place(60), true);
    } else {
      assert.equal(code, 3);
      const from = place(4) + word(64);
      const target = place(4) + word(60);
      bytes[target] = (bytes[target]! - sum(bytes.subarray(from, from + word(68)))) & 0xff;
    }
  }
  return places;
}

const iasl =
  spawnSync('iasl', ['-v']).status === 0 ? false : 'iasl (Debian package acpica-tools) is not installed';

for (const [name, vcpus, size] of [
  ['1 vCPU and 128 MiB', 1, 128n << 20n],
  ['32 vCPUs and 8 GiB', 32, 8n * GIB],
] as const) {
  test(`iasl reads every table of ${name} without a complaint`, { skip: iasl }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'acpi-'));
    try {
      for (const [signature, bytes] of walk(placed(vcpus, size), 0xf0000)) {
        const file = join(folder, `${signature}.dat`);
        writeFileSync(file, bytes);
        const taken = spawnSync('iasl', ['-p', join(folder, signature), '-d', file], { encoding: 'utf8' });
        const said = taken.stdout + taken.stderr;
        assert.equal(taken.status, 0, said);
        assert.doesNotMatch(said, /warning|error|invalid|bad/i);
        if (signature !== 'DSDT') continue;
        const source = join(folder, `${signature}.dsl`);
        const compiled = spawnSync('iasl', ['-p', join(folder, 'again'), source], { encoding: 'utf8' });
        assert.match(compiled.stdout, / 0 Errors, 0 Warnings/, compiled.stdout + compiled.stderr);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}
