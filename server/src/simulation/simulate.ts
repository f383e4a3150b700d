/** A simulated boot, from a machine and a request to the report. Pure: the host gives the core, the clock and the cancel. */
import type { Core, CoreOptions, FaultRecord } from '../../emulator/face';
import type { CapturedState } from '../machine/captured/capturedState';
import type { SimulationCell } from '../machine/knownIssue';
import type { Machine } from '../machine/machine';
import type { Finding } from '../text/finding';
import type { VmmOrigin } from '../machine/origin';
import type { CpuChoice, Verdict, VmmModel } from '../vmm/model';
import type { CpuVendor } from '../x86/cpuid/answers';
import { modeOf, type VcpuState } from '../x86/state';
import { heldAgainst, type UntimedReport } from './expectedReport';
import { ExpectationWatch } from './expectationWatch';
import { conclude, count, exitStatusOf, type Conclusion } from './conclusion';
import { refusedEntry } from './refusedEntry';
import { nestedFaults } from './faultPlace';
import { chooseGuest, type Guest } from './guestChoice';
import { PoweredMachine } from './poweredMachine';
import type { PlanContents } from './planContents';
import type { PowerOptions } from './powerOptions';
import { Recorder } from './recorder';
import type { BootReport, SimulationRequest, SymbolChoice } from './report';
import { run, type Ending } from './runLoop';
import { observers, type RunObserver } from './runObserver';
import { resumeRun, saveRun, type PowerCycles, type RunIdentity, type SavedRun } from './savedRun';
import { createSymbolizer, type Symbolizer } from './symbolizer';
import { textScreen } from './textScreen';

/** Instructions where the request names no limit of its own. */
export const DEFAULT_BUDGET = 2_000_000_000;
const DEFAULT_IDLE_SECONDS = 30;
const SECOND = 1_000_000_000;
/** Where probes report: the first serial port, which not every VMM gives its guests. */
const COM1 = 0x3f8;

export interface SimulationHost {
  createCore(options: CoreOptions): Core;
  cancelled(): boolean;
  /** Looks on. */
  readonly observer?: RunObserver;
  /** The state that the request wants saved. */
  saved?(run: SavedRun): void;
  /** Instructions so far, and the line that the guest is writing. About every million instructions. */
  progress(instructions: number, text: string): void;
}

/**
 * Boots a machine and reports what happened. Never throws for anything that a guest, an image or a config does; an unknown
 * probe, parameter or known issue is the caller's mistake and throws.
 */
export function simulate(
  machine: Machine,
  model: VmmModel,
  version: string,
  request: SimulationRequest,
  host: SimulationHost,
): BootReport {
  const started = performance.now();
  const watch =
    request.expectations && new ExpectationWatch(request.expectations, request.until !== undefined);
  const recorder = new Recorder(request.until ?? null, watch ?? null);
  const observer = observers(host.observer, watch);
  const guest = chooseGuest(model, machine, request);
  const cell = guest.shown?.cell;
  const cpu = cpuOf(request, cell?.vendor);
  const options: PowerOptions = {
    machine: cell ? asInCell(machine, cell) : machine,
    model,
    version,
    firmware: guest.firmware,
    kernel: guest.kernel,
    initrd: request.initrd ?? null,
    ...(cpu ? { cpu } : {}),
    boot: request.boot ?? null,
    captured: request.captured ?? null,
    plan: request.plan ?? null,
    ...(request.physicalWidth === undefined ? {} : { physicalWidth: request.physicalWidth }),
    taps: request.taps,
    ...(guest.probe ? { reportPort: COM1 } : {}),
    answers: request.answers ?? [],
    passOver: request.passOver ?? request.taps.length > 0,
    ...(observer ? { observer } : {}),
    ...(request.quantum === undefined ? {} : { quantum: request.quantum }),
    createCore: (core: CoreOptions) => host.createCore(core),
  };
  const identity = { machine, vmm: model.name, version, request };
  const last = powerCycles(options, recorder, identity, host);
  const report = reportOf(last, {
    machine,
    version,
    recorder,
    guest,
    taps: request.taps,
    symbols: request.symbols ?? null,
    captured: request.captured ?? null,
    plan: request.plan ?? null,
    rejected: request.rejected ?? [],
  });
  const instructionsBefore = request.resume?.instructions ?? 0;
  const held =
    watch && request.expectations ? heldAgainst(request.expectations, report, watch, machine) : report;
  return { ...held, milliseconds: performance.now() - started, instructionsBefore };
}

