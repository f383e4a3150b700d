/** A machine with the power on: a core, the VMM's board around it, and the wires between them. */
import { REFUSED, type Bus, type Core, type CpuProfile, type Refused } from '../../emulator/face';
import { DebugPort } from '../devices/debugPort402';
import type { Device } from '../devices/device';
import { allOnes } from '../devices/openBus';
import type { Machine } from '../machine/machine';
import type { Board, MmioAccess, PortAccess, Verdict } from '../vmm/model';
import { AddressDecode } from './addressDecode';
import { answered, joined, portAccess, type Size } from './busAccess';
import { capturedSlots, loadCapture } from './captureLoad';
import { ConsoleAnswers } from './consoleAnswers';
import { EventQueue } from './eventQueue';
import { mapSlots } from './memorySlots';
import { withPhysicalWidth } from './physicalWidth';
import { loadPlan } from './planLoad';
import { coreFor, type PowerOptions } from './powerOptions';
import type { Recorder } from './recorder';
import type { ExitKind } from '../machine/outcome';
import type { RunWatch } from './runLoop';

const ALL_ONES = { 1: 0xff, 2: 0xffff, 4: 0xffffffff } as const;

export class PoweredMachine {
  readonly core: Core;
  readonly board: Board;
  /** The CPU of the board, as wide as the run wants it. */
  readonly profile: CpuProfile;
  readonly clock: EventQueue;
  /** The board's devices and the taps, in the order of a snapshot. */
  readonly devices: readonly Device[];
  /** Taps that could not be added, because the VMM has a device there. */
  readonly hiddenTaps: readonly number[];
  /** Why the VM did not start, or null. */
  readonly problem: string | null;
  /** What ends the run, from the moment somebody says so. */
  verdict: Verdict | null = null;
  /** Where an access led to the verdict; null where it was a port or nothing at all. */
  verdictAddress: bigint | null = null;
  /** What the run loop keeps of this power-on. */
  watch: RunWatch = { idleSince: 0, idleInstructions: 0, panicAt: null };
  /** Ticks up to which the core was asked to run. */
  deadline = 0;

  private poweredOn = false;
  private readonly decode: AddressDecode;
  /** The VMM has something to say about port accesses before a device sees them. */
  private readonly screens: boolean;
  private readonly tapped: ReadonlySet<number>;

  constructor(
    private readonly options: PowerOptions,
    private readonly recorder: Recorder,
  ) {
    // The board is built before the core that it drives: until then nothing moves.
    let core: Core | null = null;
    let typist: ConsoleAnswers | null = null;
    this.clock = new EventQueue(
      () => core?.now ?? 0,
      (at) => {
        if (at < this.deadline) core?.requestStop();
      },
    );
    this.board = options.model.board({
      machine: options.machine,
      version: options.version,
      clock: this.clock,
      firmware: options.firmware,
      kernel: options.kernel,
      initrd: options.initrd ?? null,
      cpu: options.cpu ?? null,
      boot: options.boot ?? null,
      observed: options.taps.length > 0,
      console: (text) => {
        recorder.writeConsole(text);
        typist?.read(text);
        if (recorder.met) core?.requestStop();
      },
      debugLog: (text) => {
        recorder.writeFirmwareLog(text);
        if (recorder.met) core?.requestStop();
      },
      setInterruptLine: (up) => core?.setInterruptLine(up),
      setA20: (on) => core?.setA20(on),
      deliver: (...message) => core?.deliver(...message) ?? false,
      readMemory: (address, length) => core?.read(address, length) ?? null,
      writeMemory: (address, bytes) => core?.write(address, bytes) ?? false,
      portsMoved: () => this.placePorts(),
      request: (verdict) => this.end(verdict, null),
    });
    this.profile = withPhysicalWidth(this.board.profile, options.physicalWidth ?? null);
    const ownPorts = new AddressDecode(this.board.devices);
    const taps = options.taps.filter((port) => ownPorts.atPort(port) === null);
    this.hiddenTaps = options.taps.filter((port) => ownPorts.atPort(port) !== null);
    this.tapped = new Set(taps);
    const { consoleInput } = this.board;
    const { answers = [] } = options;
    typist =
      consoleInput && answers.length > 0 ? new ConsoleAnswers(answers, this.clock, consoleInput) : null;
    this.devices = [
      ...this.board.devices,
      ...(typist ? [typist] : []),
      ...taps.map(
        (port) =>
          new DebugPort(port, (text) => {
            recorder.writeFirmwareLog(text);
            if (recorder.met) core?.requestStop();
          }),
      ),
    ];
    this.decode = new AddressDecode(this.devices);
    this.screens = this.board.screenPort !== undefined;
    const made = coreFor(options, {
      vcpus: options.machine.vcpus.value,
      profile: this.countingProfile(this.profile),
      bus: this.bus(),
      ...(options.quantum === undefined ? {} : { quantum: options.quantum }),
    });
    core = made.core;
    this.core = core;
    this.poweredOn = true;
    recorder.now = () => this.core.now;
    const { captured, plan } = options;
    const slots = captured ? capturedSlots(captured, this.board.slots) : (plan?.slots ?? this.board.slots);
    const unmapped = mapSlots(core, slots);
    core.reset();
    // What the VMM refuses comes before what the emulator cannot do.
    this.problem =
      (captured
        ? (made.problem ?? loadCapture(captured, core))
        : plan
          ? (made.problem ?? unmapped ?? loadPlan(plan, core, this.board))
          : this.board.powerOn(core)) ??
      made.problem ??
      unmapped;
    options.observer?.poweredOn(core);
  }

