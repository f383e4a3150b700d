/** Where two results of the same case differ. */
import type { Result } from '../stepper/records';
import type { Mode } from '../stepper/stage';

export type Field =
  'steps' | 'vector' | 'error' | 'cr2' | 'rip' | 'rflags' | 'selectors' | 'memory' | FxPart | `r${number}`;

export type FxPart =
  'FCW' | 'FSW' | 'FTW' | 'FOP' | 'FIP' | 'FDP' | 'MXCSR' | 'MXCSR_MASK' | `ST${number}` | `XMM${number}`;

/** Parts of an FXSAVE image: offset and size (SDM vol. 1, table 10-2). */
const FX_PARTS: readonly (readonly [name: FxPart, at: number, size: number])[] = [
  ['FCW', 0, 2],
  ['FSW', 2, 2],
  ['FTW', 4, 1],
  ['FOP', 6, 2],
  ['FIP', 8, 8],
  ['FDP', 16, 8],
  ['MXCSR', 24, 4],
  ['MXCSR_MASK', 28, 4],
  ...Array.from({ length: 8 }, (_, i) => [`ST${i}`, 32 + 16 * i, 10] as const),
  ...Array.from({ length: 16 }, (_, i) => [`XMM${i}`, 160 + 16 * i, 16] as const),
];

export function fxPart(image: Uint8Array, name: FxPart): Uint8Array {
  const [, at, size] = FX_PARTS.find(([each]) => each === name) ?? ['FCW', 0, 0];
  return image.subarray(at, at + size);
}

/** The parts of two images that differ. */
export function fxDifferences(a: Uint8Array, b: Uint8Array): readonly FxPart[] {
  if (same(a, b)) return [];
  return FX_PARTS.filter(([, at, size]) => !same(a.subarray(at, at + size), b.subarray(at, at + size))).map(
    ([name]) => name,
  );
}

const HAS_ERROR = [8, 10, 11, 12, 13, 14, 17, 21];
const MASKS = { 16: 0xffffffffn, 32: 0xffffffffn, 64: 0xffffffffffffffffn } as const;
/** RF is the oracle's kernel's business. */
const FLAGS = 0x3f7fd7 & ~0x10000;

export function differences(mode: Mode, a: Result, b: Result): ReadonlySet<Field> {
  const fields = new Set<Field>();
  if (a.steps !== b.steps || a.last !== b.last) fields.add('steps');
  if (a.vector !== b.vector) fields.add('vector');
  else {
    if (HAS_ERROR.includes(a.vector) && mode.real !== 'real' && a.errorCode !== b.errorCode)
      fields.add('error');
    if (a.vector === 14 && a.cr2 !== b.cr2) fields.add('cr2');
  }
  const mask = MASKS[mode.bits];
  if ((a.rip & mask) !== (b.rip & mask)) fields.add('rip');
  if ((a.rflags & FLAGS) !== (b.rflags & FLAGS)) fields.add('rflags');
  const stack = mode.bits === 16 && mode.kernel === 'legacy' ? 0xffffn : mask;
  for (let r = 0; r < (mode.bits === 64 ? 16 : 8); r++) {
    const m = r === 4 ? stack : mask;
    if (((a.general[r] ?? 0n) & m) !== ((b.general[r] ?? 0n) & m)) fields.add(`r${r}`);
  }
  if (a.selectors.some((selector, i) => selector !== b.selectors[i])) fields.add('selectors');
  if (!same(a.memory, b.memory)) fields.add('memory');
  for (const part of fxDifferences(a.fx, b.fx)) fields.add(part);
  return fields;
}

export const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
