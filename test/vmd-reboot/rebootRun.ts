/**
 * A real SeaBIOS and a real Linux kernel under the vmd model, rebooted through the BIOS. vmd has nothing that this SeaBIOS could
 * load a kernel from (its disks are virtio, which is not modelled), so the boot loader is ours: once SeaBIOS has no device to boot,
 * the bzImage is put into memory as a boot loader of the 16-bit protocol does, and its own setup code asks SeaBIOS for the memory
 * map. From there on nothing is done to the guest.
 */
import { createCore } from '../../server/emulator/core';
import type { Core, FaultRecord } from '../../server/emulator/face';
import type { Machine } from '../../server/src/machine/machine';
import { nestedFaults } from '../../server/src/simulation/faultPlace';
import { PoweredMachine } from '../../server/src/simulation/poweredMachine';
import { Recorder } from '../../server/src/simulation/recorder';
import { run, type Ending } from '../../server/src/simulation/runLoop';
import { LINUX_16 } from '../../server/src/vmm/loaders/linux';
import { VMD } from '../../server/src/vmm/vmd/model';
import { exceptionName } from '../../server/src/x86/exceptions';
import type { VcpuState } from '../../server/src/x86/state';
import { vmdMachine } from '../unit/simulation/vmdMachine';

interface RebootOptions {
  readonly version: string;
  readonly firmware: Uint8Array;
  readonly kernel: Uint8Array;
  readonly commandLine: string;
  progress(text: string): void;
}

interface RebootRun {
  readonly version: string;
  readonly commandLine: string;
  /** What the kernel said that SeaBIOS told it, and the release. */
  readonly release: string;
  readonly memoryMap: readonly string[];
  /** Of the BIOS data area when the kernel was loaded: KiB of base memory, address of the EBDA. */
  readonly baseMemoryKib: number;
  readonly ebda: number;
  /** Where the restart code lay before the jump, and its first bytes; null where its known beginning is not in the first MiB. */
  readonly restartCode: { readonly address: number; readonly bytes: string } | null;
  readonly cr4BeforeJump: bigint;
  /** Where it went round without an end, until its translations were taken away; null where it did not. */
  readonly loop: VcpuState | null;
  readonly ended: string;
  readonly faults: readonly FaultRecord[];
  readonly state: VcpuState;
  /** What the guest wrote after "Rebooting in". */
  readonly lastWords: string;
  readonly firmwareAfter: string;
  readonly instructions: number;
}

/** `mov $0x18,%eax; mov %eax,%ds; lgdtl` of arch/x86/realmode/rm/reboot.S. */
const RESTART_CODE = Uint8Array.of(0xb8, 0x18, 0, 0, 0, 0x8e, 0xd8, 0x0f, 0x01, 0x15);
const MIB = 0x100000;
/** Instructions for the BIOS and for Linux, and for the way down, of which Linux waits 1 s away. */
const BUDGET = 5_000_000_000;
const WAY_DOWN = 1_600_000_000;

