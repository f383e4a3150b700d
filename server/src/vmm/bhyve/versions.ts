/**
 * The generations of bhyve that are modelled: two operating systems with a common ancestor. One list, ordered by the date of
 * the source (a release's date where there is one), so that the newest of both comes last and is the default.
 */
import type { AddressRange } from '../../address/range';
import { GIB } from '../../address/range';
import type { VmmVersion } from '../model';
import type { RangeConvention } from './guestPageTable';

export interface BhyveFacts {
  readonly os: 'illumos' | 'freebsd';
  /** Where 64-bit BARs go: a fixed window, or 32 GiB from the first multiple of 32 GiB at or after the end of memory. */
  readonly window64: AddressRange | 'after-memory';
  /** bhyve keeps an E820 table and gives it to the firmware as fw_cfg file etc/e820 (e820.c, e820_finalize). */
  readonly e820: boolean;
  /** Value of acpi_tables where a config says nothing (set_defaults, later bhyve_init_config). */
  readonly acpiTables: boolean;
  /** acpi.c has a fixed offset for each table; basl.c puts one behind the other (basl_finish_install_guest_tables). */
  readonly acpiPlaces: 'fixed' | 'in-order';
  /** acpi.c builds an SPCR. */
  readonly spcr: boolean;
  /** Its SMBIOS tables were read (smbiostbl.c); before, they have other strings. */
  readonly smbios: boolean;
  /** Config key of the boot ROM: `lpc.bootrom`, which newer ones take for an alias of `bootrom`. */
  readonly bootromKey: 'lpc.bootrom' | 'bootrom';
  /** The flat config file and -o exist; before, there is only the command line. */
  readonly configFile: boolean;
  /** General-purpose event block at port 0x40C for the VM generation counter. */
  readonly gpe0: boolean;
  /** First address of the MP table (mptbl.c, MPTABLE_BASE). */
  readonly mpTable: bigint;
  /** What an access to memory that nobody registered does, beyond the fallback handler of the hole below 4 GiB. */
  readonly unregisteredMmio: 'all-ones' | 'abort';
  /** INIT and SIPI by shorthand: `panic` is illumos issue 13253, `refused` its fix, `full` issue 13275. */
  readonly ipiShorthand: 'panic' | 'refused' | 'full';
  /** Second-level page table code, see `guestPageTable.ts`; `none` where it is another one (FreeBSD's, and illumos' older). */
  readonly guestPageTable: 'none' | RangeConvention;
}

export interface BhyveVersion extends VmmVersion {
  readonly date: string;
  readonly facts: BhyveFacts;
}

/** FreeBSD before 2022-01 and what illumos took from it: above a terabyte of a 40-bit address space. */
const FIXED_WINDOW: AddressRange = { start: 0xd000000000n, end: 0xfd00000000n };

const ILLUMOS_2020: BhyveFacts = {
  os: 'illumos',
  window64: FIXED_WINDOW,
  e820: false,
  acpiTables: false,
  acpiPlaces: 'fixed',
  spcr: false,
  smbios: false,
  bootromKey: 'lpc.bootrom',
  configFile: false,
  gpe0: false,
  mpTable: 0xf0000n,
  unregisteredMmio: 'all-ones',
  ipiShorthand: 'panic',
  guestPageTable: 'none',
};

const ILLUMOS_2021: BhyveFacts = {
  ...ILLUMOS_2020,
  configFile: true,
  ipiShorthand: 'full',
};

const FREEBSD_13: BhyveFacts = {
  os: 'freebsd',
  window64: 'after-memory',
  e820: false,
  acpiTables: false,
  acpiPlaces: 'fixed',
  spcr: false,
  smbios: false,
  bootromKey: 'lpc.bootrom',
  configFile: true,
  gpe0: true,
  mpTable: 0xf0000n,
  unregisteredMmio: 'abort',
  ipiShorthand: 'full',
  guestPageTable: 'none',
};

const FREEBSD_14: BhyveFacts = {
  ...FREEBSD_13,
  e820: true,
  acpiPlaces: 'in-order',
  smbios: true,
};

