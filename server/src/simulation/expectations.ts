/** What a boot plan expects, held against the report of its run. */
import { hex } from '../address/format';
import type { Expectation, ExpectedRegister } from '../boot-plan/plan';
import type { SourceRange } from '../text/position';
import { exceptionName } from '../x86/exceptions';
import type { GeneralRegister, SegmentName, VcpuState } from '../x86/state';
import { SEGMENTS } from '../x86/state';
import { FINDING_SEVERITY } from './outcomeSeverity';
import { matchesEvent, type ExpectationWatch } from './expectationWatch';
import type { BootReport } from './report';

/** An expectation that the run did not meet. */
export interface MissedExpectation {
  /** As the plan has it. */
  readonly expected: string;
  /** What was there instead, after “but”. */
  readonly actual: string;
  /** Null for what every plan expects. */
  readonly at: SourceRange | null;
}

/** What of a report expectations look at. */
export type RunResult = Pick<
  BootReport,
  | 'outcome'
  | 'reason'
  | 'instructions'
  | 'exitStatus'
  | 'vcpus'
  | 'console'
  | 'firmwareLog'
  | 'timeline'
  | 'faultChain'
>;

/** In the order of the plan; first of all what was not expected and is wrong in any run. */
export function missedExpectations(
  expectations: readonly Expectation[],
  result: RunResult,
  watch: ExpectationWatch,
): MissedExpectation[] {
  const bad = badEnd(expectations, result);
  const missed = expectations.flatMap((expectation) => {
    const found = compare(expectation, result, watch);
    if (found === null) return [];
    const { actual, expected = expectation.text, at = expectation.at } = found;
    return [{ expected, actual, at }];
  });
  return bad === null ? missed : [bad, ...missed];
}

/** Whether the plan says that the run may end so. */
export function expectsOutcome(
  expectations: readonly Expectation[],
  outcome: BootReport['outcome'],
): boolean {
  return expectations.some(
    (one) =>
      (one.kind === 'outcome' && one.outcomes.includes(outcome)) ||
      (one.kind === 'fault-chain' && outcome === 'triple-fault' && one.vectors.length > 0),
  );
}

/** A run that ends in an error has failed where the plan does not say how it ends. */
function badEnd(
  expectations: readonly Expectation[],
  { outcome, reason }: RunResult,
): MissedExpectation | null {
  if (FINDING_SEVERITY[outcome] !== 'error' || expectsOutcome(expectations, outcome)) return null;
  if (expectations.some(({ kind }) => kind === 'outcome')) return null;
  return { expected: `the run ends without ${outcome}`, actual: sentence(reason), at: null };
}

interface Difference {
  readonly actual: string;
  readonly expected?: string;
  readonly at?: SourceRange;
}

function compare(expectation: Expectation, result: RunResult, watch: ExpectationWatch): Difference | null {
  switch (expectation.kind) {
    case 'outcome':
      return expectation.outcomes.includes(result.outcome)
        ? null
        : { actual: `the outcome was ${result.outcome}: ${sentence(result.reason)}` };
    case 'mode-reached': {
      const modes = [...new Set([...watch.modes, ...result.vcpus.map(({ mode }) => mode)])];
      if (modes.includes(expectation.mode)) return null;
      return { actual: modes.length === 0 ? 'no vCPU was started' : `the modes were ${modes.join(', ')}` };
    }
    case 'mode-at-end': {
      const vcpu = result.vcpus[expectation.vcpu];
      if (!vcpu) return { actual: missingVcpu(expectation.vcpu, result) };
      return vcpu.mode === expectation.mode ? null : { actual: `it was ${vcpu.mode}` };
    }
    case 'console':
    case 'firmware-log':
      return compareText(expectation, result, watch);
    case 'register':
      return compareRegister(expectation.register, expectation.vcpu, result);
    case 'no-fault':
      return compareFaults(result, watch);
    case 'fault-chain': {
      const vectors = result.faultChain.map(({ vector }) => vector);
      if (vectors.join() === expectation.vectors.join()) return null;
      return { actual: vectors.length === 0 ? 'there was none' : `it was ${namesOf(vectors)}` };
    }
    case 'exits-in-order': {
      const came = watch.progressOf(expectation);
      const next = expectation.exits[came];
      if (!next) return null;
      const before = expectation.exits[came - 1];
      const actual = before ? `it did not come after ${before.value.text}` : 'it did not come';
      return { expected: `the exit ${next.value.text} comes in its order`, actual, at: next.at };
    }
    case 'exit-count': {
      const came = watch.progressOf(expectation);
      const { least, most } = expectation.count;
      return came >= least && came <= most ? null : { actual: `it came ${times(came)}` };
    }
    case 'max-instructions':
      return result.instructions <= expectation.most
        ? null
        : { actual: `it was still running after ${result.instructions}` };
    case 'event':
      return compareEvent(expectation, result, watch);
    case 'exit-status':
      if (result.exitStatus === expectation.status) return null;
      return { actual: result.exitStatus === null ? 'there was none' : `it was ${result.exitStatus}` };
  }
}

