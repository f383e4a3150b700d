/** A BootReport as JSON (the contract of `bootpath simulate`) and as text for the terminal and the output channel. */
import { hex } from '../address/format';
import type { Machine } from '../machine/machine';
import { regionAt, vmmLabel } from '../machine/machine';
import type { BootReport, ExitCount, ReportedFault } from '../simulation/report';
import { exceptionTitle } from '../x86/exceptions';
import { portName } from '../x86/ports';
import { modeOf } from '../x86/state';
import { findingJson, findingText } from './findings';
import { placeText, type PathOf } from './place';
import { registersJson, registersText } from './registers';
import { wrap, type ReportStyle } from './reportStyle';
import { printable, withoutEscapes } from './terminalText';
import { distinctEvents, ticksText } from './timeline';

/** Every bigint becomes a hex string; everything else stays. */
export function wire(value: unknown): unknown {
  if (typeof value === 'bigint') return hex(value);
  if (Array.isArray(value)) return value.map(wire);
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, wire(item)]));
  }
  return value;
}

/** A fault with the state at it. */
export function faultJson(fault: ReportedFault): object {
  const { state, ...rest } = fault;
  return { ...(wire(rest) as object), registers: registersJson(state), mode: modeOf(state) };
}

/** The JSON contract of `simulate`, field by field. */
export function bootReportJson(report: BootReport, pathOf: PathOf): object {
  return {
    outcome: report.outcome,
    reason: report.reason,
    instructions: report.instructions,
    exitStatus: report.exitStatus,
    vcpus: report.vcpus.map(({ registers, mode, symbol }) => ({
      registers: registersJson(registers),
      mode,
      symbol,
    })),
    console: report.console,
    firmwareLog: report.firmwareLog,
    screen: report.screen,
    exits: report.exits.map(wire),
    timeline: report.timeline.map(wire),
    timelineDropped: report.timelineDropped,
    faultChain: report.faultChain.map(faultJson),
    symbols: report.symbols,
    findings: report.findings.map((finding) => findingJson(finding, pathOf)),
    evidence: report.evidence,
    notModelled: report.notModelled,
  };
}

/** A few words for beside the lens: `reset after 1.2 M instructions`. */
export function bootSummary(report: Pick<BootReport, 'outcome' | 'instructions'>): string {
  return `${report.outcome} after ${countText(report.instructions)} instructions`;
}

