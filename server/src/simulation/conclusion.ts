/** From how a run ended to its outcome, the sentence that says so, and the findings. */
import { hex } from '../address/format';
import type { FaultRecord } from '../../emulator/face';
import type { Machine, Region } from '../machine/machine';
import { regionAt } from '../machine/machine';
import type { EvidenceGrade, Finding, Severity } from '../text/finding';
import { exceptionName } from '../x86/exceptions';
import type { Verdict } from '../vmm/model';
import { modeOf, type VcpuState } from '../x86/state';
import { placeOf } from './faultPlace';
import type { PoweredMachine } from './poweredMachine';
import type { Guest } from './guestChoice';
import { FINDING_SEVERITY } from './outcomeSeverity';
import { readProbeReport } from './probes/probeReport';
import type { Recorder } from './recorder';
import type { Outcome } from '../machine/outcome';
import type { ShownCell } from './report';
import type { Ending } from './runLoop';

export interface Conclusion {
  readonly outcome: Outcome;
  readonly reason: string;
  readonly findings: readonly Finding[];
  /** Of the known issue, where the run shows it. */
  readonly evidence: EvidenceGrade | null;
  readonly shown: ShownCell | null;
}

export interface EndedRun {
  readonly machine: Machine;
  readonly powered: PoweredMachine;
  readonly recorder: Recorder;
  readonly ending: Ending;
  /** Of all power-ons. */
  readonly instructions: number;
  readonly version: string;
  readonly guest: Guest;
  /** Faults that nested, the first one first; empty where none did. */
  readonly chain: readonly FaultRecord[];
  /** The symbol of the instruction pointer of a state, or null. */
  readonly nameOf: (state: VcpuState) => string | null;
}

const FOUR_GIB = 1n << 32n;

/** Outcomes that a panic of the guest before them does not change. */
const FINAL: ReadonlySet<Outcome> = new Set(['cancelled', 'vmm-exit', 'host-panic', 'expectation-met']);

export function conclude(run: EndedRun): Conclusion {
  const { outcome, text, region } = describe(run);
  const nested = run.ending.kind === 'triple-fault' ? null : nestedFault(run);
  const panic = run.recorder.panic;
  const overridden = panic !== null && !FINAL.has(outcome);
  const final: Outcome = overridden ? 'guest-panic' : outcome;
  const reason = overridden ? `The guest gave up: ${JSON.stringify(panic)}. Then: ${text}` : text;
  const findings: Finding[] = [];
  const severity = FINDING_SEVERITY[final];
  if (severity) findings.push(finding(`boot-${final}`, severity, reason, region, run.machine));
  const { probe } = run.guest;
  const status =
    probe && readProbeReport(probe, run.recorder.console.text || run.recorder.unseenReport).status;
  const failed = status !== null && status.verdict !== 'expected';
  if (probe && failed) {
    const message = `The probe ${probe.name} ended with "${status.code}". ${status.meaning}${nested?.text ?? ''}`;
    findings.push(finding('boot-probe', 'warning', message, nested?.region ?? region, run.machine));
  }
  const { until } = run.recorder;
  if (until !== null && final !== 'expectation-met' && final !== 'cancelled') {
    const message = `The awaited text ${JSON.stringify(until)} did not come.`;
    findings.push(finding('boot-expectation-missed', 'error', message, null, run.machine));
  }
  if (run.recorder.passedOver.size > 0) findings.push(wouldStop(run));
  const shown = shownCell(run, final, reason, status?.code ?? null);
  const affected = run.guest.shown?.issue.affected.includes(run.version) ?? false;
  const issue = shown?.reached && affected ? shownIssue(run, shown.reached, nested?.region ?? region) : null;
  if (issue) findings.push(issue);
  const said = status ? ` The probe ${probe?.name ?? ''} said "${status.code}": ${status.meaning}` : '';
  return {
    outcome: final,
    reason: reason + said + (nested?.text ?? ''),
    findings,
    evidence: issue?.evidence ?? null,
    shown,
  };
}