function cpuOf({ cpu }: SimulationRequest, vendor: CpuVendor | undefined): CpuChoice | null {
  if (vendor === undefined) return cpu ?? null;
  return { added: [], removed: [], ...cpu, vendor };
}

/** The machine with what a known issue's run says otherwise than the config. */
function asInCell(machine: Machine, { commandLine, settings = {} }: SimulationCell): Machine {
  const origin: VmmOrigin = {
    kind: 'vmm',
    vmm: machine.vmm ?? '',
    version: machine.version ?? '',
    citation: 'the known issue’s run',
  };
  const own = Object.entries(settings).map(([key, value]) => [key, { value, origin }] as const);
  return {
    ...machine,
    ...(commandLine === undefined ? {} : { commandLine: { value: commandLine, origin } }),
    ...(own.length === 0 ? {} : { settings: new Map([...(machine.settings ?? []), ...own]) }),
  };
}

/** The last power-on of a run: how it ended, or why it did not begin. */
interface LastPowerOn {
  readonly powered: PoweredMachine;
  readonly ended: Ending | Conclusion;
}

/** Boots, and boots again after each restart as often as the request wants and the VMM allows. */
function powerCycles(
  options: PowerOptions,
  recorder: Recorder,
  identity: RunIdentity,
  host: SimulationHost,
): LastPowerOn {
  const { request } = identity;
  let resume = request.resume ?? null;
  let fast = resume?.cycles.fast ?? 0;
  for (let reboots = resume?.cycles.reboots ?? 0; ; reboots++) {
    const powered = new PoweredMachine(options, recorder);
    const refused = resume ? null : refusal(powered);
    if (refused) return { powered, ended: refused };
    if (resume) resumeRun(resume, powered, recorder);
    resume = null;
    const cycles = { reboots, fast };
    const ended = boot(powered, recorder, identity, cycles, host);
    if (ended.kind === 'triple-fault') recorder.watch?.shutdown();
    const ending = tornDown(ended, powered);
    if (reboots >= request.reboots || request.captured || !restarts(ending, powered)) {
      if (request.save?.at === null) host.saved?.(saveRun(identity, powered, recorder, cycles));
      return { powered, ended: ending };
    }
    const limit = powered.board.restartLimit;
    if (limit) {
      fast = powered.core.now < limit.seconds * SECOND ? fast + 1 : 0;
      if (fast >= limit.restarts) {
        powered.verdict = { kind: 'vmm-exit', reason: limit.reason };
        return { powered, ended: { kind: 'verdict', verdict: powered.verdict } };
      }
    }
    recorder.timeline.note('verdict', powered.core.now, 0, `restart ${reboots + 1} of ${request.reboots}`);
    recorder.nextPowerOn(powered.core.instructions, powered.core.now);
  }
}

/** The config would not come this far. */
function rejectedConfig({ rejected, plan }: ReportInputs): Finding[] {
  const [first] = rejected;
  if (!first) return [];
  const who = plan ? 'The boot plan has errors' : 'The VMM would not start from this text';
  const more = rejected.length > 1 ? ` It is the first of ${rejected.length} errors.` : '';
  return [
    {
      code: 'boot-config-rejected',
      severity: 'warning',
      message: `${who}; the run took what could be read of it. ${first.message}${more}`,
      at: first.at,
    },
  ];
}