/** Oldest first. */
export const BHYVE_VERSIONS: readonly BhyveVersion[] = [
  {
    id: 'illumos-2020-09',
    title: 'illumos, autumn 2020: before issue 13253 was fixed',
    source:
      'illumos-gate usr/src/cmd/bhyve and usr/src/uts/i86pc/io/vmm of autumn 2020; pci_emul.c of commit 0a51b8dc4, acpi.c of commit db8da1c33, vlapic.c of commit 3e1c5f3a8',
    date: '2020-09-25',
    facts: ILLUMOS_2020,
  },
  {
    id: 'illumos-2020-12',
    title: 'illumos, end of 2020: issue 13253 fixed, INIT by shorthand still refused',
    source: 'illumos-gate commit 06524cf4e (2020-10-29, issue 13253); the rest as in illumos-2020-09',
    date: '2020-12-01',
    facts: { ...ILLUMOS_2020, ipiShorthand: 'refused' },
  },
  {
    id: 'illumos-2021-03',
    title: 'illumos, spring 2021: INIT and SIPI in full (issue 13275)',
    source: 'illumos-gate commit 2606939d9 (2021-01-08, issue 13275); the rest as in illumos-2020-12',
    date: '2021-03-01',
    facts: { ...ILLUMOS_2020, ipiShorthand: 'full' },
  },
  {
    id: 'illumos-2021-08',
    title: 'illumos, summer 2021: new second-level page tables (issue 13932), before issue 14042 was fixed',
    source:
      'illumos-gate with userland of FreeBSD 2021-03-24 (usr/src/cmd/bhyve/README.sync of commit 2b9481465) and usr/src/uts/i86pc/io/vmm/vmm_gpt.c before the fix, read in two drafts: oxidecomputer/illumos-gate f9313a54f, pfmooney/illumos-gate 8ef583d0a',
    date: '2021-08-01',
    facts: { ...ILLUMOS_2021, guestPageTable: 'closed' },
  },
  {
    id: 'illumos-2021-09',
    title: 'illumos, autumn 2021: issue 14042 fixed',
    source:
      'illumos issue 14042 and usr/src/uts/i86pc/io/vmm/vmm_gpt.c of illumos-gate 13ae1a203; the rest as in illumos-2021-08',
    date: '2021-09-15',
    facts: { ...ILLUMOS_2021, guestPageTable: 'half-open' },
  },
  {
    id: 'freebsd-13',
    title: 'FreeBSD 13.2 (2023-04)',
    source:
      'usr.sbin/bhyve/{bhyverun,pci_emul,acpi}.c of FreeBSD stable/13 as in opnsense/src commit 2ef8a0887, sys/amd64/vmm of the same time',
    date: '2023-04-11',
    facts: FREEBSD_13,
  },
  {
    id: 'freebsd-14',
    title: 'FreeBSD 14.0 (2023-11)',
    source:
      'freebsd-src usr.sbin/bhyve of 2023: bootrom.c commit 1d386b48a, e820.c, bhyverun.c, pci_emul.c; acpi_tables is off by default still in commit 15181b730 of later',
    date: '2023-11-20',
    facts: FREEBSD_14,
  },
  {
    id: 'illumos-2025',
    title: 'illumos, 2025: userland of FreeBSD 2024-11-07',
    source:
      'illumos-gate usr/src/cmd/bhyve of commit 5c4a5fe16 (README.sync: FreeBSD commit d70230783 of 2024-11-07) and usr/src/uts/intel/io/vmm',
    date: '2025-03-01',
    facts: {
      ...ILLUMOS_2021,
      window64: 'after-memory',
      e820: true,
      acpiPlaces: 'in-order',
      spcr: true,
      smbios: true,
      bootromKey: 'bootrom',
      gpe0: true,
      mpTable: 0xe0000n,
      guestPageTable: 'counted',
    },
  },
  {
    id: 'freebsd-15',
    title: 'FreeBSD 15.0 (2025-12)',
    source:
      'freebsd-src usr.sbin/bhyve/{pci_emul,bootrom}.c and usr.sbin/bhyve/amd64/{bhyverun_machdep,vmexit,inout,pm}.c (commits b5e57cb83, 1bac6f0da, 3af9b944c), lib/libvmmapi/amd64/vmmapi_machdep.c commit 1855002dd',
    date: '2025-12-02',
    facts: { ...FREEBSD_14, acpiTables: true, spcr: true, bootromKey: 'bootrom' },
  },
];

/** The version that is taken where nothing says otherwise. */
export const NEWEST_BHYVE: BhyveVersion = BHYVE_VERSIONS[BHYVE_VERSIONS.length - 1]!;

/** Undefined for an id that is none. */
export function bhyveVersion(id: string): BhyveVersion | undefined {
  return BHYVE_VERSIONS.find((version) => version.id === id);
}

/** memory.size where a config gives none: 256 MiB in every generation (bhyve_init_config; before, main). */
export const DEFAULT_MEMORY = GIB / 4n;