/** `7.2 M`, `12.3 k`, `812`. */
export function countText(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toFixed(2)} G`;
  if (count >= 1e6) return `${(count / 1e6).toFixed(1)} M`;
  if (count >= 1e4) return `${(count / 1e3).toFixed(1)} k`;
  return String(count);
}

/** Timeline lines at most; the middle is left out beyond it. */
const TIMELINE_LINES = 60;

/** The report for people: outcome first, then how it came about, then what it is built on. */
export function bootReportText(report: BootReport, machine: Machine, style: ReportStyle): string {
  const { pathOf } = style;
  const lines: string[] = [];
  const label = vmmLabel(machine);
  lines.push(`Simulated boot of "${machine.name}"${label ? ` under ${label}` : ''}`);
  if (machine.nameAt) lines.push(`  ${placeText(machine.nameAt, pathOf)}`);
  lines.push('', `Outcome: ${report.outcome}`, ...wrap(report.reason, style, '  '));
  if (report.vcpus.length === 0) return notStartedText(lines, report, style);
  lines.push('  ' + paceText(report));
  if (report.evidence) lines.push(`  evidence: ${report.evidence}`);
  if (report.symbols !== null) lines.push(`  symbols: ${report.symbols}`);
  section(
    lines,
    'Findings',
    tellingFindings(report).flatMap((finding) =>
      findingText(finding, pathOf).flatMap((line) => wrap(line, style)),
    ),
  );
  section(lines, 'Fault chain', faultChainText(report.faultChain, machine, style));
  section(lines, 'Timeline', timelineText(report));
  section(lines, 'Console', textBlock(report.console));
  section(
    lines,
    'Firmware log (an observation overlay; the real VMM has no such port)',
    textBlock(report.firmwareLog),
  );
  section(lines, 'Text screen (memory at 0xb8000, which nobody displays)', textBlock(report.screen));
  section(lines, 'Exits', exitsText(report.exits));
  section(
    lines,
    'Final state',
    report.vcpus.flatMap(({ registers, mode, symbol }, index) => [
      `vCPU ${index}: ${mode}${symbol === null ? '' : `, at ${symbol}`}`,
      ...registersText(registers),
    ]),
  );
  section(
    lines,
    'Not modelled',
    report.notModelled.flatMap((item) => wrap(item, style, '', '- ')),
  );
  return lines.join('\n') + '\n';
}

/** `1 431 600 000 instructions in 6.70 s, 214 MIPS`; of a continued run the new ones. */
function paceText({ instructions, instructionsBefore, milliseconds }: BootReport): string {
  const own = instructions - instructionsBefore;
  const rate = milliseconds > 0 ? `, ${(own / milliseconds / 1000).toFixed(0)} MIPS` : '';
  const before = instructionsBefore > 0 ? ` after the ${ticksText(instructionsBefore)} of the saved run` : '';
  return `${ticksText(own)} instructions in ${(milliseconds / 1000).toFixed(2)} s${rate}${before}`;
}

/** Of a machine that did not start there is the reason to tell, and in a config its place. */
function notStartedText(lines: readonly string[], report: BootReport, { pathOf }: ReportStyle): string {
  const text = [...lines];
  section(
    text,
    'Findings',
    tellingFindings(report).flatMap((finding) => findingText(finding, pathOf)),
  );
  return text.join('\n') + '\n';
}

/** Without those that neither say more than the reason, which is printed above them, nor point to a place. */
function tellingFindings({ findings, reason }: BootReport): BootReport['findings'] {
  return findings.filter(({ at, message }) => at !== null || message !== reason);
}

function section(lines: string[], title: string, body: readonly string[]): void {
  if (body.length === 0) return;
  lines.push('', title);
  // One by one: a console has more lines than a call takes arguments.
  for (const line of body) lines.push(line ? '  ' + line : '');
}

function textBlock(text: string): string[] {
  if (!text.trim()) return [];
  return withoutEscapes(text).replace(/\r/g, '').replace(/\n+$/, '').split('\n').map(printable);
}

function faultChainText(faults: readonly ReportedFault[], machine: Machine, style: ReportStyle): string[] {
  return faults.flatMap((fault, index) => {
    const { state } = fault;
    const code = fault.errorCode === null ? '' : ` (error code ${hex(fault.errorCode)})`;
    const address = modeOf(state) === 'long' ? state.rip : state.segments.cs.base + state.rip;
    const lines = [
      `${index + 1}. ${exceptionTitle(fault.vector)}${code} at ${hex(state.segments.cs.selector)}:${hex(state.rip)}, linear ${hex(address)}${fault.symbol === null ? '' : ` (${fault.symbol})`}, ${modeOf(state)} mode, vCPU ${fault.vcpu}, instruction ${ticksText(fault.at)}`,
      ...wrap(fault.reason, style, '   '),
    ];
    // With paging off a linear address is a guest-physical one, so it can be named.
    if ((state.cr0 & (1n << 31n)) === 0n) {
      const region = regionAt(machine, address);
      if (region) {
        const place = region.at ? ` (${placeText(region.at, style.pathOf)})` : '';
        lines.push(`   in ${region.name}, ${region.kind}${place}`);
      }
    }
    return [...lines, ...registersText(state).map((line) => '   ' + line)];
  });
}

function timelineText(report: BootReport): string[] {
  const { lines: shown, repeated } = distinctEvents(report.timeline);
  const lines =
    shown.length <= TIMELINE_LINES
      ? shown
      : [
          ...shown.slice(0, TIMELINE_LINES / 2),
          `… ${shown.length - TIMELINE_LINES} lines …`,
          ...shown.slice(shown.length - TIMELINE_LINES / 2),
        ];
  if (repeated) lines.push('Events that repeat one above are left out here; the JSON report has them.');
  if (report.timelineDropped)
    lines.push(`${ticksText(report.timelineDropped)} events in the middle were not kept.`);
  return lines;
}

/** Kinds of exits that are printed: the most frequent ones. */
const EXIT_LINES = 40;

function exitsText(exits: readonly ExitCount[]): string[] {
  const rows = [...exits].sort((a, b) => b.count - a.count).slice(0, EXIT_LINES);
  const lines = rows.map((exit) => {
    const { kind, at, count } = exit;
    const answered = answeredBy(exit);
    return `${ticksText(count).padStart(12)}  ${kind}${at === null ? '' : ' ' + hex(at)}${answered ? `  (${answered})` : ''}`;
  });
  const more = exits.length - rows.length;
  return more > 0 ? [...lines, `${more} rarer kinds are in the JSON report.`] : lines;
}

/** The device; for a port that nobody answers what it usually is. */
function answeredBy({ kind, at, device }: ExitCount): string | null {
  if (device !== null || at === null || (kind !== 'in' && kind !== 'out')) return device;
  const name = portName(Number(at));
  return name === null ? 'nobody answers' : `nobody answers; usually ${name}`;
}