  /** Devices may answer other ports than before: the guest has moved them, or a snapshot has. */
  placePorts(): void {
    this.decode.placePorts();
  }

  /** Ends the run after the present instruction. The first verdict counts. */
  private end(verdict: Verdict, address: bigint | null): void {
    if (this.verdict) return;
    this.verdict = verdict;
    this.verdictAddress = address;
    this.core.requestStop();
  }

  private refuse(verdict: Verdict, address: bigint | null): Refused {
    this.end(verdict, address);
    return REFUSED;
  }

  /** CPUID answers, counted as exits once the guest runs: the core asks too when it is made. */
  private countingProfile(profile: CpuProfile): CpuProfile {
    return {
      ...(profile.nestedPaging === undefined ? {} : { nestedPaging: profile.nestedPaging }),
      cpuid: (leaf, subleaf, vcpu) => {
        const answer = profile.cpuid(leaf, subleaf, vcpu);
        if (!this.poweredOn) return answer;
        this.recorder.exits.add('cpuid', leaf >>> 0, null);
        this.observe('cpuid', BigInt(leaf >>> 0), 16, vcpu, () => joined(answer), null);
        return answer;
      },
    };
  }

  /** Tells whoever looks on. The value is made only where somebody does; null stands for no answer. */
  private observe(
    kind: ExitKind,
    address: bigint,
    size: number,
    vcpu: number,
    value: () => bigint | null,
    device: Device | null,
  ): void {
    const { observer } = this.options;
    if (!observer) return;
    const access = { event: 'access', at: this.core.now, vcpu, kind, address, size } as const;
    observer.access({ ...access, value: value(), device: device?.name ?? null });
  }

  private bus(): Bus {
    const { board, recorder } = this;
    const { observer } = this.options;
    return {
      readPort: (port, size, vcpu, flags) => {
        const answer = this.readPort(port, size, flags);
        if (observer)
          this.observe('in', BigInt(port), size, vcpu, () => answered(answer), this.decode.atPort(port));
        return answer;
      },
      writePort: (port, size, value, vcpu, flags) => {
        if (observer)
          this.observe('out', BigInt(port), size, vcpu, () => BigInt(value >>> 0), this.decode.atPort(port));
        return this.writePort(port, size, value >>> 0, flags);
      },
      readMmio: (address, size, vcpu) => {
        const answer = this.readMmio(address, size);
        if (observer)
          this.observe(
            'mmio-read',
            address,
            size,
            vcpu,
            () => answered(answer),
            this.decode.atAddress(Number(address)),
          );
        return answer;
      },
      writeMmio: (address, size, value, vcpu) => {
        if (observer)
          this.observe(
            'mmio-write',
            address,
            size,
            vcpu,
            () => value,
            this.decode.atAddress(Number(address)),
          );
        return this.writeMmio(address, size, value);
      },
      acknowledge: (vcpu) => board.acknowledge(vcpu),
      readMsr: (index, vcpu) => {
        recorder.exits.add('rdmsr', index >>> 0, null);
        const value = board.readMsr?.(index >>> 0, vcpu) ?? null;
        this.observe('rdmsr', BigInt(index >>> 0), 8, vcpu, () => value, null);
        return value;
      },
      writeMsr: (index, value, vcpu) => board.writeMsr?.(index >>> 0, value, vcpu) ?? false,
      hypercall: (number, cpl) => board.hypercall?.(number, cpl) ?? null,
      interprocessorInterrupt: (icr, vcpu) => {
        const verdict = board.interprocessorInterrupt?.(icr, vcpu, this.core) ?? null;
        if (!verdict) return undefined;
        return verdict.kind === 'answer' ? 'sent' : this.refuse(verdict, null);
      },
      endOfInterrupt: (vector, vcpu) => board.endOfInterrupt?.(vector, vcpu),
      trace: (event) => {
        if (event.event === 'halt') recorder.exits.add('hlt', null, null);
        else if (event.event === 'msr-write') recorder.exits.add('wrmsr', event.index >>> 0, null);
        recorder.timeline.add(event);
        observer?.trace(event);
      },
    };
  }

