/** Crash text to report: find the oopses, read each, apply the rules, look its addresses up in the machines. */
import { hex } from '../address/format';
import type { Document } from '../machine/language';
import type { Machine } from '../machine/machine';
import { memmap } from '../memory-map/language';
import type { SourceText } from '../text/sourceText';
import type { Candidate, CrashFacts } from './crashFacts';
import { DumpText, type DumpLine } from './dumpText';
import { faultBlock, formatSymbol, type LinuxOops } from './linuxOops';
import { scanOopses, type OopsScan } from './linuxOopsParser';
import { readReboot } from './linuxReboot';
import { mappings } from './locate';
import { readMode } from './mode';
import { OtherFormatCounter } from './otherFormats';
import type { Crash, CrashFinding, CrashRegisters, CrashReport } from './report';
import { applyRules } from './rules';
import { hypothesesOf } from './rules/knownIssueMatch';
import { identifyVmm } from './vmmIdentity';

export interface DecodeContext {
  /** Machines that the crash may have happened in. A memory map in the dump's own text is taken besides. */
  readonly machines: readonly Machine[];
  /** The documents that they come from; they tell whether a version was named or the newest was assumed. */
  readonly documents?: readonly Document[];
  /** Also findings of low confidence. */
  readonly includeLow?: boolean;
}

/** Deterministic; never throws. Without a crash `misses` says what was looked for and what came nearest. */
export function decode(source: SourceText, context: DecodeContext): CrashReport {
  const text = new DumpText(source);
  const others = new OtherFormatCounter();
  const scan = scanOopses(counted(text.lines(), others));
  const ranked = rank(scan.oopses);
  const machines = ranked.length > 0 ? [...context.machines, ...inlineMachines(source)] : [];
  const crashes = ranked.map(({ oops, place, siblings }) =>
    decodeOops(text, oops, place, siblings, { ...context, machines }),
  );
  return { crashes, misses: crashes.length > 0 ? droppedNote(scan) : misses(text, scan, others) };
}

/** The memory maps that stand in the dump's own text: a boot log before the crash has the guest's E820 map. */
function inlineMachines(source: SourceText): readonly Machine[] {
  if (!memmap.recognise(source.text, source.uri)) return [];
  return memmap.parse(source, { files: new Map() }).machines;
}

function* counted(lines: Iterable<DumpLine>, others: OtherFormatCounter): Generator<DumpLine, void, void> {
  for (const line of lines) {
    others.line(line);
    yield line;
  }
}

interface Ranked {
  readonly oops: LinuxOops;
  readonly place: number;
  readonly siblings: number;
}

/** The oopses of one machine together, by their number: `#1` has the root cause. Machines in the text's order. */
function rank(oopses: readonly LinuxOops[]): Ranked[] {
  const machines = new Map<string, LinuxOops[]>();
  for (const oops of oopses) {
    const key = `${oops.first.machine}\n${oops.hardware ?? ''}`;
    const group = machines.get(key);
    if (group) group.push(oops);
    else machines.set(key, [oops]);
  }
  return [...machines.values()].flatMap((group) => {
    // A stable sort: without a number an oops keeps its place among the others.
    const order = group.map((oops, index) => ({ oops, number: oops.number ?? index + 1 }));
    order.sort((a, b) => a.number - b.number);
    return order.map(({ oops }, index) => ({ oops, place: index + 1, siblings: group.length }));
  });
}

function decodeOops(
  text: DumpText,
  oops: LinuxOops,
  place: number,
  siblings: number,
  context: DecodeContext,
): Crash {
  const block = faultBlock(oops);
  const vmm = oops.hardware ? identifyVmm(oops.hardware) : null;
  const facts: CrashFacts = {
    text,
    oops,
    block,
    mode: readMode(oops),
    vmm,
    candidates: candidates(context, vmm?.model ?? null),
    reboot: block ? readReboot(block) : null,
    rank: place,
    siblings,
  };
  const findings = applyRules(facts, context.includeLow === true);
  const hypotheses = hypothesesOf(facts);
  const rootCause = rootCauseOf(findings);
  return {
    format: 'linux-oops',
    title: titleOf(facts),
    verdict: verdictOf(facts, findings, hypotheses.length, rootCause),
    mode: facts.mode.mode,
    modeReason: facts.mode.reason,
    registers: registersOf(facts),
    findings,
    rootCause,
    hypotheses,
    mappings: mappings(facts),
    at: text.between(oops.first, oops.last),
  };
}

