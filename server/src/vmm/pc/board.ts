/** The plain PC with the power off: its chips, its memory, and the loader that stands in for a firmware. */
import type { Core } from '../../../emulator/face';
import { checkPcRom } from '../../machine/image/rom';
import type { WriteMemory } from '../loaders/loader';
import { protocolFor } from '../loaders/protocols';
import type { Board, BoardInputs, DirectBoot, MmioAccess, PortAccess, Verdict } from '../model';
import { placeTables } from '../acpi/place';
import { allOnes } from '../../devices/openBus';
import { pcAcpiTables } from './acpiTables';
import { writeBios } from './bios/bios';
import { pcChips } from './chips';
import { pcCpuProfile } from './cpuProfile';
import { biosDisk } from './firmwareConfiguration';
import { firmwareKernel } from './firmwareKernel';
import { loadRom, romRange } from './firmwareRom';
import { BIOS_SEGMENT, EBDA, isRam, pcMemory, pcMemoryMap, pcRam, VIDEO_MEMORY } from './layout';
import { PcMsrs } from './msrs';
import { PM_BASE } from './powerManagement';

/** In the BIOS segment, where operating systems look for the RSDP. */
const ACPI_PLACE = { rsdp: BIOS_SEGMENT.start, tables: BIOS_SEGMENT.start + 0x100n } as const;
const IA32_MTRR_DEF_TYPE = 0x2ff;
/**
 * MTRRs on, and all memory write back: what VMMs that boot kernels directly give each vCPU (Cloud Hypervisor's and Firecracker's
 * boot MSRs), in the place of the ranges that a firmware would set. INIT leaves it (SDM vol. 3, table 9-1).
 */
const MTRRS_WRITE_BACK = 0x806n;
const PLAIN_CPU = { vendor: 'intel', added: [], removed: [] } as const;

export function pcBoard(inputs: BoardInputs): Board {
  const memory = inputs.machine.memory?.value ?? 0n;
  const cpu = inputs.cpu ?? PLAIN_CPU;
  const msrs = new PcMsrs(cpu.vendor);
  const { pic, ioapic, console, devices } = pcChips(inputs, memory);
  return {
    profile: pcCpuProfile(cpu, inputs.machine.vcpus.value),
    slots: slots(inputs, memory),
    devices: [...devices, msrs],
    consoleInput: console,
    isaBus: true,
    unansweredPort: ({ size }: PortAccess): Verdict => openBus(size),
    unansweredMmio: ({ size }: MmioAccess): Verdict => openBus(size),
    virtualWire: true,
    acknowledge: () => pic.acknowledge(),
    readMsr: (index, vcpu) => msrs.read(index, vcpu),
    writeMsr: (index, value, vcpu) => msrs.write(index, value, vcpu),
    endOfInterrupt: (vector) => ioapic.endOfInterrupt(vector),
    tripleFault: () => ({ kind: 'reset', reason: 'a triple fault resets a PC' }),
    powerOn: (core) => powerOn(core, inputs, memory),
    notModelled: [...bootGaps(inputs), ...NOT_MODELLED],
  };
}

function slots({ firmware }: BoardInputs, memory: bigint): Board['slots'] {
  const ram = [VIDEO_MEMORY, ...pcRam(memory)].map((range) => ({ ...range, kind: 'ram' as const }));
  return firmware && !checkPcRom(firmware) ? [...ram, { ...romRange(firmware), kind: 'rom' as const }] : ram;
}

const LOADER_GAPS =
  'firmware: the loader writes ACPI tables, a BIOS data area and the structures of the boot protocol; the BIOS is a small one of its own, which refuses what it does not do (CF=1, AH=0x86), and its disk cannot be written';
const FIRMWARE_GAPS =
  'what the PAM registers switch: 0xC0000 to 0xFFFFF is RAM from the start, with the end of the ROM in it; option ROMs of devices; writes to flash (CFI commands), so that OVMF keeps no variables';

/** Nothing of both where a captured machine goes on. */
function bootGaps({ firmware, kernel }: BoardInputs): string[] {
  return firmware ? [FIRMWARE_GAPS] : kernel ? [LOADER_GAPS] : [];
}

const NOT_MODELLED = [
  'a VGA: 0xA0000 to 0xBFFFF is RAM, of which the report shows the 80 x 25 characters at 0xB8000 as they stand at the end',
  'DMA controllers, IDE, floppy, a second serial port and every PCI device but the host bridge and the PIIX’s ISA bridge and power management',
  'HPET interrupts as messages; a watchdog; waking from S3; the SMBus, general-purpose events and device traps of the PIIX4',
  'caches and memory types, what IA32_MISC_ENABLE switches and AMD’s performance counters count: MTRRs, PAT and these MSRs only keep what is written',
  'SMM: an SMI does nothing; thermal and performance interrupts; effects of store buffers between vCPUs',
];

function openBus(size: number): Verdict {
  return { kind: 'answer', value: allOnes(size) };
}

function startFirmware(
  firmware: Uint8Array,
  inputs: BoardInputs,
  memory: bigint,
  write: WriteMemory,
): string | null {
  const wrong = loadRom(firmware, write);
  if (wrong || !inputs.kernel) return wrong;
  const items = firmwareKernel(inputs.kernel, bootOf(inputs), pcMemory(memory).lowEnd);
  return 'problem' in items ? `the kernel cannot be handed to the firmware: ${items.problem}` : null;
}

/** How a kernel of a config is booted: by the first protocol that knows it, with the config's command line. */
function bootOf({ boot, machine, initrd }: BoardInputs): DirectBoot {
  return (
    boot ?? {
      protocol: null,
      imageName: 'kernel',
      commandLine: machine.commandLine?.value ?? '',
      modules: initrd ? [{ bytes: initrd, commandLine: 'initrd' }] : [],
    }
  );
}

function powerOn(core: Core, inputs: BoardInputs, memory: bigint): string | null {
  const { kernel, firmware } = inputs;
  if (memory <= 0n) return 'no memory size is given, and the plain PC lays its memory out by that';
  const boot = bootOf(inputs);
  const write = (address: bigint, bytes: Uint8Array) => bytes.length === 0 || core.write(address, bytes);
  // The vCPU is as RESET leaves it, at the ROM's reset vector.
  if (firmware) return startFirmware(firmware, inputs, memory, write);
  if (!kernel) return 'the plain PC has no firmware of its own and was given no image';
  const protocol = protocolFor(kernel, boot.protocol);
  if (!protocol) {
    const what = boot.protocol === null ? 'no known kind' : `no kind for the boot protocol ${boot.protocol}`;
    return `the image cannot be loaded: it is of ${what}`;
  }
  writeBios(memory, biosDisk(inputs), write);
  const vcpus = inputs.machine.vcpus.value;
  placeTables(pcAcpiTables({ vcpus, memory, pmBase: PM_BASE }), ACPI_PLACE, write);
  const state = protocol.load(kernel, boot, {
    memoryMap: pcMemoryMap(memory),
    lowEnd: pcMemory(memory).lowEnd,
    conventionalEnd: EBDA.start,
    rsdp: ACPI_PLACE.rsdp,
    isRam: (range) => isRam(range, memory),
    write,
    read: (address, length) => core.read(address, length),
  });
  if ('problem' in state) return `the image cannot be loaded: ${state.problem}`;
  core.setState(0, state);
  for (let vcpu = 0; vcpu < core.vcpus; vcpu++) core.setMsr(vcpu, IA32_MTRR_DEF_TYPE, MTRRS_WRITE_BACK);
  core.enterVirtualWireMode();
  return null;
}
