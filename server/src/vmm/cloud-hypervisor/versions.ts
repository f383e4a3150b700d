/**
 * The releases of Cloud Hypervisor at which something changes that an x86-64 guest on KVM sees, and the facts that change.
 * The commit that made a change stands beside the fact, with the first release that has it.
 */
import type { VmmVersion } from '../model';

export interface CloudHypervisorFacts {
  /** KVM_SET_TSS_ADDR: three pages (348def9df, v21.0). */
  readonly tss: bigint;
  /** KVM_SET_IDENTITY_MAP_ADDR: one page; KVM's own default until 03a606c7e (v21.0). */
  readonly identityMap: bigint;
  /** 1 MiB below the end of the address space holds ACPI's control devices (def98faf3, v20.0). */
  readonly platformArea: boolean;
  /** `max_phys_bits` is 46 where the config gives none; before, the host's width (83066cf58, v19.0). */
  readonly limitsPhysicalBits: boolean;
  /** An ELF kernel without a PVH note, and any bzImage, is started in 64-bit mode (removed by da8136e49, v16.0). */
  readonly linuxBoot64: boolean;
  /** A bzImage is started at its 32-bit entry (09cf8c311, v39.0). */
  readonly linuxBoot32: boolean;
  /** An image that is no ELF file is put below 4 GiB and started at the reset vector (82d06c0ef, v20.0, to 2daab8998, v28.0). */
  readonly rawFirmware: boolean;
  /** The word at 0x40e leads to the EBDA and so to the RSDP (64b32841a, v23.0). */
  readonly ebdaPointer: boolean;
  /** A zero into CMOS register 0xF, selected as 0x8F, restarts the VM; for that the index keeps its bit 7 (e0d3efec6, v23.0). */
  readonly cmosReset: boolean;
  /** CMOS register D says that there is power (c7725f921, v20.0). */
  readonly cmosPower: boolean;
  /** Accesses of a wrong size to the PM timer and the I/O APIC do nothing; before, they were a panic of the vCPU's thread (v19.0). */
  readonly bearsWrongSizes: boolean;
  /** ACPI's sleep and reset register and the PM timer. Both pairs answer in v26.0 to v27.0 (98f949d35, 1bc63e784). */
  readonly acpiPorts: { readonly sleep: number; readonly timer: number };
  readonly oldAcpiPortsToo: boolean;
  /** The end of the SMBIOS table and its length are right (05e0daa41 and cb18edb53, v26.0). */
  readonly smbiosEnds: boolean;
  /** The system's wake-up type says unknown, 2, and no longer 0, which is reserved (063caca4a, v53.0). */
  readonly smbiosWakeUp: boolean;
  /** Creator of the ACPI tables: the project's own writer, then rust-vmm's acpi_tables (73c415677, v31.0). */
  readonly acpiCreator: { readonly id: string; readonly revision: number };
  /** Processors in the MADT are local x2APICs (0039f4527, v34.0). */
  readonly x2apicMadt: boolean;
  /** ID of the I/O APIC in the MP table: one more than there are vCPUs, or 255 (5c0b66529, v38.0). */
  readonly mpIoapicId: 'vcpus + 1' | 255;
  /** The debug console at port 0xE9, where the config turns it on (e50a64112, v38.0). */
  readonly debugConsole: boolean;
  /** A TPM at 0xFED40000, where the config has one (59baa29de, v28.0). */
  readonly tpm: boolean;
  /** PCI segments: one bus each, so the MCFG names bus 0 alone (2f8540da7 and others, v20.0). */
  readonly pciSegments: boolean;
  /** The DSDT's motherboard resources reserve the segments' part of the ECAM alone (v21.0). */
  readonly reservesSegmentsAlone: boolean;
  /** More than 254 vCPUs: x2APIC mode from the start and no MP table (84613d427 and 2c7d6be3f, v48.0). */
  readonly manyVcpus: boolean;
  /** CPUID 0x40000010 tells the TSC's frequency (c22c4675b, v30.0). */
  readonly tscLeaf: boolean;
  /** KVM_FEATURE_MSI_EXT_DEST_ID (84613d427, v48.0). */
  readonly extendedDestinations: boolean;
  /** KVM_EXIT_SHUTDOWN leaves a line in the log (a67277b9c, v52.0). */
  readonly logsTripleFault: boolean;
  /** A read that no device answers gives all ones; before, the VMM left KVM's buffer as it was (7b2969193, 4091e965b, v53.0). */
  readonly unansweredReadsOnes: boolean;
  /** On AMD the physical width is cut by what SME takes (until 99f553798, v53.0). */
  readonly cutsBySme: boolean;
  /** GuestPhysAddrSize is set with PhysAddrSize (eb75a4ead, v53.0). */
  readonly setsGuestPhysicalBits: boolean;
  /** Accesses of another size than a byte to the ACPI sleep register do nothing (8a4b3efec, v53.0). */
  readonly checksAcpiSize: boolean;
}

export interface CloudHypervisorVersion extends VmmVersion {
  readonly facts: CloudHypervisorFacts;
}