interface ReportInputs {
  readonly rejected: readonly Finding[];
  readonly machine: Machine;
  readonly recorder: Recorder;
  readonly version: string;
  readonly guest: Guest;
  readonly taps: readonly number[];
  readonly symbols: SymbolChoice | null;
  readonly captured: CapturedState | null;
  readonly plan: PlanContents | null;
}

function reportOf({ powered, ended }: LastPowerOn, inputs: ReportInputs): UntimedReport {
  const { recorder } = inputs;
  const instructions = recorder.instructionsBefore + powered.core.instructions;
  if ('kind' in ended) noteEnd(ended, powered, recorder);
  recorder.timeline.flush();
  const used = inputs.symbols?.used ?? null;
  const states = Array.from({ length: powered.core.vcpus }, (_, vcpu) => powered.core.state(vcpu));
  const symbolizer =
    used &&
    createSymbolizer(used, {
      timeline: recorder.timeline.events,
      states,
      read: (address, length) => powered.core.read(address, length),
    });
  const named = typeof symbolizer === 'string' ? null : symbolizer;
  const nameOf = nameStates(named, powered);
  const chain = 'kind' in ended ? faultChain(ended, powered) : [];
  const conclusion =
    'kind' in ended ? conclude({ ...inputs, chain, powered, ending: ended, instructions, nameOf }) : ended;
  recorder.finish();
  // What was not started has no state that would tell anything.
  const started = powered.problem === null ? powered.core.vcpus : 0;
  const vcpus = Array.from({ length: started }, (_, vcpu) => {
    const registers = powered.core.state(vcpu);
    return { registers, mode: modeOf(registers), symbol: nameOf(registers) };
  });
  const { events } = recorder.timeline;
  const modes = vcpus.map(({ mode }) => mode);
  return {
    outcome: conclusion.outcome,
    reason: conclusion.reason,
    instructions,
    vcpus,
    console: recorder.console.text,
    firmwareLog: recorder.firmwareLog.text || recorder.unseenReport,
    screen: started > 0 ? textScreen((address, length) => powered.core.read(address, length)) : '',
    exits: recorder.exits.list(),
    timeline: named?.ofTimeline(events, modes) ?? events,
    exitStatus: 'kind' in ended ? exitStatusOf(ended, powered) : null,
    timelineDropped: recorder.timeline.dropped,
    faultChain: chain.map((fault) => ({ ...fault, symbol: nameOf(fault.state) })),
    symbols: named && used ? used.file : null,
    findings: [...rejectedConfig(inputs), ...conclusion.findings],
    evidence: conclusion.evidence,
    shown: conclusion.shown,
    notModelled: [
      ...notModelled(powered, recorder, inputs.taps),
      ...asKernel(inputs),
      ...unseenReport(recorder),
      ...(inputs.captured?.notes ?? []),
      ...(inputs.plan?.notes ?? []),
      ...(inputs.symbols?.notes ?? []),
      ...(typeof symbolizer === 'string' ? [symbolizer] : []),
    ],
  };
}

function nameStates(symbolizer: Symbolizer | null, { core }: PoweredMachine) {
  return (state: VcpuState) =>
    symbolizer?.ofState(state, (address, length) => core.read(address, length)) ?? null;
}

/** The last line of the timeline, where the VMM or the CPU ended the run. */
function noteEnd(ending: Ending, { core }: PoweredMachine, { timeline }: Recorder): void {
  if (ending.kind === 'triple-fault') {
    timeline.note('verdict', core.now, ending.vcpu, 'triple fault');
  } else if (ending.kind === 'verdict' && ending.verdict.kind !== 'answer') {
    timeline.note('verdict', core.now, 0, `${ending.verdict.kind}: ${ending.verdict.reason}`);
  }
}

/** Why the VM does not start at all. */
function refusal(powered: PoweredMachine): Conclusion | null {
  const { machine } = powered;
  const at = machine.nameAt ?? machine.at;
  const refuse = (outcome: 'vmm-exit' | 'invalid-entry', reason: string): Conclusion => ({
    outcome,
    reason,
    evidence: null,
    shown: null,
    findings: [{ code: `boot-${outcome}`, severity: 'error', message: reason, at }],
  });
  if (powered.problem !== null) return refuse('vmm-exit', `The VM does not start: ${powered.problem}.`);
  const refused = refusedEntry(powered.core, powered.profile);
  return refused === null ? null : refuse('invalid-entry', refused);
}