function compareText(
  expectation: Extract<Expectation, { readonly kind: 'console' | 'firmware-log' }>,
  result: RunResult,
  watch: ExpectationWatch,
): Difference | null {
  const came = watch.progressOf(expectation) > 0;
  if (came !== expectation.absent) return null;
  const text = expectation.kind === 'console' ? result.console : result.firmwareLog;
  if (expectation.absent) return { actual: 'it was written' };
  if (text === '') return { actual: 'nothing was written' };
  if (text.includes(expectation.contains))
    return { actual: 'it came before a text that is expected earlier' };
  return { actual: `the text ends with ${JSON.stringify(text.slice(-LONGEST_TAIL))}` };
}

/** Characters of a console that are quoted. */
const LONGEST_TAIL = 200;

function compareRegister(register: ExpectedRegister, vcpu: number, result: RunResult): Difference | null {
  const state = result.vcpus[vcpu]?.registers;
  if (!state) return { actual: missingVcpu(vcpu, result) };
  const value = registerOf(state, register.name);
  if (value === null) return { actual: `there is no register ${register.name}` };
  const wrong = (value ^ register.value) & register.mask;
  if (wrong === 0n) return null;
  const bits = register.mask === (1n << 64n) - 1n ? '' : `, which differs in ${hex(wrong)}`;
  return { actual: `it was ${hex(value)}${bits}` };
}

/** By the names of the JSON reports: `rip`, `cs.selector`, `gdtr.base`, `dr7`; null for any other. */
export function registerOf(state: VcpuState, name: string): bigint | null {
  const [register = '', field] = name.split('.');
  const debug = /^dr([0-7])$/.exec(register);
  if (debug) return state.dr[Number(debug[1])] ?? null;
  const outer: unknown = (SEGMENTS as readonly string[]).includes(register)
    ? state.segments[register as SegmentName]
    : register in state.general
      ? state.general[register as GeneralRegister]
      : (state as unknown as Record<string, unknown>)[register];
  const value = field === undefined ? outer : (outer as Record<string, unknown> | undefined)?.[field];
  return typeof value === 'bigint' ? value : typeof value === 'number' ? BigInt(value) : null;
}

function compareFaults(result: RunResult, { fault }: ExpectationWatch): Difference | null {
  const [first] = result.faultChain;
  const found = fault ?? (first && { ...first, rip: first.state.rip });
  if (!found) return null;
  const code = found.errorCode === null ? '' : ` with error code ${hex(found.errorCode)}`;
  const address = found.cr2 === null ? '' : `, CR2 ${hex(found.cr2)}`;
  return {
    actual: `vCPU ${found.vcpu} raised ${exceptionName(found.vector)}${code}${address} at ${hex(found.rip)}, tick ${found.at}`,
  };
}

function compareEvent(
  expectation: Extract<Expectation, { readonly kind: 'event' }>,
  { timeline }: RunResult,
  watch: ExpectationWatch,
): Difference | null {
  if (watch.progressOf(expectation) > 0) return null;
  if (timeline.some((event) => matchesEvent(expectation, event))) return null;
  const same = timeline.filter(({ event }) => event === expectation.event).length;
  if (same === 0) return { actual: `the timeline has no ${expectation.event}` };
  return {
    actual: `the timeline has ${expectation.event} ${times(same)}, and never with these fields`,
  };
}

function missingVcpu(vcpu: number, { vcpus, reason }: RunResult): string {
  return vcpus.length === 0 ? sentence(reason) : `there is no vCPU ${vcpu}: the machine has ${vcpus.length}`;
}

function namesOf(vectors: readonly number[]): string {
  return vectors.map(exceptionName).join(', ');
}

function times(count: number): string {
  return count === 0 ? 'not once' : count === 1 ? 'once' : `${count} times`;
}

/** To go behind a colon: without the full stop. */
function sentence(text: string): string {
  return text.replace(/\.$/, '');
}
