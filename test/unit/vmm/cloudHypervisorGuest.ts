/** Guests of Cloud Hypervisor for its tests: read from JSON, and powered on with a core that runs a script. */
import type { Core, CoreOptions } from '../../../server/emulator/face';
import type { Machine } from '../../../server/src/machine/machine';
import type { BootReport } from '../../../server/src/simulation/report';
import { simulate } from '../../../server/src/simulation/simulate';
import { SourceText } from '../../../server/src/text/sourceText';
import { parseCloudHypervisor } from '../../../server/src/vmm/cloud-hypervisor/document';
import { CLOUD_HYPERVISOR } from '../../../server/src/vmm/cloud-hypervisor/model';
import type { CpuidFeatureName } from '../../../server/src/x86/cpuid/features';
import type { CpuVendor } from '../../../server/src/x86/cpuid/answers';
import { noteBytes, noteFile, number } from '../image/noteFile';
import { HandClock } from '../devices/clock';
import { ScriptedCore, type Program } from '../simulation/scriptedCore';

export const MIB = 1n << 20n;
export const GIB = 1n << 30n;

/** The machine of a config that is written as an object; `version` as after `--as cloud-hypervisor@`. */
export function guestOf(version: string, config: object): Machine {
  const text = JSON.stringify(config, null, 2);
  const choice = { vmm: 'cloud-hypervisor', version };
  const document = parseCloudHypervisor(new SourceText('file:///vm.json', text), {
    files: new Map(),
    choice,
  });
  return document.machines[0]!;
}

export function sized(version: string, size: bigint, vcpus = 1): Machine {
  return guestOf(version, {
    cpus: { boot_vcpus: vcpus, max_vcpus: vcpus },
    memory: { size: Number(size) },
    payload: { kernel: '/vmlinux', cmdline: 'console=ttyS0' },
    serial: { mode: 'Tty' },
  });
}

/** XEN_ELFNOTE_PHYS32_ENTRY at 1 MiB, where `noteFile` has its code. */
export const PVH_KERNEL = noteFile(noteBytes([{ owner: 'Xen', type: 18, descriptor: number(0x100000n, 4) }]));

export interface PoweredOn {
  readonly report: BootReport;
  readonly core: ScriptedCore;
}

export interface Asked {
  readonly kernel?: Uint8Array | null;
  readonly firmware?: Uint8Array | null;
  readonly initrd?: Uint8Array | null;
  readonly vendor?: CpuVendor;
  readonly added?: readonly CpuidFeatureName[];
  readonly program?: Program;
}

/** Powers a machine on with a PVH kernel where nothing else is asked for, and runs the program. */
export function powerOn(machine: Machine, asked: Asked = {}): PoweredOn {
  const { firmware = null, initrd = null, vendor = 'intel', added = [], program = function* () {} } = asked;
  const kernel = asked.kernel === undefined ? (firmware ? null : PVH_KERNEL) : asked.kernel;
  let core: ScriptedCore | null = null;
  const report = simulate(
    machine,
    CLOUD_HYPERVISOR,
    machine.version!,
    {
      machine: null,
      firmware,
      kernel,
      initrd,
      cpu: { vendor, added, removed: [] },
      probe: null,
      taps: [],
      maxInstructions: 1000,
      reboots: 0,
    },
    {
      createCore: (options: CoreOptions): Core => (core = new ScriptedCore(options, program)),
      cancelled: () => false,
      progress: () => undefined,
    },
  );
  return { report, core: core as unknown as ScriptedCore };
}

/** What the model puts in place, for machines with more vCPUs than the emulator runs. */
export function placed(machine: Machine): { core: ScriptedCore; problem: string | null } {
  const board = CLOUD_HYPERVISOR.board({
    machine,
    version: machine.version!,
    clock: new HandClock(),
    ...{ firmware: null, kernel: PVH_KERNEL, initrd: null, cpu: null, boot: null, observed: false },
    ...{
      console: () => undefined,
      debugLog: () => undefined,
      setInterruptLine: () => undefined,
      setA20: () => undefined,
    },
    ...{ deliver: () => false, readMemory: () => null, writeMemory: () => false },
    ...{ portsMoved: () => undefined, request: () => undefined },
  });
  const bus = {} as CoreOptions['bus'];
  const core = new ScriptedCore({ vcpus: machine.vcpus.value, profile: board.profile, bus }, function* () {});
  for (const { start, end, kind } of board.slots) core.map(start, end, kind);
  return { core, problem: board.powerOn(core) };
}

/** What lies in guest memory. */
const view = (core: ScriptedCore, at: bigint, length: number) =>
  new DataView(core.read(at, length)!.slice().buffer);
export const u16 = (core: ScriptedCore, at: bigint) => view(core, at, 2).getUint16(0, true);
export const u32 = (core: ScriptedCore, at: bigint) => view(core, at, 4).getUint32(0, true);
export const u64 = (core: ScriptedCore, at: bigint) => view(core, at, 8).getBigUint64(0, true);
export const text = (core: ScriptedCore, at: bigint, length: number) =>
  Buffer.from(core.read(at, length)!).toString('latin1');
export const sum = (bytes: Uint8Array) => bytes.reduce((total, byte) => (total + byte) & 0xff, 0);
