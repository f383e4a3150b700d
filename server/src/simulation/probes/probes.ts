/** All probe guests. The sources stand beside this file (NASM); `test/scripts/assemble-probes.mjs` makes the rest. */
import apStart from './ap-start.bin';
import apStartLabels from './ap-start.labels.json';
import bootPath from './boot-path.bin';
import bootPathLabels from './boot-path.labels.json';
import cmosMemory from './cmos-memory.bin';
import cmosMemoryLabels from './cmos-memory.labels.json';
import earlyPanic from './kernels/early-panic.bin';
import earlyPanicLabels from './kernels/early-panic.labels.json';
import kernelTripleFault from './kernels/kernel-triple-fault.bin';
import kernelTripleFaultLabels from './kernels/kernel-triple-fault.labels.json';
import mpTable from './kernels/mp-table.bin';
import mpTableLabels from './kernels/mp-table.labels.json';
import openbsdLocore from './kernels/openbsd-locore.bin';
import openbsdLocoreLabels from './kernels/openbsd-locore.labels.json';
import openbsdLocoreElf32 from './kernels/openbsd-locore-elf32.bin';
import openbsdLocoreElf32Labels from './kernels/openbsd-locore-elf32.labels.json';
import physicalWidths from './kernels/physical-widths.bin';
import physicalWidthsLabels from './kernels/physical-widths.labels.json';
import linuxRebootBios from './linux-reboot-bios.bin';
import linuxRebootBiosLabels from './linux-reboot-bios.labels.json';
import resetBios from './reset-bios.bin';
import resetBiosLabels from './reset-bios.labels.json';
import resetCf9 from './reset-cf9.bin';
import resetCf9Labels from './reset-cf9.labels.json';
import resetHighMemory from './reset-high-memory.bin';
import resetHighMemoryLabels from './reset-high-memory.labels.json';
import resetI8042 from './reset-i8042.bin';
import resetI8042Labels from './reset-i8042.labels.json';
import resetPort92 from './reset-port92.bin';
import resetPort92Labels from './reset-port92.labels.json';
import resetTripleFault from './reset-triple-fault.bin';
import resetTripleFaultLabels from './reset-triple-fault.labels.json';
import romWrite from './rom-write.bin';
import romWriteLabels from './rom-write.labels.json';
import unansweredRead from './kernels/unanswered-read.bin';
import unansweredReadLabels from './kernels/unanswered-read.labels.json';
import type { Probe, ProbeParameter, ProbeStatus } from './probe';

const FAULT: ProbeStatus = {
  code: 'fault',
  meaning: 'An exception came that the probe does not expect; its line names vector, error code and place.',
  verdict: 'fault',
};
const RESTARTED: ProbeStatus = {
  code: 'restarted',
  meaning: 'The reset vector ran again with memory kept; the line before says whether by a reset or a jump.',
  verdict: 'expected',
};
const STILL_RUNNING: ProbeStatus = {
  code: 'still-running',
  meaning: 'The machine ignored this way to reset it; a guest that relies on it goes on to its next method.',
  verdict: 'finding',
};
const NO_LONG_MODE: ProbeStatus = {
  code: 'no-long-mode',
  meaning: 'CPUID 0x80000001 does not offer long mode, so a 64-bit kernel cannot start.',
  verdict: 'finding',
};
/** Of both kernels with the mode path of OpenBSD/amd64. */
const LOCORE = {
  checks:
    'Says in which mode it was started and with which boot arguments, puts a gate for vector 29 (#VC) where it is told to, and ' +
    'goes to 64-bit mode as OpenBSD/amd64 does: CR4.PAE, EFER.LME, CR3, CR0.PG, a far jump.',
  load: 'elf',
  parameters: [
    {
      name: 'gate',
      label: 'param_gate',
      size: 1,
      initial: 0,
      meaning:
        '0: none. 1: a 32-bit gate of 8 bytes at IDT + 29 * 8, as locore0.S rev 1.32 has it. 2: a 64-bit gate of 16 bytes at IDT + 29 * 16.',
    },
    {
      name: 'event',
      label: 'param_event',
      size: 1,
      initial: 0,
      meaning: '1: INT 29, which finds its gate by the same rules as #VC.',
    },
  ] satisfies readonly ProbeParameter[],
  statuses: [
    {
      code: 'long-mode',
      meaning: 'The kernel came to 64-bit mode.',
      verdict: 'expected',
    },
    {
      code: 'entered-in-64-bit-mode',
      meaning: 'The VMM started it in 64-bit mode, for which OpenBSD/amd64 has no entry.',
      verdict: 'finding',
    },
    NO_LONG_MODE,
  ] satisfies readonly ProbeStatus[],
  endsInReset: false,
} as const;
const RESET_STATUSES = [RESTARTED, STILL_RUNNING, FAULT];