const V15: CloudHypervisorFacts = {
  tss: 0xfffbd000n,
  identityMap: 0xfffbc000n,
  platformArea: false,
  limitsPhysicalBits: false,
  linuxBoot64: true,
  linuxBoot32: false,
  rawFirmware: false,
  ebdaPointer: false,
  cmosReset: false,
  cmosPower: false,
  bearsWrongSizes: false,
  acpiPorts: { sleep: 0x3c0, timer: 0xb008 },
  oldAcpiPortsToo: false,
  smbiosEnds: false,
  smbiosWakeUp: false,
  acpiCreator: { id: 'CLDH', revision: 0 },
  x2apicMadt: false,
  mpIoapicId: 'vcpus + 1',
  debugConsole: false,
  tpm: false,
  pciSegments: false,
  reservesSegmentsAlone: false,
  manyVcpus: false,
  tscLeaf: false,
  extendedDestinations: false,
  logsTripleFault: false,
  unansweredReadsOnes: false,
  cutsBySme: true,
  setsGuestPhysicalBits: false,
  checksAcpiSize: false,
};

/** What changes, release by release; each starts from the one before. */
const CHANGES: readonly (readonly [id: string, date: string, what: string, Partial<CloudHypervisorFacts>])[] =
  [
    ['v15.0', '2021-04-29', 'the last with the 64-bit Linux boot protocol', {}],
    ['v16.0', '2021-06-10', 'PVH is the only way to start a kernel', { linuxBoot64: false }],
    [
      'v20.0',
      '2021-12-02',
      'raw firmware below 4 GiB, PCI segments',
      {
        platformArea: true,
        limitsPhysicalBits: true,
        rawFirmware: true,
        cmosPower: true,
        bearsWrongSizes: true,
        pciSegments: true,
      },
    ],
    [
      'v21.0',
      '2022-01-20',
      'KVM’s TSS and identity map behind the ECAM',
      { tss: 0xf8000000n, identityMap: 0xf8003000n, reservesSegmentsAlone: true },
    ],
    ['v23.0', '2022-04-14', 'EBDA pointer, reset by CMOS', { ebdaPointer: true, cmosReset: true }],
    [
      'v26.0',
      '2022-08-17',
      'ACPI ports 0x600 and 0x608, SMBIOS table that ends',
      { acpiPorts: { sleep: 0x600, timer: 0x608 }, oldAcpiPortsToo: true, smbiosEnds: true },
    ],
    [
      'v28.0',
      '2022-11-17',
      'firmware is an ELF file with a PVH entry, as a kernel is; TPM',
      { oldAcpiPortsToo: false, rawFirmware: false, tpm: true },
    ],
    [
      'v31.0',
      '2023-04-06',
      'ACPI tables by rust-vmm’s acpi_tables; TSC frequency in CPUID',
      { acpiCreator: { id: 'RVAT', revision: 0x01000000 }, tscLeaf: true },
    ],
    ['v34.0', '2023-08-10', 'processors in the MADT are x2APICs', { x2apicMadt: true }],
    ['v38.0', '2024-02-16', 'debug console at port 0xE9', { mpIoapicId: 255, debugConsole: true }],
    ['v39.0', '2024-04-27', 'bzImage at its 32-bit entry', { linuxBoot32: true }],
    ['v48.0', '2025-09-12', 'more than 254 vCPUs', { manyVcpus: true, extendedDestinations: true }],
    ['v52.0', '2026-05-14', 'a triple fault is logged', { logsTripleFault: true }],
    [
      'v53.0',
      '2026-07-12',
      'all ones where nobody answers; both physical widths alike',
      {
        unansweredReadsOnes: true,
        cutsBySme: false,
        setsGuestPhysicalBits: true,
        checksAcpiSize: true,
        smbiosWakeUp: true,
      },
    ],
    ['2026-08', '2026-08-22', 'main', {}],
  ];

const FILES =
  'what differs was read at v15.0 or v16.0, at main of 2026-08-22 (ae44c2971) and in the commits between: arch/src/x86_64/{layout,mod,regs,mptable,smbios}.rs, vmm/src/{vm,acpi,cpu,memory_manager,device_manager}.rs, devices/src';

/** Oldest first. */
export const CLOUD_HYPERVISOR_VERSIONS: readonly CloudHypervisorVersion[] = listed();

function listed(): CloudHypervisorVersion[] {
  let facts = V15;
  return CHANGES.map(([id, date, what, changes]) => {
    facts = { ...facts, ...changes };
    const revision = id === '2026-08' ? 'commit ae44c2971 of 2026-08-22' : `tag ${id} of ${date}`;
    return {
      id,
      title: `Cloud Hypervisor ${id} (${what})`,
      source: `cloud-hypervisor/cloud-hypervisor ${revision}; ${FILES}`,
      facts,
    };
  });
}

export const NEWEST_CLOUD_HYPERVISOR = CLOUD_HYPERVISOR_VERSIONS.at(-1)!;

/** The version with that id, else the newest. */
export function cloudHypervisorVersion(id: string): CloudHypervisorVersion {
  return CLOUD_HYPERVISOR_VERSIONS.find((version) => version.id === id) ?? NEWEST_CLOUD_HYPERVISOR;
}
