/**
 * The states of propolis-standalone that boot guests differently. Propolis has no releases: an id is the month of the commit
 * that made the difference. Read: oxidecomputer/propolis bin/propolis-standalone/src/{main,config}.rs and lib/propolis/src up to
 * commit 372a5744 (merged 2026-07-21).
 */
import { GIB } from '../../address/range';
import type { VmmVersion } from '../model';

export interface PropolisFacts {
  /** MAX_PHYSMEM of vmm/machine.rs: where the 64-bit MMIO region ends. */
  readonly addressSpaceEnd: bigint;
  /** First address of the 64-bit MMIO region: a constant (MAX_SYSMEM), or the end of high memory. */
  readonly dev64Start: bigint | 'after-memory';
  /** Keys exit_on_halt and exit_on_reboot exist; before, the process exits with 0 at a halt and never at a reboot. */
  readonly exitCodes: boolean;
  /** Key boot_order exists. */
  readonly bootOrder: boolean;
  /** The firmware gets etc/e820; before, it has only CMOS to learn the memory from. */
  readonly e820: boolean;
  /** Propolis makes ACPI tables and gives them by fw_cfg; before, they are in the firmware (Oxide's fork of EDK2). */
  readonly acpiTables: boolean;
  /** A CPUID leaf has subleaves or none, never both (CpuidMap::insert; commit 93ed7673 of 2024-10-14). */
  readonly strictSubleaves: boolean;
}

export interface PropolisVersion extends VmmVersion {
  readonly facts: PropolisFacts;
}

const FIRST: PropolisFacts = {
  addressSpaceEnd: 512n * GIB,
  dev64Start: 256n * GIB,
  exitCodes: false,
  bootOrder: false,
  e820: false,
  acpiTables: false,
  strictSubleaves: false,
};
const SECOND: PropolisFacts = { ...FIRST, addressSpaceEnd: 1024n * GIB, dev64Start: 'after-memory' };
const THIRD: PropolisFacts = { ...SECOND, exitCodes: true };
const FOURTH: PropolisFacts = { ...THIRD, bootOrder: true };
const FIFTH: PropolisFacts = {
  ...FOURTH,
  addressSpaceEnd: 16_384n * GIB,
  strictSubleaves: true,
};
const SIXTH: PropolisFacts = { ...FIFTH, e820: true };
const SEVENTH: PropolisFacts = { ...SIXTH, acpiTables: true };

/** Oldest first. */
export const PROPOLIS_VERSIONS: readonly PropolisVersion[] = [
  {
    id: '2022-09',
    title: 'Autumn 2022 to May 2023: at most 256 GiB of address space for memory',
    source: 'oxidecomputer/propolis, parent of commit fdc5e03f',
    facts: FIRST,
  },
  {
    id: '2023-05',
    title: '64-bit MMIO right above high memory, up to 1 TiB',
    source: 'oxidecomputer/propolis commit fdc5e03f (2023-05-22)',
    facts: SECOND,
  },
  {
    id: '2023-10',
    title: 'exit_on_halt and exit_on_reboot',
    source: 'oxidecomputer/propolis commit ba4839f1 (2023-10-29)',
    facts: THIRD,
  },
  {
    id: '2024-06',
    title: 'boot_order',
    source: 'oxidecomputer/propolis commit 59868677 (2024-06-20)',
    facts: FOURTH,
  },
  {
    id: '2025-05',
    title: 'Address space up to 16 TiB (issue 903)',
    source: 'oxidecomputer/propolis commit 99a1a941 (2025-05-05)',
    facts: FIFTH,
  },
  {
    id: '2025-06',
    title: 'The firmware gets an E820 map (issue 907)',
    source: 'oxidecomputer/propolis commit 0e06506a (2025-06-24)',
    facts: SIXTH,
  },
  {
    id: '2026-06',
    title: 'ACPI tables by fw_cfg; the newest that was read (2026-07-21) boots the same way',
    source: 'oxidecomputer/propolis commits fa397215 (2026-06-12) to 372a5744 (merged 2026-07-21)',
    facts: SEVENTH,
  },
];

/** The version that is taken where nothing says otherwise. */
export const NEWEST_PROPOLIS: PropolisVersion = PROPOLIS_VERSIONS[PROPOLIS_VERSIONS.length - 1]!;

/** The version of that id, else the newest. */
export function propolisVersion(id: string): PropolisVersion {
  return PROPOLIS_VERSIONS.find((version) => version.id === id) ?? NEWEST_PROPOLIS;
}