/** In the order in which they are offered; the first is what runs where nothing else is asked for. */
export const PROBES: readonly Probe[] = [
  {
    name: 'boot-path',
    title: 'The boot path of a 64-bit kernel',
    checks:
      'Reads the memory map, checks A20, takes every mode switch to long mode with its own page tables, writes and ' +
      'reads back the first and last page of each RAM entry, and goes down to real mode again.',
    load: 'rom',
    image: bootPath,
    labels: bootPathLabels,
    parameters: [],
    statuses: [
      {
        code: 'complete',
        meaning: 'Every mode was reached and every page touched held what was written.',
        verdict: 'expected',
      },
      {
        code: 'memory-lost',
        meaning: 'A page that the map calls RAM did not hold what was written to it.',
        verdict: 'finding',
      },
      {
        code: 'no-memory-map',
        meaning:
          'Neither fw_cfg nor CMOS told the size of memory; the modes were taken, no page was touched.',
        verdict: 'finding',
      },
      {
        code: 'a20-off',
        meaning: 'Address bit 20 stays 0 and port 0x92 does not open it.',
        verdict: 'finding',
      },
      NO_LONG_MODE,
      FAULT,
    ],
    endsInReset: false,
  },
  {
    name: 'ap-start',
    title: 'Starting the other CPUs',
    checks:
      'Finds the local APIC by CPUID, sends INIT and two start-up IPIs to all but itself, and counts the CPUs that ' +
      'report from real, protected and long mode.',
    load: 'rom',
    image: apStart,
    labels: apStartLabels,
    parameters: [
      {
        name: 'init',
        label: 'param_init',
        size: 4,
        initial: 0xc4500,
        meaning: 'What is written to ICR low first: INIT, assert, edge, all but self.',
      },
      {
        name: 'startup',
        label: 'param_startup',
        size: 4,
        initial: 0xc4608,
        meaning: 'And then twice: SIPI with vector 8, all but self.',
      },
      {
        name: 'destination',
        label: 'param_destination',
        size: 1,
        initial: 0,
        meaning: 'The destination field, bits 31:24 of ICR high; shorthands do not look at it.',
      },
    ],
    statuses: [
      {
        code: 'complete',
        meaning: 'All CPUs that fw_cfg declares answered; without a declared number, at least one other did.',
        verdict: 'expected',
      },
      {
        code: 'alone',
        meaning: 'No other CPU answered, and fw_cfg does not say how many there should be.',
        verdict: 'expected',
      },
      {
        code: 'no-local-apic',
        meaning: 'CPUID.1:EDX bit 9 is clear: this machine cannot start another CPU.',
        verdict: 'finding',
      },
      {
        code: 'cpus-missing',
        meaning: 'Fewer CPUs reached long mode than were declared, or than had begun in real mode.',
        verdict: 'finding',
      },
      NO_LONG_MODE,
      FAULT,
    ],
    endsInReset: false,
  },
  {
    name: 'reset-triple-fault',
    title: 'Reset by a triple fault',
    checks: 'Loads an interrupt table of limit 0 in protected mode and executes INT3.',
    load: 'rom',
    image: resetTripleFault,
    labels: resetTripleFaultLabels,
    parameters: [],
    statuses: RESET_STATUSES,
    endsInReset: true,
  },
  {
    name: 'reset-i8042',
    title: 'Reset by the keyboard controller',
    checks: 'Writes the pulse-reset command 0xfe to port 0x64, a way to reset that most PC kernels know.',
    load: 'rom',
    image: resetI8042,
    labels: resetI8042Labels,
    parameters: [],
    statuses: RESET_STATUSES,
    endsInReset: true,
  },
  {
    name: 'reset-cf9',
    title: 'Reset by the reset control register',
    checks: 'Writes 0x2, then 0x6 to port 0xcf9.',
    load: 'rom',
    image: resetCf9,
    labels: resetCf9Labels,
    parameters: [],
    statuses: RESET_STATUSES,
    endsInReset: true,
  },
  {
    name: 'reset-port92',
    title: 'Reset by system control port A',
    checks: 'Raises bit 0 (fast reset) of port 0x92.',
    load: 'rom',
    image: resetPort92,
    labels: resetPort92Labels,
    parameters: [],
    statuses: RESET_STATUSES,
    endsInReset: true,
  },
  {
    name: 'reset-high-memory',
    title: 'Reset after a touch of memory above 4 GiB',
    checks:
      'Writes to chosen pages from 4 GiB on in long mode, then resets the machine through port 0xcf9 or turns it off.',
    load: 'rom',
    image: resetHighMemory,
    labels: resetHighMemoryLabels,
    parameters: [
      {
        name: 'pages',
        label: 'param_pages',
        size: 4,
        initial: 3,
        meaning:
          'Which of the 32 pages from 4 GiB on are written: bit n for the page at 0x100000000 + n * 0x1000.',
      },
      {
        name: 'power_off',
        label: 'param_power_off',
        size: 4,
        initial: 0,
        meaning:
          '0 resets; else the port of the ACPI PM1a control register (0x404 on bhyve), which gets SLP_TYP 5 and SLP_EN.',
      },
    ],
    statuses: [
      ...RESET_STATUSES,
      {
        code: 'no-high-memory',
        meaning: 'The memory map has no RAM from 4 GiB on, so nothing was touched and nothing reset.',
        verdict: 'finding',
      },
      NO_LONG_MODE,
    ],
    endsInReset: true,
  },
  {
    name: 'reset-bios',
    title: 'Warm boot through the BIOS entry point',
    checks: 'Stores the warm boot word 0x1234 at 0x472 and jumps to F000:FFF0, where the firmware starts.',
    needsFirmware: true,
    load: 'rom',
    image: resetBios,
    labels: resetBiosLabels,
    parameters: [],
    statuses: [RESTARTED, FAULT],
    endsInReset: false,
  },
  {
    name: 'rom-write',
    title: 'A write to the boot ROM',
    checks: 'Writes one double word to the ROM below 4 GiB and reads it back.',
    load: 'rom',
    image: romWrite,
    labels: romWriteLabels,
    parameters: [
      {
        name: 'address',
        label: 'param_address',
        size: 4,
        initial: 0xfffffffc,
        meaning: 'Where it writes.',
      },
    ],
    statuses: [
      { code: 'ignored', meaning: 'The write had no effect, as on a ROM.', verdict: 'expected' },
      {
        code: 'changed',
        meaning: 'The ROM’s place holds something else now: it is RAM, or a flash chip took a command.',
        verdict: 'finding',
      },
      FAULT,
      RESTARTED,
    ],
    endsInReset: false,
  },
  {
    name: 'cmos-memory',
    title: 'Memory sizes in CMOS',
    checks: 'Reads the sizes of memory that firmware takes from CMOS where it is given no memory map.',
    load: 'rom',
    image: cmosMemory,
    labels: cmosMemoryLabels,
    parameters: [],
    statuses: [
      { code: 'complete', meaning: 'CMOS tells of memory; the lines have its numbers.', verdict: 'expected' },
      {
        code: 'no-memory-size',
        meaning: 'CMOS tells of no memory from 16 MiB on.',
        verdict: 'finding',
      },
      FAULT,
      RESTARTED,
    ],
    endsInReset: false,
  },
  {
    name: 'linux-reboot-bios',
    title: 'The way Linux reboots through the BIOS',
    checks:
      'Places a real-mode blob at the top of declared low memory as Linux does, and from long mode jumps into it ' +
      'over page tables that map only the first GiB, then down to real mode and F000:FFF0.',
    needsFirmware: true,
    load: 'rom',
    image: linuxRebootBios,
    labels: linuxRebootBiosLabels,
    parameters: [
      {
        name: 'ibt',
        label: 'param_ibt',
        size: 1,
        initial: 0,
        meaning: 'Indirect-branch tracking (CR4.CET with ENDBR_EN in IA32_S_CET): 0 off, 1 on.',
      },
      {
        name: 'blob',
        label: 'param_blob',
        size: 1,
        initial: 0,
        meaning:
          'The blob at the jump: 0 intact, 1 its code page is zeros, 2 all of it is, page table included.',
      },
      {
        name: 'pti',
        label: 'param_pti',
        size: 1,
        initial: 0,
        meaning:
          'Page-table isolation: 1 lets the handler of the double fault clear bit 12 of CR3, by which Linux tells a user’s page table.',
      },
      {
        name: 'stack',
        label: 'param_stack',
        size: 4,
        initial: 0x405ebb78,
        meaning: 'The low half of RSP at the jump; from 0x40000000 on it lies outside the blob’s page table.',
      },
    ],
    statuses: [
      RESTARTED,
      {
        code: 'double-fault',
        meaning:
          'A fault at the jump’s target could not be delivered, because its frame could not be pushed: the handler of ' +
          'the double fault, on a stack of its own, reports the state.',
        verdict: 'finding',
      },
      {
        code: 'no-ibt',
        meaning: 'Tracking was asked for and CPUID.7:EDX bit 20 does not offer it.',
        verdict: 'finding',
      },
      {
        code: 'no-low-memory',
        meaning: 'The memory map has no room for the blob below 1 MiB.',
        verdict: 'finding',
      },
      NO_LONG_MODE,
      FAULT,
    ],
    endsInReset: false,
  },
  {
    name: 'early-panic',
    title: 'A kernel that panics before a virtio console is up',
    checks:
      'Reads reboot=, panic=, console=, earlyprintk= and earlycon= of its command line as Linux does, writes its panic ' +
      'to the consoles that are up at that point, and reboots as it is told.',
    load: 'elf',
    image: earlyPanic,
    labels: earlyPanicLabels,
    parameters: [
      {
        name: 'when',
        label: 'param_when',
        size: 1,
        initial: 0,
        meaning:
          'When it panics: 0 before console_init, with boot consoles only; 1 behind it, when console=ttyS is up too.',
      },
    ],
    statuses: [
      {
        code: 'waits',
        meaning:
          'panic= is 0 or not given, so Linux stays in its panic loop and does not reboot; the probe halts there.',
        verdict: 'expected',
      },
      {
        code: 'no-command-line',
        meaning:
          'Neither boot_params of Linux nor PVH’s start information came with the kernel, so it has no command line.',
        verdict: 'finding',
      },
    ],
    endsInReset: true,
  },
  {
    name: 'kernel-triple-fault',
    title: 'An exception before a kernel has an interrupt table',
    checks:
      'Raises #UD with the interrupt table that the VMM left, which has no gate for it: a triple fault, at a point where no ' +
      'guest can say anything of it.',
    load: 'elf',
    image: kernelTripleFault,
    labels: kernelTripleFaultLabels,
    parameters: [],
    statuses: [STILL_RUNNING],
    endsInReset: true,
  },
  {
    name: 'mp-table',
    title: 'The MP table, and what the memory map says of its place',
    checks:
      'Looks for the floating pointer "_MP_" in an EBDA, from 639 to 640 KiB and from 0xf0000 on, as kernels do, and for the ' +
      'entry of the memory map that its address is in.',
    load: 'elf',
    image: mpTable,
    labels: mpTableLabels,
    parameters: [],
    statuses: [
      {
        code: 'reserved',
        meaning: 'There is an MP table, and the memory map keeps its place from other use.',
        verdict: 'expected',
      },
      {
        code: 'outside-map',
        meaning:
          'There is an MP table where the memory map has no entry: a kernel that looks only in memory that it was told of does not find it.',
        verdict: 'finding',
      },
      {
        code: 'in-ram',
        meaning:
          'There is an MP table in memory that the map calls usable: a kernel that does not look for it first may write over it.',
        verdict: 'finding',
      },
      {
        code: 'no-table',
        meaning: 'There is no MP table: a kernel without ACPI knows one processor and no IOAPIC.',
        verdict: 'finding',
      },
      {
        code: 'no-memory-map',
        meaning: 'The VMM gave no memory map in boot parameters or start info.',
        verdict: 'finding',
      },
    ],
    endsInReset: false,
  },
  {
    name: 'openbsd-locore',
    title: 'The way of an OpenBSD/amd64 kernel to 64-bit mode',
    image: openbsdLocore,
    labels: openbsdLocoreLabels,
    ...LOCORE,
  },
  {
    name: 'openbsd-locore-elf32',
    title: 'The way of an OpenBSD/amd64 kernel to 64-bit mode, from an ELF32 file',
    image: openbsdLocoreElf32,
    labels: openbsdLocoreElf32Labels,
    ...LOCORE,
  },
  {
    name: 'unanswered-read',
    title: 'A read where no device is',
    checks:
      'Reads 0xf9000000, where VMMs have room for devices and none is, after text on the serial port and again after a ' +
      'write to another address.',
    load: 'elf',
    image: unansweredRead,
    labels: unansweredReadLabels,
    parameters: [],
    statuses: [
      {
        code: 'all-ones',
        meaning: 'Both reads give all ones, as a bus without an answer does.',
        verdict: 'expected',
      },
      { code: 'zero', meaning: 'Both reads give zero.', verdict: 'expected' },
      {
        code: 'other',
        meaning: 'Both reads give the same value, neither zero nor all ones.',
        verdict: 'finding',
      },
      {
        code: 'leftover',
        meaning: 'The reads differ though nothing is there: what was written elsewhere comes back.',
        verdict: 'finding',
      },
    ],
    endsInReset: false,
  },
  {
    name: 'physical-widths',
    title: 'How wide CPUID says that physical addresses are',
    checks:
      'Compares PhysAddrSize with GuestPhysAddrSize (CPUID 0x80000008 EAX 7:0 and 23:16), either of which guests take for the ' +
      'end of the addresses that they may give to devices.',
    load: 'elf',
    image: physicalWidths,
    labels: physicalWidthsLabels,
    parameters: [],
    statuses: [
      {
        code: 'equal',
        meaning: 'GuestPhysAddrSize is PhysAddrSize, or 0, which means the same.',
        verdict: 'expected',
      },
      {
        code: 'guest-wider',
        meaning:
          'GuestPhysAddrSize is the larger one: a guest that goes by it may give a device an address that no device can have.',
        verdict: 'finding',
      },
      {
        code: 'not-told',
        meaning: 'CPUID ends before leaf 0x80000008, so a guest takes 36 bits.',
        verdict: 'finding',
      },
    ],
    endsInReset: false,
  },
];

/** The probe of that name, or null. */
export const probeNamed = (name: string): Probe | null => PROBES.find((probe) => probe.name === name) ?? null;
