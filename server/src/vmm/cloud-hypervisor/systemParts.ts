/** What every guest of Cloud Hypervisor finds, however it is started (arch::configure_system). */
import type { Machine } from '../../machine/machine';
import type { CpuVendor } from '../../x86/cpuid/answers';
import { mpTable, mpTableSize, type MpTableOptions } from '../kvm/mpTable';
import { terminated } from '../loaders/commandLine';
import type { Placed } from '../placed';
import { acpiTables } from './acpiTables';
import { COMMAND_LINE, EBDA, EBDA_POINTER, HIGH_RAM, RSDP, SMBIOS } from './addresses';
import { smbiosTables } from './smbios';
import type { CloudHypervisorVersion } from './versions';

/** More vCPUs get no MP table from v48.0 on; before, the VM is refused (MAX_SUPPORTED_CPUS). */
export const MP_VCPUS = 254;

/** @param line null for a firmware, which gets no command line */
export function systemParts(
  machine: Machine,
  version: CloudHypervisorVersion,
  vendor: CpuVendor,
  line: string | null,
): Placed[] {
  const vcpus = machine.vcpus.value;
  const segment = Number(EBDA >> 4n);
  const smbios = smbiosTables(version);
  const options = mpTableOptions(version, vcpus, SMBIOS + BigInt(smbios.taken));
  // Too large a table is left out with a warning.
  const fits = options.at + BigInt(mpTableSize(options)) < HIGH_RAM;
  const parts: Placed[] = [];
  if (line !== null)
    parts.push({ at: COMMAND_LINE, bytes: terminated(line), kind: 'command-line', name: 'command line' });
  parts.push({
    at: RSDP,
    bytes: acpiTables(version, machine, vendor).bytes,
    kind: 'acpi',
    name: 'ACPI tables',
  });
  if (version.facts.ebdaPointer) {
    const bytes = Uint8Array.of(segment & 0xff, segment >> 8);
    parts.push({ at: EBDA_POINTER, bytes, kind: 'ebda', name: 'EBDA pointer' });
  }
  parts.push({ at: SMBIOS, bytes: smbios.bytes, kind: 'smbios', name: 'SMBIOS table' });
  if (vcpus <= MP_VCPUS && fits)
    parts.push({ at: options.at, bytes: mpTable(options), kind: 'mp-table', name: 'MP table' });
  return parts;
}

/** setup_mptable, behind the SMBIOS table: (end + 16) & ~15. */
function mpTableOptions({ facts }: CloudHypervisorVersion, vcpus: number, smbiosEnd: bigint): MpTableOptions {
  return {
    at: ((smbiosEnd + 16n) / 16n) * 16n,
    localApicIds: Array.from({ length: vcpus }, (_, id) => id),
    ioapicId: facts.mpIoapicId === 255 ? 255 : (vcpus + 1) & 0xff,
    interrupts: 16,
    oem: 'FC',
    product: '0'.repeat(12),
    entryCount: 0,
  };
}
