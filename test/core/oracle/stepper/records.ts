/** Cases and results as bytes: the form that the stepper ROM and the Linux program read and write. */
import { CODE_SIZE, WINDOW_BYTES } from './stage';

/** What is prepared, and how far it runs. */
export interface Case {
  /** Instructions (or iterations of REP) to run; fewer when one faults or leaves the code. */
  readonly steps: number;
  /** RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15. */
  readonly general: readonly bigint[];
  readonly rip: number;
  readonly rflags: number;
  /** WINDOW_BYTES of them. */
  readonly memory: Uint8Array;
  /** Flags to forget after the instruction that begins at that offset of the code. */
  readonly undefinedFlags: ReadonlyMap<number, number>;
  /** An FXSAVE image; null: whatever the state is. */
  readonly fx: Uint8Array | null;
}

export interface Result {
  readonly steps: number;
  /** 1 where all steps were made. */
  readonly vector: number;
  readonly errorCode: number;
  readonly cr2: bigint;
  readonly general: readonly bigint[];
  readonly rip: bigint;
  readonly rflags: number;
  /** CS, SS, DS, ES, FS, GS. */
  readonly selectors: readonly number[];
  readonly memory: Uint8Array;
  /** Where the last instruction began. */
  readonly last: bigint;
  readonly fx: Uint8Array;
}

export const CASE = {
  steps: 0,
  options: 4,
  general: 8,
  rip: 0x88,
  rflags: 0x90,
  memory: 0xa0,
  masks: 0x460,
  fx: 0x660,
  size: 0x880,
} as const;
export const RESULT = {
  steps: 0,
  vector: 4,
  error: 8,
  cr2: 0x10,
  general: 0x18,
  rip: 0x98,
  rflags: 0xa0,
  selectors: 0xa8,
  memory: 0xc0,
  last: 0x480,
  fx: 0x490,
  size: 0x6c0,
} as const;
export const OPTION_FX = 1;

if (CASE.memory + WINDOW_BYTES !== CASE.masks || RESULT.memory + WINDOW_BYTES !== RESULT.last)
  throw new Error('the windows do not fit the records');

export function encodeCases(cases: readonly Case[]): Uint8Array {
  const bytes = new Uint8Array(cases.length * CASE.size);
  const view = new DataView(bytes.buffer);
  cases.forEach((each, i) => {
    const at = i * CASE.size;
    view.setUint32(at + CASE.steps, each.steps, true);
    view.setUint32(at + CASE.options, each.fx ? OPTION_FX : 0, true);
    each.general.forEach((value, r) => view.setBigUint64(at + CASE.general + 8 * r, value, true));
    view.setBigUint64(at + CASE.rip, BigInt(each.rip), true);
    view.setBigUint64(at + CASE.rflags, BigInt(each.rflags), true);
    bytes.set(each.memory, at + CASE.memory);
    for (const [offset, flags] of each.undefinedFlags) {
      if (offset < CODE_SIZE) view.setUint16(at + CASE.masks + 2 * offset, flags, true);
    }
    if (each.fx) bytes.set(each.fx, at + CASE.fx);
  });
  return bytes;
}

export function decodeResult(bytes: Uint8Array, index: number): Result {
  const at = index * RESULT.size;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, RESULT.size);
  return {
    steps: view.getUint32(RESULT.steps, true),
    vector: view.getUint32(RESULT.vector, true),
    errorCode: view.getUint32(RESULT.error, true),
    cr2: view.getBigUint64(RESULT.cr2, true),
    general: Array.from({ length: 16 }, (_, r) => view.getBigUint64(RESULT.general + 8 * r, true)),
    rip: view.getBigUint64(RESULT.rip, true),
    rflags: Number(view.getBigUint64(RESULT.rflags, true) & 0xffffffffn),
    selectors: Array.from({ length: 6 }, (_, s) => view.getUint16(RESULT.selectors + 2 * s, true)),
    memory: bytes.slice(at + RESULT.memory, at + RESULT.memory + WINDOW_BYTES),
    last: view.getBigUint64(RESULT.last, true),
    fx: bytes.slice(at + RESULT.fx, at + RESULT.fx + 512),
  };
}
