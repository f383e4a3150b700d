/** A VM of vmd with the power off: its memory, its devices and what vmd does with every exit. */
import { formatRange, formatSize, hex } from '../../address/format';
import { contains, GIB, MIB, PAGE } from '../../address/range';
import { AcpiPm } from '../../devices/acpiPm';
import type { Device } from '../../devices/device';
import { FW_CFG_ID, FW_CFG_NOGRAPHIC, FW_CFG_SIGNATURE, FwCfg } from '../../devices/fwCfg';
import { I8254 } from '../../devices/i8254';
import { I8259Pair } from '../../devices/i8259';
import { Ioapic82093aa } from '../../devices/ioapic82093aa';
import { Mc146818 } from '../../devices/mc146818';
import { PciConfig1, pciFunction } from '../../devices/pciConfig1';
import { SystemPort61 } from '../../devices/systemPort61';
import { Uart16550 } from '../../devices/uart16550';
import type { Core } from '../../../emulator/face';
import { isElf, parseElf } from '../../machine/image/elf';
import type { Region } from '../../machine/machine';
import { e820Bytes } from '../e820';
import { ramSlots } from '../backedMemory';
import type { Board, BoardInputs } from '../model';
import { EPOCH } from '../epoch';
import { acpiPlace, IOAPIC_BASE, writeAcpiTables } from './acpiTables';
import { FLAT16 } from './bootState';
import { vmdCpuProfile } from './cpuProfile';
import { toldMap } from './e820';
import { bootElf } from './elfBoot';
import {
  notModelled,
  restartLimit,
  screenPort,
  tripleFault,
  unansweredMmio,
  unansweredPort,
  vmdBehaviour,
  type VmdBehaviour,
} from './exits';
import { loadFirmware } from './firmwareLoad';
import { VmdMsrs } from './msrs';
import { createMemoryMap, largestMemory } from './layout';
import { NEWEST_VMD, vmdVersion, type VmdVersion } from './versions';

/** Size of CMOS: an index from here on selects register D (mc146818.c, NVRAM_SIZE). */
const NVRAM_SIZE = 0x60;

/** ACPI PM ports and masks (acpi.h of rev 1.27, acpi.c rev 1.3). */
const PM = {
  place: () => ({ event: 0xb000, control: 0xb008, timer: 0xb00c }),
  timerBits: 24,
  sci: null,
  s5: 5,
  enableMask: 0x4721,
  controlMask: 0x3c07,
  controlReset: 1,
} as const;

export function vmdBoard(inputs: BoardInputs): Board {
  const { machine } = inputs;
  const version = vmdVersion(inputs.version) ?? NEWEST_VMD;
  const behaviour = vmdBehaviour(version.id);
  const { facts } = version;
  const bootDevice = machine.bootDevice?.value ?? null;
  const limit = restartLimit(behaviour);
  const msrs = new VmdMsrs();
  const pic = new I8259Pair((up) => inputs.setInterruptLine(up));
  const ioapic = behaviour.apic
    ? new Ioapic82093aa({
        base: IOAPIC_BASE,
        size: 0x10000n,
        id: machine.vcpus.value + 1,
        deliver: (...message) => inputs.deliver(...message),
      })
    : null;
  const devices = createDevices(inputs, version, behaviour, pic, ioapic);
  return {
    profile: vmdCpuProfile({
      localApic: behaviour.apic,
      x2apic: behaviour.x2apic,
      ibt: behaviour.ibt,
      cpu: inputs.cpu,
    }),
    // The reserved ranges are memory too, since guests write to 0xB8000 without asking; a boot ROM is RAM to vmd.
    slots: ramSlots(
      machine.regions.filter(({ kind }) => kind !== 'mmio' && kind !== 'hole').map(({ range }) => range),
    ),
    devices: [...devices, msrs],
    consoleInput: devices.find((device) => device instanceof Uart16550),
    screenPort: (access) => screenPort(behaviour, bootDevice, access),
    unansweredPort,
    unansweredMmio: (access) => unansweredMmio(behaviour, facts.mmio, access),
    acknowledge: () => pic.acknowledge(),
    ...(ioapic ? { endOfInterrupt: (vector: number) => ioapic.endOfInterrupt(vector) } : {}),
    readMsr: (index) => msrs.read(index),
    writeMsr: (index, value) => msrs.write(index, value),
    tripleFault: () => tripleFault(behaviour, bootDevice),
    ...(limit ? { restartLimit: limit } : {}),
    powerOn: (core) => powerOn(core, inputs, version, behaviour),
    notModelled: notModelled(behaviour, inputs),
  };
}

function createDevices(
  inputs: BoardInputs,
  version: VmdVersion,
  behaviour: VmdBehaviour,
  pic: I8259Pair,
  ioapic: Ioapic82093aa | null,
): Device[] {
  const { clock, machine } = inputs;
  // With an IOAPIC each line goes to both controllers, IRQ n to input n.
  const line = (irq: number) => (level: boolean) => {
    pic.setLine(irq, level);
    ioapic?.setLine(irq, level);
  };
  const timer = new I8254(clock, line(0), { restartsOnCount: true });
  const devices: Device[] = [
    pic,
    timer,
    new SystemPort61(clock, timer, { writable: false }),
    new Mc146818(clock, line(8), {
      size: NVRAM_SIZE,
      beyond: 0x0d,
      memory: nvramMemory(machine.regions),
      century: 0x32,
      epoch: EPOCH,
      indexReads: true,
      periodicOnly: true,
    }),
    new Uart16550(line(4), {
      base: 0x3f8,
      fifo: false,
      out2Gate: false,
      transmit: (text) => inputs.console(text),
    }),
    new PciConfig1([pciFunction(0, 0, 0, HOST_BRIDGE)]),
  ];
  if (behaviour.fwCfg) devices.push(firmwareConfiguration(inputs, version));
  if (ioapic) devices.push(ioapic);
  if (behaviour.apic) {
    const powerOff = () =>
      inputs.request({
        kind: 'shutdown',
        reason: 'PM1 control got SLP_EN with the sleep type of S5, and vmd shuts the VM down',
      });
    devices.push(new AcpiPm(clock, { ...PM, powerOff }));
  }
  return devices;
}

