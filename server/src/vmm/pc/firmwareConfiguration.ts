/** What the plain PC's fw_cfg device holds: memory, vCPUs, and for a BIOS the disk that it boots. */
import {
  FW_CFG_FILE_FIRST,
  FW_CFG_ID,
  FW_CFG_NOGRAPHIC,
  FW_CFG_SIGNATURE,
  FwCfg,
  type FwCfgFile,
} from '../../devices/fwCfg';
import { loaderFiles } from '../acpi/loaderScript';
import { e820Bytes } from '../e820';
import { protocolFor } from '../loaders/protocols';
import type { BoardInputs, OptionRom } from '../model';
import { pcAcpiTables } from './acpiTables';
import type { BiosDisk } from './bios/bios';
import { diskGeometry } from './bios/diskGeometry';
import { firmwareKernel } from './firmwareKernel';
import { pcInstalled, pcMemory, pcMemoryMap } from './layout';
import { PM_BASE } from './powerManagement';

const RAM_SIZE = 0x0003;
const NB_CPUS = 0x0005;
const MAX_CPUS = 0x000f;

/** `pmBase`: where the guest has put the power management registers, of which the ACPI tables tell. */
export function firmwareConfiguration(
  inputs: BoardInputs,
  memory: bigint,
  pmBase: () => number | null,
): FwCfg {
  const vcpus = inputs.machine.vcpus.value;
  const size = new Uint8Array(8);
  new DataView(size.buffer).setBigUint64(0, memory, true);
  return new FwCfg({
    items: new Map([
      [FW_CFG_SIGNATURE, new TextEncoder().encode('QEMU')],
      [FW_CFG_ID, Uint8Array.of(3, 0, 0, 0)],
      [RAM_SIZE, size],
      [FW_CFG_NOGRAPHIC, Uint8Array.of(1, 0)],
      [NB_CPUS, Uint8Array.of(vcpus, 0)],
      [MAX_CPUS, Uint8Array.of(vcpus, 0)],
      ...kernelItems(inputs, memory),
    ]),
    files: files(inputs, memory, pmBase),
    readMemory: (address, length) => inputs.readMemory(address, length),
    writeMemory: (address, bytes) => inputs.writeMemory(address, bytes),
  });
}

/** The disk for the own BIOS, in the first file; null where the image is none. */
export function biosDisk({ firmware, kernel, boot }: BoardInputs): BiosDisk | null {
  if (firmware || !kernel || !boot) return null;
  if (protocolFor(kernel, boot.protocol)?.needsDisk !== true) return null;
  return { selector: FW_CFG_FILE_FIRST, geometry: diskGeometry(kernel.length) };
}

/** A kernel for the firmware. One that cannot be handed over keeps the machine from starting, so nobody misses it here. */
function kernelItems({ firmware, kernel, boot }: BoardInputs, memory: bigint) {
  if (!firmware || !kernel || !boot) return [];
  const items = firmwareKernel(kernel, boot, pcMemory(memory).lowEnd);
  return 'problem' in items ? [] : [...items];
}

function files(inputs: BoardInputs, memory: bigint, pmBase: () => number | null): FwCfgFile[] {
  const map = inputs.firmware ? pcInstalled(memory) : pcMemoryMap(memory);
  const always = [
    { name: 'etc/e820', bytes: e820Bytes(map) },
    // Milliseconds until a reset where nothing boots; all ones: never.
    { name: 'etc/boot-fail-wait', bytes: Uint8Array.of(0xff, 0xff, 0xff, 0xff) },
    ...acpiFiles(inputs.machine.vcpus.value, memory, pmBase),
  ];
  if (biosDisk(inputs)) return [{ name: 'opt/bootpath/disk', bytes: inputs.kernel! }, ...always];
  const rom = inputs.firmware && inputs.boot?.optionRom;
  return rom ? [...always, ...optionRomFiles(rom)] : always;
}

/** Where SeaBIOS looks for ROMs of no device. */
export function optionRomFile(name: string): string {
  return `genroms/${name}`;
}

/** The ROM, and its place in SeaBIOS's order of what to boot: first. */
function optionRomFiles({ name, bytes }: OptionRom): FwCfgFile[] {
  return [
    { name: optionRomFile(name), bytes },
    { name: 'bootorder', bytes: new TextEncoder().encode(`/rom@${optionRomFile(name)}\0`) },
  ];
}

/** A firmware reads them after it has set the chip set up, and only then they say where the registers are. */
function acpiFiles(vcpus: number, memory: bigint, pmBase: () => number | null): FwCfgFile[] {
  const files = () => loaderFiles(pcAcpiTables({ vcpus, memory, pmBase: pmBase() ?? PM_BASE }));
  return files().map(({ name, bytes }, index) => ({
    name,
    bytes,
    whenSelected: () => files()[index]!.bytes,
  }));
}