function boot(
  powered: PoweredMachine,
  recorder: Recorder,
  identity: RunIdentity,
  cycles: PowerCycles,
  host: SimulationHost,
): Ending {
  const { core } = powered;
  const { request } = identity;
  const at = (request.save?.at ?? -1) - recorder.instructionsBefore;
  return run(powered, recorder, {
    maxInstructions: (request.maxInstructions || DEFAULT_BUDGET) - recorder.instructionsBefore,
    idleSeconds: request.idleSeconds ?? DEFAULT_IDLE_SECONDS,
    cancelled: () => host.cancelled(),
    progress: () => host.progress(recorder.instructionsBefore + core.instructions, recorder.console.lastLine),
    ...(at < 0
      ? {}
      : { checkpoint: { at, save: () => host.saved?.(saveRun(identity, powered, recorder, cycles)) } }),
  });
}

/** How the VMM's tear-down of the guest ended instead, where it has one and that went wrong. */
function tornDown(ending: Ending, powered: PoweredMachine): Ending {
  const { board } = powered;
  const next =
    ending.kind === 'verdict' ? ending.verdict : ending.kind === 'triple-fault' ? board.tripleFault() : null;
  if (!board.tearDown || !next || (next.kind !== 'reset' && next.kind !== 'shutdown')) return ending;
  const verdict = board.tearDown(powered.core, next.kind === 'reset' ? 'reset' : 'destroy');
  if (!verdict) return ending;
  return endIn(
    powered,
    verdict.kind === next.kind ? { ...verdict, reason: `${next.reason}. ${verdict.reason}` } : verdict,
  );
}

function endIn(powered: PoweredMachine, verdict: Verdict): Ending {
  powered.verdict = verdict;
  powered.verdictAddress = verdict.kind === 'host-panic' ? (verdict.address ?? null) : null;
  return { kind: 'verdict', verdict };
}

function restarts(ending: Ending, powered: PoweredMachine): boolean {
  if (ending.kind === 'verdict') return ending.verdict.kind === 'reset';
  return ending.kind === 'triple-fault' && powered.board.tripleFault().kind === 'reset';
}

function faultChain(ending: Ending, { core }: PoweredMachine): readonly FaultRecord[] {
  if (ending.kind === 'triple-fault') return ending.faults;
  return nestedFaults(Array.from({ length: core.vcpus }, (_, vcpu) => core.faults(vcpu)));
}

function asKernel({ guest: { probe, firmware } }: ReportInputs): string[] {
  return probe?.load === 'rom' && !firmware
    ? [
        `a firmware, which guests of this VMM do without: the probe ${probe.name} is started as a kernel, and puts its ROM image at the top of the first MiB itself`,
      ]
    : [];
}

function unseenReport({ unseenReport: text }: Recorder): string[] {
  return text === ''
    ? []
    : [
        'a console: this VMM shows nobody what this guest writes to its first serial port, so the probe’s report is read at port 0x3f8 itself and stands in the firmware log',
      ];
}

function notModelled(powered: PoweredMachine, recorder: Recorder, taps: readonly number[]): string[] {
  const list = [...powered.board.notModelled];
  for (const port of taps) {
    const name = `0x${port.toString(16)}`;
    list.push(
      powered.hiddenTaps.includes(port)
        ? `the tap at port ${name}: the VMM has a device there, which answers`
        : `observation overlay at port ${name}: its text is in the firmware log, and the real VMM has no such port`,
    );
  }
  for (const [kind, { times }] of recorder.passedOver) {
    list.push(
      `observation overlay for ${kind}: ${count(times)} went through at which the real VMM would stop`,
    );
  }
  return list;
}
