/** `memory` of vm.conf: what parse_size of parse.y makes of a number or a scaled string. */
import { MIB } from '../../address/range';
import type { Token } from './lexer';
import { scanScaled } from './scaledSize';

export type MemorySize =
  /** `bytes` is what the guest gets: `given` rounded down to whole MiB. */
  | { readonly ok: true; readonly bytes: bigint; readonly given: bigint }
  /** `given` is null where the word is no size at all, or not known. */
  | {
      readonly ok: false;
      readonly reason: 'not a size' | 'too small' | 'too large' | 'unknown';
      readonly given: bigint | null;
    };

/** Reads a `memory` value against the limit of a version. */
export function memorySize(value: Token, maxMemory: bigint): MemorySize {
  if (value.kind === 'unknown') return { ok: false, reason: 'unknown', given: null };
  let given: bigint;
  if (value.kind === 'number') {
    given = value.text.length > 40 ? 1n << 63n : BigInt(value.text);
  } else {
    const scaled = scanScaled(value.text);
    if (!scaled.ok)
      return {
        ok: false,
        reason: scaled.reason === 'out of range' ? 'too large' : 'not a size',
        given: null,
      };
    given = scaled.bytes;
  }
  if (given < MIB) return { ok: false, reason: 'too small', given };
  if (given > maxMemory) return { ok: false, reason: 'too large', given };
  return { ok: true, bytes: (given / MIB) * MIB, given };
}
