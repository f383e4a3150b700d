/** A terabyte of high memory does not fit into CMOS, from which the firmware learns it in versions without an E820 map. */
import { GIB } from '../../../address/range';
import type { KnownIssue, SimulationCell } from '../../../machine/knownIssue';
import { simulatedGuest } from '../../../machine/simulatedGuest';
import { PROPOLIS_VERSIONS } from '../versions';

const REPORT = 'oxidecomputer/propolis issue 907, 2025-05-15';
const FIX = 'oxidecomputer/propolis commit 0e06506a (2025-06-24), pull request 912';

/** High memory, which begins above 3 GiB, wraps from here on: 2^24 times 64 KiB. */
export const FIRST_WRAPPED = 1027n * GIB;
const SHOWN_MEMORY = 1028n * GIB;

const GUEST = {
  kind: 'vmm',
  vmm: 'propolis',
  version: '2025-05',
  citation: `chosen for the simulation of: ${REPORT}`,
} as const;

const cell = (version: string, name: string): SimulationCell => ({
  name,
  version,
  probe: 'cmos-memory',
  parameters: {},
  evidence: 'reproduced',
});

const HIGH_LINE = /64 KiB from 4 GiB \(0x5b\) 0x([0-9a-f]+)/;

export const propolisCmosMemory: KnownIssue = {
  id: 'propolis-cmos-memory',
  vmm: 'propolis',
  title: 'The firmware takes a guest of 1027 GiB or more for one with little high memory',
  link: 'https://github.com/bootpath/bootpath/blob/main/docs/known-issues/propolis-cmos-memory.md',
  // Before 2025-05 so much memory is refused.
  affected: PROPOLIS_VERSIONS.filter(
    ({ facts }) => !facts.e820 && facts.addressSpaceEnd > FIRST_WRAPPED + GIB,
  ).map(({ id }) => id),
  statements: [
    {
      text: 'Guests with more than 1 TiB lost their NVMe disks in the UEFI shell, and OVMF’s log showed a wrong place for its 64-bit MMIO window.',
      evidence: 'proven',
      citation: REPORT,
    },
    {
      text: 'CMOS has 24 bits at 0x5b for the memory from 4 GiB on, in units of 64 KiB: a terabyte is 2^24 of them and reads as 0. Propolis wrote the low 24 bits of the number.',
      evidence: 'proven',
      citation: 'lib/propolis/src/hw/bhyve/rtc.rs, memsize_to_nvram, before commit 0e06506a',
    },
    {
      text: 'EDK2 puts its 64-bit window above what it takes for the end of memory; with the wrapped number that is in the middle of memory, so a BAR and RAM share addresses.',
      evidence: 'inferred',
      citation: `${REPORT}; tianocore/edk2 OvmfPkg/PlatformPei/MemDetect.c, GetFirstNonAddress`,
    },
    {
      text: 'The fix gives the firmware an E820 map, which it prefers. CMOS still wraps: the new limit is 2^32 - 1 units, not 2^24 - 1, although the commit says ffffff.',
      evidence: 'proven',
      citation: `${FIX}: rtc.rs at commit 372a5744`,
    },
  ],
  hypotheses: [],
  fix: 'Propolis of 2025-06-24 or later (propolis@2025-06), with a firmware that reads etc/e820. Until then less than 1027 GiB.',
  simulation: {
    guest: simulatedGuest({ name: 'large', memory: SHOWN_MEMORY }, GUEST),
    cells: [cell('2025-05', 'CMOS alone'), cell('2025-06', 'CMOS and an E820 map')],
    reached: ({ version, console, highMemory }) => {
      const told = HIGH_LINE.exec(console)?.[1];
      if (told === undefined) return null;
      const bytes = BigInt(`0x${told}`) << 16n;
      // CMOS counts whole units of 64 KiB.
      if (bytes === (highMemory >> 16n) << 16n) return null;
      const map = PROPOLIS_VERSIONS.find(({ id }) => id === version)?.facts.e820 === true;
      return map
        ? null
        : `CMOS tells of ${bytes >> 30n} GiB from 4 GiB on, the guest has ${highMemory >> 30n} GiB there, and there is no E820 map.`;
    },
    shows:
      'The probe reads what a firmware without a memory map reads. Under 2025-06 the number in CMOS is wrong all the same, but etc/e820 has the right one. What EDK2 makes of the wrong one is not simulated.',
  },
};
