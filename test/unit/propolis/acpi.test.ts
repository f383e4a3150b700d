/** The ACPI tables of Propolis since 2026-06: lib/propolis/src/firmware/acpi/{fadt,madt,mod}.rs, main.rs PCI_MMIO32_END. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { propolisAcpiTables } from '../../../server/src/vmm/propolis/acpiTables';
import { gib, HALF_GIB } from './guest';

const table = (signature: string, vcpus: number, memory: bigint): DataView => {
  const found = propolisAcpiTables(vcpus, memory).tables.find(
    ({ bytes }) => new TextDecoder().decode(bytes.subarray(0, 4)) === signature,
  );
  return new DataView(found!.bytes.buffer, found!.bytes.byteOffset, found!.bytes.length);
};

test('the FADT: revision 3, SCI 9, PM registers from 0xb000, SMI port 0xb2, reset by 6 to port 0xcf9', () => {
  const fadt = table('FACP', 1, gib(1));
  assert.equal(fadt.getUint8(8), 3);
  assert.equal(fadt.getUint16(46, true), 9);
  assert.equal(fadt.getUint32(48, true), 0xb2);
  assert.deepEqual([fadt.getUint8(52), fadt.getUint8(53)], [0xf1, 0xf0]);
  assert.deepEqual(
    [56, 64, 76, 80].map((at) => fadt.getUint32(at, true)),
    [0xb000, 0xb004, 0xb008, 0xafe0],
  );
  assert.deepEqual(
    [88, 89, 91, 92].map((at) => fadt.getUint8(at)),
    [4, 2, 4, 4],
  );
  assert.deepEqual([fadt.getUint16(96, true), fadt.getUint16(98, true)], [101, 1001]);
  assert.equal(fadt.getUint16(109, true), 0);
  // WBINVD, PROC_C1, SLP_BUTTON, RTC_S4, TMR_VAL_EXT, RESET_REG_SUP.
  assert.equal(fadt.getUint32(112, true), 0x5a5 & ~0x200);
  assert.equal(fadt.getBigUint64(120, true), 0xcf9n);
  assert.equal(fadt.getUint8(128), 6);
});

test('the MADT: a local APIC for each vCPU, the I/O APIC with ID 2, five overrides, NMI at LINT1 of all', () => {
  const madt = table('APIC', 3, gib(1));
  assert.equal(madt.getUint32(36, true), 0xfee00000);
  assert.equal(madt.getUint32(40, true), 1);
  const bytes = [...new Uint8Array(madt.buffer, madt.byteOffset + 44, madt.byteLength - 44)];
  const override = (irq: number, gsi: number, flags: number) => [2, 10, 0, irq, gsi, 0, 0, 0, flags, 0];
  assert.deepEqual(bytes, [
    ...[0, 1, 2].flatMap((id) => [0, 8, id, id, 1, 0, 0, 0]),
    ...[1, 12, 2, 0, 0x00, 0x00, 0xc0, 0xfe, 0, 0, 0, 0],
    ...override(0, 2, 0),
    // Level-triggered, active high.
    ...[5, 9, 10, 11].flatMap((irq) => override(irq, irq, 0x0d)),
    ...[4, 6, 0xff, 0, 0, 1],
  ]);
});

for (const [memory, first] of [
  [HALF_GIB, 0x20000000],
  [gib(3), 0xc0000000],
  [gib(16), 0xc0000000],
] as const) {
  test(`the window of PCI begins where low memory ends, at 0x${first.toString(16)}, and its last byte is 0xfeefffff`, () => {
    const dsdt = table('DSDT', 1, memory);
    const places = [];
    for (let at = 36; at + 26 <= dsdt.byteLength; at++) {
      // DWord address space descriptor, memory.
      if (dsdt.getUint8(at) !== 0x87 || dsdt.getUint16(at + 1, true) !== 23) continue;
      places.push([10, 14, 22].map((offset) => dsdt.getUint32(at + offset, true)));
    }
    assert.deepEqual(places, [
      [0xa0000, 0xbffff, 0x20000],
      [first, 0xfeefffff, 0xfef00000 - first],
    ]);
  });
}
