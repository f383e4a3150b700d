/** Runs cases on the core and on an oracle, and reports what no rule explains, as small as it can be shown. */
import { explain, type OracleName } from '../explained';
import { decodeResult, encodeCases, RESULT, type Case, type Result } from '../stepper/records';
import type { Runner } from '../stepper/runners';
import { CODE_SIZE, CODE_START, WINDOWS, windowAt, type Mode } from '../stepper/stage';
import { differences, fxDifferences, fxPart, same, type Field, type FxPart } from './compare';
import { opcodeOf } from './opcode';

export interface Sum {
  readonly cases: number;
  /** Instructions and iterations of REP that the oracle completed or faulted in. */
  readonly instructions: number;
  readonly explained: ReadonlyMap<string, number>;
  /** Reports of what is not explained. */
  readonly failures: readonly string[];
}

/** Bytes of the instruction at an address. */
export function codeAt(each: Case, mode: Mode, address: bigint): Uint8Array {
  const at = Number(BigInt.asUintN(32, address)) - mode.origin - CODE_START;
  if (at < 0 || at >= CODE_SIZE) return new Uint8Array();
  return each.memory.subarray(windowAt(CODE_START) + at, windowAt(CODE_START) + Math.min(CODE_SIZE, at + 16));
}

export async function differential(
  mode: Mode,
  cases: readonly Case[],
  core: Runner,
  oracle: { readonly name: OracleName; readonly run: Runner },
): Promise<Sum> {
  const encoded = encodeCases(cases);
  const [ours, theirs] = [await core(mode, encoded), await oracle.run(mode, encoded)];
  const explained = new Map<string, number>();
  const failures: string[] = [];
  let instructions = 0;
  for (const [index, each] of cases.entries()) {
    const span = [index * RESULT.size, (index + 1) * RESULT.size] as const;
    const steps = new DataView(theirs.buffer, theirs.byteOffset + span[0], 8);
    instructions += steps.getUint32(0, true) + (steps.getUint32(4, true) === 1 ? 0 : 1);
    if (same(ours.subarray(...span), theirs.subarray(...span))) continue;
    const one = judge(mode, each, decodeResult(ours, index), decodeResult(theirs, index), oracle.name);
    for (const rule of one.rules) explained.set(rule, (explained.get(rule) ?? 0) + 1);
    if (one.unexplained.size === 0) continue;
    if (failures.length >= 20) continue;
    const report = await alone(mode, each, core, oracle);
    if (report === null) explained.set(FOLLOWS, (explained.get(FOLLOWS) ?? 0) + 1);
    else failures.push(report);
  }
  return { cases: cases.length, instructions, explained, failures };
}

const FOLLOWS = 'follows from an explained difference before it';

function judge(mode: Mode, each: Case, core: Result, oracle: Result, name: OracleName) {
  const fields = differences(mode, core, oracle);
  if (fields.size === 0) return { unexplained: fields, rules: [] };
  const instruction = opcodeOf(codeAt(each, mode, core.last), mode.bits);
  return explain(name, { mode, prepared: each, instruction, core, oracle, fields });
}

/**
 * The case by itself, with as few steps as show a difference; null where that is explained, or where the case then agrees:
 * an earlier one had changed the memory beside the windows.
 */
async function alone(
  mode: Mode,
  each: Case,
  core: Runner,
  oracle: { readonly name: OracleName; readonly run: Runner },
): Promise<string | null> {
  let before: Result | null = null;
  for (let steps = 1; steps <= each.steps; steps++) {
    const shorter: Case = { ...each, steps };
    const encoded = encodeCases([shorter]);
    const [a, b] = [
      decodeResult(await core(mode, encoded), 0),
      decodeResult(await oracle.run(mode, encoded), 0),
    ];
    const { unexplained, rules } = judge(mode, shorter, a, b, oracle.name);
    if (unexplained.size > 0) return report(mode, shorter, before, a, b, unexplained, oracle.name);
    if (rules.length > 0) return null;
    before = a;
  }
  return null;
}

const hex = (value: bigint | number): string => value.toString(16);
const bytesText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const NAMES = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi'];
export const registerAt = (number: number): string => NAMES[number] ?? `r${number}`;

function stateText(mode: Mode, state: Pick<Result, 'general' | 'rip' | 'rflags'>): string {
  const count = mode.bits === 64 ? 16 : 8;
  const general = state.general.slice(0, count).map((value, i) => `${registerAt(i)} ${hex(value)}`);
  return `rip ${hex(state.rip)} flags ${hex(state.rflags)} ${general.join(' ')}`;
}

export function outcomeOf({ vector, errorCode, cr2, steps }: Result): string {
  const how = vector === 1 ? 'completed' : `exception ${vector} error ${hex(errorCode)}`;
  return `${how}${vector === 14 ? ` cr2 ${hex(cr2)}` : ''}, ${steps} steps;`;
}

/** Bytes of the windows that differ, as offsets of the arena. */
function memoryText(before: Uint8Array, core: Uint8Array, oracle: Uint8Array): string[] {
  const lines: string[] = [];
  let start = 0;
  for (const { name, at, size } of WINDOWS) {
    for (let i = 0; i < size; i++) {
      const [b, c, o] = [before[start + i], core[start + i], oracle[start + i]];
      if (c !== o)
        lines.push(
          `  ${name} ${hex(at + i)}: before ${hex(b ?? 0)} core ${hex(c ?? 0)} oracle ${hex(o ?? 0)}`,
        );
    }
    start += size;
  }
  return lines.slice(0, 16);
}

function report(
  mode: Mode,
  each: Case,
  before: Result | null,
  core: Result,
  oracle: Result,
  fields: ReadonlySet<Field>,
  name: OracleName,
): string {
  const start = before ?? { ...each, rip: BigInt(each.rip) };
  return [
    `${mode.name}: ${bytesText(codeAt(each, mode, core.last))} differs in ${[...fields].join(', ')}`,
    `  before: ${stateText(mode, start)}`,
    `  core:   ${outcomeOf(core)} ${stateText(mode, core)}`,
    `  ${name}:   ${outcomeOf(oracle)} ${stateText(mode, oracle)}`,
    ...(fields.has('selectors')
      ? [
          `  selectors: core ${core.selectors.map(hex).join(' ')} oracle ${oracle.selectors.map(hex).join(' ')}`,
        ]
      : []),
    ...memoryText((before ?? each).memory, core.memory, oracle.memory),
    ...fxText(each.fx, core.fx, oracle.fx),
  ].join('\n');
}

/** The parts of an FXSAVE image that differ, and what one must know of it anyway. */
function fxText(before: Uint8Array | null, core: Uint8Array, oracle: Uint8Array): string[] {
  const differing = fxDifferences(core, oracle);
  if (differing.length === 0) return [];
  const text = (image: Uint8Array | null, name: FxPart): string =>
    image === null ? '' : bytesText(fxPart(image, name).slice().reverse());
  return [...new Set<FxPart>(['FCW', 'FSW', 'FTW', 'MXCSR', 'ST0', 'ST1', ...differing])].map(
    (name) => `  ${name}: before ${text(before, name)} core ${text(core, name)} oracle ${text(oracle, name)}`,
  );
}
