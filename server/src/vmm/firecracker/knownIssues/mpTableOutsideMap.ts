/** The MP table lay in a KiB that no entry of the memory map covers, up to 1.4: issue 3044 of Firecracker's tracker. */
import { MIB } from '../../../address/range';
import type { KnownIssue, ShownRun, SimulationCell } from '../../../machine/knownIssue';
import { simulatedGuest } from '../../../machine/simulatedGuest';
import { FIRECRACKER_VERSIONS, NEWEST_FIRECRACKER } from '../versions';

const REPORT = 'firecracker-microvm/firecracker issue 3044, "Memory map excludes 640th kB", 2022-07-01';
const CHOSEN = {
  kind: 'vmm',
  vmm: 'firecracker',
  version: NEWEST_FIRECRACKER.id,
  citation: `chosen for the simulation of: ${REPORT}`,
} as const;

const cell = (name: string, version: string): SimulationCell => ({
  name,
  version,
  probe: 'mp-table',
  parameters: {},
  evidence: 'reproduced',
});

export const firecrackerMpTableMap: KnownIssue = {
  id: 'firecracker-mp-table-map',
  vmm: 'firecracker',
  title: 'The MP table lies where the memory map has no entry',
  link: 'https://github.com/bootpath/bootpath/blob/main/docs/known-issues/firecracker-mp-table-map.md',
  affected: FIRECRACKER_VERSIONS.filter(({ facts }) => facts.reservedEnd === null).map(({ id }) => id),
  statements: [
    {
      text: 'The memory map was [0, 0x9fc00) and RAM from 1 MiB, and the MP table was written to 0x9fc00.',
      evidence: 'proven',
      citation: `${REPORT}; tag v1.4.0: src/vmm/src/arch/x86_64/mod.rs, configure_system, and mptable.rs, setup_mptable`,
    },
    {
      text: 'Linux is not concerned: it looks from 639 to 640 KiB whatever the map says.',
      evidence: 'proven',
      citation: `${REPORT}; torvalds/linux arch/x86/kernel/mpparse.c, default_find_smp_config`,
    },
    {
      text: 'FreeBSD looked in the last KiB of the base memory that the map tells, [0x9f800, 0x9fc00), and did not find the table.',
      evidence: 'proven',
      citation: REPORT,
    },
    {
      text: 'From 1.5 on an entry of type reserved covers the table’s KiB, and from 1.8 on everything up to 0xe0000.',
      evidence: 'proven',
      citation:
        'pull request 4144, commit 1cb55f02e (2023-09-29); commit 7330aa2b3 (ACPI); the tags v1.5.0 and v1.8.0',
    },
    {
      text: 'Whether FreeBSD finds the table by the entry of type reserved alone was not established.',
      evidence: 'inferred',
      citation: 'no FreeBSD kernel was booted',
    },
  ],
  hypotheses: [],
  fix: 'Firecracker 1.5 or later; from 1.8 on ACPI tables say the same. Before, a kernel that looks at 639 KiB whatever the map says.',
  simulation: {
    // The size of the report's microVM.
    guest: simulatedGuest({ name: 'microVM', memory: 1024n * MIB, vcpus: 2 }, CHOSEN),
    cells: [cell('1.4', '1.4'), cell('1.5', '1.5'), cell('1.8', '1.8')],
    reached: ({ probeStatus, console }: ShownRun) => {
      const at = /mp-pointer (0x[0-9a-f]+)/.exec(console)?.[1];
      return probeStatus === 'outside-map' && at
        ? `The floating pointer is at ${at}, and no entry of the memory map has that address.`
        : null;
    },
    shows:
      'The probe reads the zero page as a kernel does. What a given kernel does without the table, one processor and no IOAPIC, is not shown.',
  },
};