/** What the run of a known issue's cell reached. */
function shownCell(
  { guest, machine, version, powered, recorder, chain, ending }: EndedRun,
  outcome: Outcome,
  reason: string,
  probeStatus: string | null,
): ShownCell | null {
  if (!guest.shown) return null;
  const { issue, cell } = guest.shown;
  const { core } = powered;
  const registers = Array.from({ length: core.vcpus }, (_, vcpu) => core.state(vcpu));
  const reached = issue.simulation!.reached({
    version,
    highMemory: machine.regions
      .filter(({ kind, range }) => kind === 'ram' && range.start >= FOUR_GIB)
      .reduce((sum, { range }) => sum + range.end - range.start, 0n),
    outcome,
    reason,
    exitStatus: exitStatusOf(ending, powered),
    probeStatus,
    console: recorder.console.text,
    exits: recorder.exits.list(),
    faultChain: chain,
    vcpus: registers.map((state) => ({ registers: state, mode: modeOf(state) })),
  });
  return { issue: issue.id, cell: cell.name, reached };
}

/** What the VMM's process, or a debug exit port, tells the host. */
export function exitStatusOf(ending: Ending, { board, verdict: said }: PoweredMachine): number | null {
  const verdict: Verdict | null = ending.kind === 'triple-fault' ? board.tripleFault() : said;
  return verdict?.kind === 'shutdown' || verdict?.kind === 'vmm-exit' ? (verdict.exitStatus ?? null) : null;
}

interface Description {
  readonly outcome: Outcome;
  readonly text: string;
  readonly region: Region | null;
}

function describe(run: EndedRun): Description {
  const { ending, powered, instructions } = run;
  const after = `after ${count(instructions)} ${instructions === 1 ? 'instruction' : 'instructions'}`;
  switch (ending.kind) {
    case 'verdict':
      return describeVerdict(run, after);
    case 'triple-fault':
      return describeTripleFault(run, ending.vcpu, ending.faults, after);
    case 'halted': {
      const place = placeNow(run, haltedVcpu(powered));
      const why =
        ending.why === 'interrupts-off'
          ? 'with interrupts off (RFLAGS.IF = 0), so that nothing wakes it'
          : 'and no timer or device would interrupt it';
      return { outcome: 'halted', text: `The guest halted ${after} at ${place.text}, ${why}.`, region: null };
    }
    case 'idle': {
      const place = placeNow(run, 0);
      return {
        outcome: 'halted',
        text: `The guest is idle ${after}: for ${ending.seconds} s of its own time it did nothing but wait for timer interrupts, at ${place.text}.`,
        region: null,
      };
    }
    case 'budget': {
      const place = placeNow(run, 0);
      const why = {
        instructions: `The budget is spent ${after}`,
        memory: `The guest touched more memory than the emulator can hold, ${powered.core.touchedPages} pages, ${after}`,
        panic: `The guest still runs ${after}`,
      }[ending.why];
      return { outcome: 'budget', text: `${why}; vCPU 0 is at ${place.text}.`, region: place.region };
    }
    case 'met': {
      const seconds = (powered.core.now / 1e9).toFixed(3);
      return {
        outcome: 'expectation-met',
        text:
          run.recorder.until === null
            ? `All that is expected had come ${after}, ${seconds} s of guest time from the start.`
            : `The guest wrote ${JSON.stringify(run.recorder.until)} ${after}, ${seconds} s of its own time from the start.`,
        region: null,
      };
    }
    case 'cancelled':
      return { outcome: 'cancelled', text: `Cancelled ${after}.`, region: null };
  }
}

function describeVerdict(run: EndedRun, after: string): Description {
  const { powered, machine } = run;
  const verdict = powered.verdict!;
  const address = powered.verdictAddress;
  const region = address === null ? null : (regionAt(machine, address) ?? nearest(machine, address));
  const text = verdict.kind === 'answer' ? '' : verdict.reason;
  const place = placeNow(run, 0);
  const outcome = verdict.kind === 'answer' ? 'vmm-exit' : verdict.kind;
  return { outcome, text: `${capital(text)} (${after}, at ${place.text}).`, region };
}