/** 2 GiB: more than the first GiB, which is all that the trampoline page table maps. Throws where the guest does not come so far. */
export function rebootUnder(options: RebootOptions): RebootRun {
  const { version, firmware, kernel, commandLine } = options;
  const machine = vmdMachine(version, '2G');
  const recorder = new Recorder('No bootable device');
  // A panic is what leads to the reboot here: it must not end the run.
  Object.defineProperty(recorder, 'panic', { get: () => null, set: () => undefined });
  const powered = new PoweredMachine(
    {
      machine,
      model: VMD,
      version,
      firmware,
      kernel: null,
      taps: [0x402],
      passOver: true,
      createCore,
    },
    recorder,
  );
  if (powered.problem !== null) throw new Error(powered.problem);
  const go = (budget = BUDGET): Ending =>
    run(powered, recorder, {
      maxInstructions: powered.core.instructions + budget,
      idleSeconds: 30,
      cancelled: () => false,
      progress: () => options.progress(recorder.console.lastLine),
    });
  const until = (text: string, budget = BUDGET): Ending => {
    (recorder as { awaited: readonly unknown[] }).awaited = new Recorder(text).awaited;
    return go(budget);
  };
  const { core } = powered;
  const posted = go();
  if (posted.kind !== 'met') throw new Error(`SeaBIOS ended otherwise: ${posted.kind}`);
  const bda = new DataView(core.read(0x400n, 0x20)!.buffer);
  const baseMemoryKib = bda.getUint16(0x13, true);
  const ebda = bda.getUint16(0x0e, true) << 4;
  load(core, machine, kernel, commandLine, BigInt(baseMemoryKib) * 1024n);
  const rebooting = until('Rebooting in');
  if (rebooting.kind !== 'met') throw new Error(`Linux ended otherwise: ${rebooting.kind}`);
  const before = recorder.console.text.length;
  const restartCode = findRestartCode(core);
  const cr4BeforeJump = core.state(0).cr4;
  const firmwareBefore = recorder.firmwareLog.text.length;
  // Linux reboots again after its own panic, into the same: once is enough.
  let ending = until('Kernel panic - not syncing: ', WAY_DOWN);
  const loop = ending.kind === 'budget' ? core.state(0) : null;
  if (loop) {
    // It goes round without a word. A processor would lose its translations at some point, the emulator does not: here it does.
    core.setA20(false);
    core.setA20(true);
    ending = go(WAY_DOWN);
  }
  const text = recorder.console.text;
  return {
    version,
    commandLine,
    release: /Linux version (\S+)/.exec(text)?.[1] ?? '',
    memoryMap: [...text.matchAll(/BIOS-e820: (.*)/g)].map((match) => match[1]!.trim()),
    baseMemoryKib,
    ebda,
    restartCode,
    cr4BeforeJump,
    ended: describe(ending),
    loop,
    faults: ending.kind === 'triple-fault' ? ending.faults : nestedFaults([core.faults(0)]),
    state: core.state(0),
    lastWords: text.slice(before),
    firmwareAfter: recorder.firmwareLog.text.slice(firmwareBefore),
    instructions: core.instructions,
  };
}

function load(core: Core, machine: Machine, kernel: Uint8Array, commandLine: string, low: bigint): void {
  const ram = machine.regions.filter(({ kind }) => kind === 'ram').map(({ range }) => range);
  const state = LINUX_16.load(
    kernel,
    { protocol: 'linux16', imageName: 'vmlinuz', commandLine, modules: [] },
    {
      memoryMap: ram.map((range) => ({ range, type: 1 })),
      lowEnd: ram.reduce(
        (end, range) => (range.end <= 0x100000000n && range.end > end ? range.end : end),
        0n,
      ),
      conventionalEnd: low,
      rsdp: null,
      isRam: ({ start, end }) => ram.some((range) => range.start <= start && end <= range.end),
      write: (address, bytes) => core.write(address, bytes),
      read: (address, length) => core.read(address, length),
    },
  );
  if ('problem' in state) throw new Error(state.problem);
  // A boot loader leaves the interrupt table of the BIOS.
  core.setState(0, { ...state, idtr: { base: 0n, limit: 0x3ff } });
  core.setActivity(0, 'running');
}

function findRestartCode(core: Core): RebootRun['restartCode'] {
  const memory = core.read(0n, 0xa0000)!;
  const found: number[] = [];
  for (let at = 0; at < 0xa0000 - RESTART_CODE.length; at++) {
    if (RESTART_CODE.every((byte, i) => memory[at + i] === byte)) found.push(at);
  }
  const address = found.at(-1);
  if (address === undefined || address >= MIB) return null;
  const bytes = [...memory.subarray(address, address + 16)].map((byte) => byte.toString(16).padStart(2, '0'));
  return { address, bytes: bytes.join(' ') };
}

function describe(ending: Ending): string {
  switch (ending.kind) {
    case 'verdict':
      return ending.verdict.kind === 'answer' ? 'answer' : `${ending.verdict.kind}: ${ending.verdict.reason}`;
    case 'triple-fault':
      return `triple fault: ${ending.faults.map(({ vector }) => exceptionName(vector)).join(', ')}`;
    case 'idle':
      return `idle for ${ending.seconds} s`;
    case 'halted':
      return `halted (${ending.why})`;
    case 'budget':
      return `budget (${ending.why})`;
    case 'met':
      return 'the guest’s kernel reports a panic';
    case 'cancelled':
      return 'cancelled';
  }
}
