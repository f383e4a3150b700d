/** Where two results of the same case differ. */
import type { Result } from '../stepper/records';
import type { Mode } from '../stepper/stage';

export type Field =
  'steps' | 'vector' | 'error' | 'cr2' | 'rip' | 'rflags' | 'selectors' | 'memory' | 'fx' | `r${number}`;

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
  const stack = mode.bits === 16 ? 0xffffn : mask;
  for (let r = 0; r < (mode.bits === 64 ? 16 : 8); r++) {
    const m = r === 4 ? stack : mask;
    if (((a.general[r] ?? 0n) & m) !== ((b.general[r] ?? 0n) & m)) fields.add(`r${r}`);
  }
  if (a.selectors.some((selector, i) => selector !== b.selectors[i])) fields.add('selectors');
  if (!same(a.memory, b.memory)) fields.add('memory');
  if (!same(a.fx, b.fx)) fields.add('fx');
  return fields;
}

export const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