/** PCI_VENDOR_OPENBSD, PCI_PRODUCT_OPENBSD_PCHB (pci.c, pci_init). */
const HOST_BRIDGE = {
  vendor: 0x0b5d,
  device: 0x0666,
  classCode: 0x060000,
  subsystemVendor: 0x0b5d,
  subsystem: 0,
};

/** Memory sizes as mc146818_init puts them: 64 KiB units above 16 MiB and above 4 GiB. */
function nvramMemory(regions: readonly Region[]): Record<number, number> {
  const at = (start: bigint) => {
    const found = regions.find(({ range, kind }) => kind === 'ram' && contains(range, start));
    return found ? found.range.end - start : 0n;
  };
  const above1m = at(MIB);
  const low = Number((above1m > 15n * MIB ? above1m - 15n * MIB : 0n) / 65536n);
  const high = Number(at(4n * GIB) / 65536n);
  return {
    0x34: low & 0xff,
    0x35: (low >> 8) & 0xff,
    0x5b: high & 0xff,
    0x5c: (high >> 8) & 0xff,
    0x5d: (high >> 16) & 0xff,
    0x5f: 0,
  };
}

function firmwareConfiguration(inputs: BoardInputs, version: VmdVersion): FwCfg {
  const items = new Map([
    [FW_CFG_SIGNATURE, new TextEncoder().encode('QEMU')],
    [FW_CFG_ID, Uint8Array.of(3, 0, 0, 0)],
    [FW_CFG_NOGRAPHIC, Uint8Array.of(1, 0)],
  ]);
  const files: { name: string; bytes: Uint8Array }[] = [
    { name: 'etc/screen-and-debug', bytes: Uint8Array.of(inputs.observed ? 1 : 0, 0, 0, 0) },
  ];
  const map = toldMap(inputs.machine, version, 'bios');
  if (map) files.unshift({ name: 'etc/e820', bytes: e820Bytes(map.entries) });
  return new FwCfg({
    items,
    files,
    readMemory: (address, length) => inputs.readMemory(address, length),
    writeMemory: (address, bytes) => inputs.writeMemory(address, bytes),
  });
}

/** What vm_create_check_mem_ranges refuses before vmd loads anything (sys/dev/vmm/vmm.c rev 1.6; alike since 2016). */
function refusedMap(version: VmdVersion, memory: bigint): string | null {
  const ranges = createMemoryMap(version, memory);
  if (ranges.length === 0)
    return 'with no memory there is no range, and vmm(4) refuses such a VM with EINVAL';
  const odd = ranges.find(({ range }) => range.start % PAGE !== 0n || range.end % PAGE !== 0n);
  return odd
    ? `its ${odd.name} would be ${formatRange(odd.range)}: vmm(4) takes page-aligned ranges only and refuses the VM with EINVAL`
    : null;
}

function powerOn(
  core: Core,
  inputs: BoardInputs,
  version: VmdVersion,
  behaviour: VmdBehaviour,
): string | null {
  const { facts } = version;
  const { machine } = inputs;
  const memory = machine.memory?.value;
  if (machine.regions.length === 0 && memory === undefined) {
    return 'its config gives no memory size that this vmd takes';
  }
  // A memory map says where RAM is, not how much was asked for.
  if (memory !== undefined && memory > largestMemory(version)) {
    const end = createMemoryMap(version, memory).at(-1)?.range.end;
    if (end === undefined)
      return `its ${formatSize(memory)} are more than this vmm(4) takes, ${formatSize(facts.maxMemory)}`;
    return `its memory map would end at ${hex(end)}, and vmm(4) refuses addresses beyond ${formatSize(facts.maxMemory)}`;
  }
  const refused = memory === undefined ? null : refusedMap(version, memory);
  if (refused) return refused;
  const write = (address: bigint, bytes: Uint8Array) => bytes.length === 0 || core.write(address, bytes);
  if (behaviour.apic) writeAcpiTables(inputs.machine.vcpus.value, acpiPlace(facts), write);
  let state = FLAT16;
  if (inputs.kernel && isElf(inputs.kernel)) {
    const elf = parseElf(inputs.kernel);
    if ('problem' in elf) return `the kernel cannot be loaded: ${elf.problem}`;
    const map = toldMap(machine, version, 'elf');
    const booted = bootElf(elf, map?.entries ?? [], behaviour, write);
    if (typeof booted === 'string') return booted;
    state = booted;
  } else {
    // vmd takes a `boot` file that is no ELF for a BIOS image.
    const image = inputs.kernel ?? inputs.firmware;
    if (!image) return 'vmd has neither a kernel nor a BIOS image to start';
    const wrong = loadFirmware(image, facts, behaviour, write);
    if (wrong) return wrong;
  }
  core.setState(0, state);
  core.setActivity(0, 'running');
  for (let vcpu = 1; vcpu < core.vcpus; vcpu++) {
    const code = { ...FLAT16.segments.cs, selector: 0, base: 0n };
    core.setState(vcpu, { ...FLAT16, rip: 0n, segments: { ...FLAT16.segments, cs: code } });
    core.setActivity(vcpu, 'wait-for-sipi');
  }
  return null;
}