/** Machines of the VMM that the dump names, and bare memory maps. Where the dump names none, all of them. */
function candidates(context: DecodeContext, model: string | null): Candidate[] {
  const assumed = new Set(
    (context.documents ?? [])
      .filter(({ choiceReason }) => choiceReason === 'newest')
      .flatMap(({ machines }) => machines),
  );
  return context.machines
    .filter(({ vmm }) => model === null || vmm === null || vmm === model)
    .map((machine) => ({ machine, versionAssumed: assumed.has(machine) }));
}

/** A finding that names a cause and is no mere possibility; else the cause is open. */
function rootCauseOf(findings: readonly CrashFinding[]): CrashFinding | null {
  return (
    findings.find(
      ({ cause, confidence }) => cause !== null && (confidence === 'certain' || confidence === 'likely'),
    ) ?? null
  );
}

function titleOf({ oops, block, vmm }: CrashFacts): string {
  const number = oops.number === null ? '' : ` [#${oops.number}]`;
  const what =
    oops.kind === 'fragment'
      ? 'Registers of a Linux kernel without a header'
      : `Linux ${oops.kind === 'panic' ? `panic: ${oops.panic}` : oops.title || oops.kind.replaceAll('-', ' ')}`;
  const rip = block?.values.get('rip');
  const cs = block?.segments.get('cs')?.selector;
  const selector = cs === undefined || cs === null ? '' : `${cs.toString(16).padStart(4, '0')}:`;
  const where = block?.symbol
    ? ` in ${formatSymbol(block.symbol)}`
    : rip === undefined
      ? ''
      : ` at ${selector}${hex(rip)}`;
  const who = [oops.process, oops.kernel ? `Linux ${oops.kernel}` : null, vmm?.title ?? oops.hardware].filter(
    (part) => part !== null,
  );
  return `${what}${number}${where}${who.length > 0 ? ` (${who.join(', ')})` : ''}`;
}

/** One or two sentences that come before the evidence. */
function verdictOf(
  facts: CrashFacts,
  findings: readonly CrashFinding[],
  hypotheses: number,
  rootCause: CrashFinding | null,
): string {
  const has = (code: string): boolean => findings.some((finding) => finding.code === code);
  if (rootCause) return rootCause.message;
  if (has('restart-entry-not-executed') && has('exception-frame-not-pushed')) {
    const open =
      hypotheses > 0 ? ` It is consistent with ${hypotheses} hypotheses; none is established.` : '';
    return `Linux BIOS reboot path. A fault at the first instruction after the jump to the restart code could not be delivered: the push onto the stack pointer, cut to 32 bits, faulted too. The first fault is not in the dump.${open}`;
  }
  if (has('exception-frame-not-pushed')) {
    return 'An exception could not be delivered, because the CPU could not push its frame. The first fault is not in the dump.';
  }
  const possible = findings.find(({ confidence, cause }) => confidence === 'possible' && cause !== null);
  if (possible) return `Possibly: ${possible.message}`;
  if (facts.oops.kind === 'fragment') {
    return 'Unexplained: the text has registers without the header that says what happened.';
  }
  return 'Unexplained: no rule knows a cause for this crash. What the kernel reported stands below.';
}

function registersOf({ block }: CrashFacts): CrashRegisters {
  const values: Record<string, bigint> = {};
  for (const [name, value] of block?.values ?? []) values[name] = value;
  const segments: CrashRegisters['segments'] = Object.fromEntries(
    [...(block?.segments ?? [])].map(([name, { selector, base }]) => [
      name,
      { selector, base, limit: null, attributes: null },
    ]),
  );
  return { values, segments };
}

function droppedNote({ dropped }: OopsScan): string[] {
  return dropped > 0 ? [`${dropped} more oopses follow in the text; only the first ones are decoded.`] : [];
}

/** What was looked for, and the nearest that the text has. */
function misses(text: DumpText, scan: OopsScan, others: OtherFormatCounter): string[] {
  const found: string[] = [];
  const place = (line: DumpLine): string => `line ${text.at(line).range.start.line + 1}`;
  for (const { arch, line } of scan.foreign) {
    found.push(`${arch} oops at ${place(line)}: not decoded here, only x86 is.`);
  }
  for (const { title, line } of others.seen()) {
    found.push(`This looks like ${title} (${place(line)}): this format is not decoded yet.`);
  }
  for (const line of scan.notices) {
    found.push(
      `The report at ${place(line)} is a kernel warning or stall, no crash: "${line.text.slice(0, 80)}".`,
    );
  }
  if (text.source.text.trim() === '') found.push('The text is empty.');
  found.push(
    'Looked for a Linux x86 oops: a line with "BUG: unable to handle", "kernel NULL pointer dereference", "PANIC: double fault", "kernel BUG at", "Kernel panic - not syncing" or an oops number such as "[#1]", or at least eight registers after a kernel "RIP:" line.',
  );
  return found;
}