function describeTripleFault(
  run: EndedRun,
  vcpu: number,
  faults: readonly FaultRecord[],
  after: string,
): Description {
  const { powered } = run;
  const first = faults[0];
  const next = powered.board.tripleFault();
  const then = next.kind === 'answer' ? '' : ` ${capital(next.reason)}.`;
  if (!first)
    return { outcome: 'triple-fault', text: `vCPU ${vcpu} shut down ${after}.${then}`, region: null };
  const place = placeIn(run, first.state);
  return {
    outcome: 'triple-fault',
    text: `Triple fault of vCPU ${vcpu} ${after}, from the instruction at ${place.text}: ${chainText(faults)}.${then}`,
    region: place.region,
  };
}

/** A double fault that the guest lived to handle, and where its first fault was. */
function nestedFault(run: EndedRun): { text: string; region: Region | null } | null {
  const { chain } = run;
  const first = chain[0];
  if (!first) return null;
  const place = placeIn(run, first.state);
  return {
    text: ` A double fault came before: ${chainText(chain)}, at ${place.text}.`,
    region: place.region,
  };
}

function chainText(chain: readonly FaultRecord[]): string {
  return chain.map((fault) => `${faultText(fault)} (${fault.reason})`).join(', then ');
}

function faultText(fault: FaultRecord): string {
  const code = fault.errorCode === null ? '' : ` error code ${hex(fault.errorCode)}`;
  const address = fault.cr2 === null ? '' : ` CR2 ${hex(fault.cr2)}`;
  return `${exceptionName(fault.vector)}${code}${address}`;
}

function placeNow(run: EndedRun, vcpu: number) {
  return placeIn(run, run.powered.core.state(vcpu));
}

function placeIn({ powered, machine, nameOf }: EndedRun, state: VcpuState) {
  return placeOf(state, machine, (address, length) => powered.core.read(address, length), nameOf(state));
}

function haltedVcpu({ core }: PoweredMachine): number {
  for (let vcpu = 0; vcpu < core.vcpus; vcpu++) if (core.activity(vcpu) === 'halted') return vcpu;
  return 0;
}

/** The region below an address that lies in none. */
function nearest(machine: Machine, address: bigint): Region | null {
  let best: Region | null = null;
  for (const region of machine.regions) if (region.range.end <= address) best = region;
  return best;
}

/** The known issue that was asked for, where the run reached what its report describes. */
function shownIssue({ guest, machine }: EndedRun, reached: string, region: Region | null): Finding {
  const { issue, cell } = guest.shown!;
  const message = `${issue.title}. ${reached} ${issue.simulation!.shows}`;
  return { ...finding(issue.id, 'information', message, region, machine), evidence: cell.evidence };
}

function finding(
  code: string,
  severity: Severity,
  message: string,
  region: Region | null,
  machine: Machine,
): Finding {
  return { code, severity, message, at: region?.at ?? machine.nameAt ?? machine.at };
}

function wouldStop({ recorder, machine }: EndedRun): Finding {
  const kinds = [...recorder.passedOver].map(
    ([kind, { times, reason }]) =>
      `${kind}, ${count(times)} ${times === 1 ? 'time' : 'times'}, first ${reason}`,
  );
  return {
    code: 'boot-would-stop',
    severity: 'warning',
    message: `The real VMM would have ended the guest where this run, which observes the firmware, went on: ${kinds.join('; ')}.`,
    at: machine.nameAt ?? machine.at,
  };
}

/** `1 234 567`. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ' ');
}

/** Names with a section of the manual, such as vmm(4), keep their case. */
function capital(text: string): string {
  if (/^[a-z]+\(\d\)/.test(text)) return text;
  return text.charAt(0).toUpperCase() + text.slice(1);
}