  get machine(): Machine {
    return this.options.machine;
  }

  /** The VMM's veto on an access, or null. */
  private screen(access: PortAccess): Verdict | null {
    if (this.tapped.has(access.port) && !access.string) return null;
    const verdict = this.board.screenPort?.(access) ?? null;
    return verdict && this.passesOver(verdict) ? null : verdict;
  }

  /** Whether an observer goes on after this verdict; it is written down then. */
  private passesOver(verdict: Verdict): boolean {
    if (verdict.kind !== 'vmm-exit' || verdict.passable === undefined || !this.options.passOver) return false;
    this.recorder.passOver(verdict.passable, verdict.reason);
    return true;
  }

  private readPort(port: number, size: Size, flags: number): number | Refused {
    const device = this.decode.atPort(port);
    this.recorder.exits.add('in', port, device?.name ?? null);
    const verdict = this.screens ? this.screen(portAccess(port, size, false, 0, flags)) : null;
    if (verdict && verdict.kind !== 'answer') return this.refuse(verdict, null);
    if (verdict) return Number(verdict.value);
    if (size > 1 && this.splits(device)) return this.readBytes(port, size);
    if (device?.readPort) return (device.readPort(port, size) & ALL_ONES[size]) >>> 0;
    const answer = this.board.unansweredPort(portAccess(port, size, false, 0, flags));
    return answer.kind === 'answer' ? Number(answer.value) : this.refuse(answer, null);
  }

  private writePort(port: number, size: Size, value: number, flags: number): void | Refused {
    const device = this.decode.atPort(port);
    this.recorder.exits.add('out', port, device?.name ?? null);
    if (port === this.options.reportPort && size === 1) this.recorder.writeReport(value);
    const verdict = this.screens ? this.screen(portAccess(port, size, true, value, flags)) : null;
    // Giving up comes before the instruction, a reset or power-off after it.
    if (verdict?.kind === 'vmm-exit' || verdict?.kind === 'host-panic') return this.refuse(verdict, null);
    if (verdict) return verdict.kind === 'answer' ? undefined : this.end(verdict, null);
    if (size > 1 && this.splits(device)) {
      for (let i = 0; i < size; i++)
        this.decode.atPort(port + i)?.writePort?.(port + i, 1, (value >>> (8 * i)) & 0xff);
      return;
    }
    if (device?.writePort) return device.writePort(port, size, value);
    const answer = this.board.unansweredPort(portAccess(port, size, true, value, flags));
    return answer.kind === 'answer' ? undefined : this.refuse(answer, null);
  }

  private splits(device: Device | null): boolean {
    return this.board.isaBus === true && device?.eightBits === true;
  }

  /** Little endian; where nobody answers a byte is all ones. */
  private readBytes(port: number, size: Size): number {
    let value = 0;
    for (let i = 0; i < size; i++) {
      const byte = this.decode.atPort(port + i)?.readPort?.(port + i, 1) ?? 0xff;
      value += (byte & 0xff) * 2 ** (8 * i);
    }
    return value;
  }

  private readMmio(address: bigint, size: 1 | 2 | 4 | 8): bigint | Refused {
    const at = Number(address);
    const device = this.decode.atAddress(at);
    this.recorder.exits.add('mmio-read', at, device?.name ?? null);
    if (device?.readMmio) return BigInt.asUintN(8 * size, device.readMmio(address, size));
    return this.unansweredMmio({ address, size, write: false, value: 0n }) ?? 0n;
  }

  private writeMmio(address: bigint, size: 1 | 2 | 4 | 8, value: bigint): void | Refused {
    const at = Number(address);
    const device = this.decode.atAddress(at);
    this.recorder.exits.add('mmio-write', at, device?.name ?? null);
    if (device?.writeMmio) return device.writeMmio(address, size, value);
    return this.unansweredMmio({ address, size, write: true, value }) === REFUSED ? REFUSED : undefined;
  }

  private unansweredMmio(access: MmioAccess): bigint | Refused {
    const answer = this.board.unansweredMmio(access);
    if (answer.kind === 'answer') return answer.value;
    return this.passesOver(answer) ? allOnes(access.size) : this.refuse(answer, access.address);
  }
}
