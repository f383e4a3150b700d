/**
 * The ACPI tables that Cloud Hypervisor writes from 0xA0000 on, one right behind the other: RSDP, DSDT, FACP, MADT, MCFG, XSDT
 * (vmm/src/acpi.rs, create_acpi_tables). There is no FACS and no RSDT. Hardware-reduced ACPI: neither SCI nor PM1 registers.
 */
import { acpiChecksum, acpiTable, putText, seal, type AcpiMaker } from '../acpi/header';
import { interruptOverride, ioApic, localApic, localX2apic } from '../acpi/madt';
import type { GuestDescription } from '../../machine/machine';
import type { CpuVendor } from '../../x86/cpuid/answers';
import { ECAM, ECAM_PER_SEGMENT, IOAPIC, LOCAL_APIC, RSDP } from './addresses';
import { dsdtBody } from './dsdt';
import { numberOption } from './origin';
import type { CloudHypervisorVersion } from './versions';

const OEM = 'CLOUDH';
const RSDP_SIZE = 36;
const HEADER_SIZE = 36;
const FACP_SIZE = 276;
const MADT_ENTRIES = 44;
/** HW_REDUCED_ACPI, RESET_REG_SUP, TMR_VAL_EXT. */
const FACP_FLAGS = (1 << 20) | (1 << 10) | (1 << 8);
/** A write of 1 to the sleep register restarts the VM. */
const RESET_VALUE = 1;

export interface PlacedTables {
  /** From `RSDP` on. */
  readonly bytes: Uint8Array;
  readonly addresses: Readonly<Record<'DSDT' | 'FACP' | 'APIC' | 'MCFG' | 'XSDT', bigint>>;
}

export function acpiTables(
  version: CloudHypervisorVersion,
  guest: GuestDescription,
  vendor: CpuVendor,
): PlacedTables {
  const { facts } = version;
  const table = (signature: string, revision: number, name: string, length: number): Uint8Array => {
    const maker: AcpiMaker = { oem: OEM, table: name.padEnd(8), creator: facts.acpiCreator.id };
    const bytes = acpiTable(signature, maker, length);
    bytes[8] = revision;
    new DataView(bytes.buffer).setUint32(32, facts.acpiCreator.revision, true);
    return bytes;
  };
  const body = dsdtBody(version, guest, vendor);
  const dsdt = table('DSDT', 6, 'CHDSDT', HEADER_SIZE + body.length);
  dsdt.set(body, HEADER_SIZE);
  const facp = table('FACP', 6, 'CHFACP', FACP_SIZE);
  const entries = madtEntries(version, guest);
  const madt = table('APIC', 5, 'CHMADT', MADT_ENTRIES + entries.length);
  new DataView(madt.buffer).setUint32(36, Number(LOCAL_APIC.start), true);
  madt.set(entries, MADT_ENTRIES);
  const allocations = mcfgEntries(version, guest);
  const mcfg = table('MCFG', 1, 'CHMCFG', HEADER_SIZE + 8 + allocations.length);
  mcfg.set(allocations, HEADER_SIZE + 8);

  const dsdtAt = RSDP + BigInt(RSDP_SIZE);
  const facpAt = dsdtAt + BigInt(dsdt.length);
  const madtAt = facpAt + BigInt(facp.length);
  const mcfgAt = madtAt + BigInt(madt.length);
  const xsdtAt = mcfgAt + BigInt(mcfg.length);
  fillFacp(facp, dsdtAt, version);
  const xsdt = table('XSDT', 1, 'CHXSDT', HEADER_SIZE + 3 * 8);
  [facpAt, madtAt, mcfgAt].forEach((at, index) =>
    new DataView(xsdt.buffer).setBigUint64(HEADER_SIZE + 8 * index, at, true),
  );
  const parts = [rsdp(xsdtAt), ...[dsdt, facp, madt, mcfg, xsdt].map(seal)];
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return { bytes, addresses: { DSDT: dsdtAt, FACP: facpAt, APIC: madtAt, MCFG: mcfgAt, XSDT: xsdtAt } };
}

/** Revision 2; the address of an RSDT stays 0. */
function rsdp(xsdt: bigint): Uint8Array {
  const bytes = new Uint8Array(RSDP_SIZE);
  const view = new DataView(bytes.buffer);
  putText(bytes, 0, 'RSD PTR ');
  putText(bytes, 9, OEM);
  bytes[15] = 2;
  view.setUint32(20, RSDP_SIZE, true);
  view.setBigUint64(24, xsdt, true);
  bytes[8] = acpiChecksum(bytes.subarray(0, 20));
  bytes[32] = acpiChecksum(bytes);
  return bytes;
}

/** create_facp_table. The old ports have their PM timer in the 32-bit field too. */
function fillFacp(bytes: Uint8Array, dsdt: bigint, { facts }: CloudHypervisorVersion): void {
  const view = new DataView(bytes.buffer);
  const { sleep, timer } = facts.acpiPorts;
  const port = (at: number, first: number, size: 1 | 4) => {
    bytes.set([1, 8 * size, 0, facts.acpiCreator.id === 'CLDH' ? size : { 1: 1, 4: 3 }[size]], at);
    view.setBigUint64(at + 4, BigInt(first), true);
  };
  if (timer === 0xb008) view.setUint32(76, timer, true);
  view.setUint32(112, FACP_FLAGS, true);
  port(116, sleep, 1);
  bytes[128] = RESET_VALUE;
  bytes[131] = 3;
  view.setBigUint64(140, dsdt, true);
  port(208, timer, 4);
  port(244, sleep, 1);
  port(256, sleep, 1);
  putText(bytes, 268, 'CLOUDHYP');
}

/** CpuManager::create_madt: a processor for each that there may be, enabled where it is there at the start. */
function madtEntries({ facts }: CloudHypervisorVersion, guest: GuestDescription): number[] {
  const boot = guest.vcpus.value;
  const all = Math.max(numberOption(guest, 'cpus.max_vcpus') ?? boot, boot);
  const flags = (vcpu: number) => (vcpu < boot ? 3 : 2);
  const processors = Array.from({ length: all }, (_, vcpu) =>
    facts.x2apicMadt ? localX2apic(vcpu, vcpu, flags(vcpu)) : localApic(vcpu, vcpu, flags(vcpu)),
  );
  return [...processors, ioApic(0, IOAPIC.start, 0), interruptOverride(4, 4, 0)].flat();
}

/** create_mcfg_table. */
function mcfgEntries({ facts }: CloudHypervisorVersion, guest: GuestDescription): Uint8Array {
  const segments = facts.pciSegments ? (numberOption(guest, 'platform.num_pci_segments') ?? 1) : 1;
  const bytes = new Uint8Array(16 * segments);
  const view = new DataView(bytes.buffer);
  for (let segment = 0; segment < segments; segment++) {
    view.setBigUint64(16 * segment, ECAM.start + BigInt(segment) * ECAM_PER_SEGMENT, true);
    view.setUint16(16 * segment + 8, segment, true);
    if (!facts.pciSegments) bytes[16 * segment + 11] = 255;
  }
  return bytes;
}
