/** What every guest of Firecracker finds, whatever its kernel: command line, MP table and ACPI tables. */
import { mpTable, type MpTableOptions } from '../kvm/mpTable';
import type { Placed } from '../placed';
import { writeAcpiTables } from './acpiTables';
import { COMMAND_LINE } from './bootParameters';
import { SYSTEM_DATA } from './layout';
import type { FirecrackerFacts } from './versions';

/** ISA interrupts in the MP table: all inputs of the IOAPIC. */
const MP_INTERRUPTS = 24;
/** Processors, bus, IOAPIC, two local interrupts, and the floating pointer, which is counted too. */
const MP_OTHER_ENTRIES = 5;

/** @param line with its zero */
export function systemParts(line: Uint8Array, vcpus: number, facts: FirecrackerFacts): Placed[] {
  const table = mpTable(mpOptions(facts, vcpus));
  const acpi: Placed[] = [];
  if (facts.acpi) {
    writeAcpiTables(facts, vcpus, SYSTEM_DATA + BigInt(table.length), (at, bytes) => {
      acpi.push({ at, bytes, kind: 'acpi', name: tableName(bytes) });
      return true;
    });
  }
  return [
    { at: COMMAND_LINE, bytes: line, kind: 'command-line', name: 'command line' },
    { at: SYSTEM_DATA, bytes: table, kind: 'mp-table', name: 'MP table' },
    ...acpi,
  ];
}

/** The signature: four characters, or `RSD PTR `. */
function tableName(bytes: Uint8Array): string {
  const signature = String.fromCharCode(...bytes.subarray(0, 4));
  return signature === 'RSD ' ? 'RSDP' : signature;
}

function mpOptions(facts: FirecrackerFacts, vcpus: number): MpTableOptions {
  return {
    at: SYSTEM_DATA,
    localApicIds: Array.from({ length: vcpus }, (_, id) => id),
    ioapicId: vcpus + 1,
    interrupts: MP_INTERRUPTS,
    oem: 'FC',
    product: '000000000000',
    entryCount: facts.entryCount ? vcpus + MP_INTERRUPTS + MP_OTHER_ENTRIES : 0,
  };
}
