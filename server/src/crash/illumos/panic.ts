/** What an illumos kernel panic says, as the kernel, mdb or fmdump print it: nothing is interpreted here. */
import { MIB } from '../../address/range';
import type { Located } from '../dumpFormat';
import type { DumpLine } from '../dumpText';

/** `assertion failed: EXPR (0xL op 0xR), file: F, line: N`; the operands are there for VERIFY3 and ASSERT3 only. */
export interface Assertion {
  readonly expression: string;
  readonly operands: { readonly left: bigint; readonly operator: string; readonly right: bigint } | null;
  readonly file: string;
  readonly line: number;
}

export interface IllumosFrame {
  /** Null where the kernel knew no symbol for the address. */
  readonly module: string | null;
  readonly symbol: string | null;
  readonly offset: bigint | null;
  /** A host address; only printed where there is no symbol. */
  readonly address: bigint | null;
  readonly line: DumpLine;
}

/** A value of the interrupt command register that somebody wrote beside the panic. */
export interface MentionedIcr {
  readonly value: bigint;
  readonly line: DumpLine;
}

export interface IllumosPanic extends Located {
  cpu: number | null;
  /** The text has the words that make the message a panic’s. */
  headed: boolean;
  message: string;
  messageLine: DumpLine;
  assertion: Assertion | null;
  /** Innermost first, as printed. */
  readonly frames: IllumosFrame[];
  icr: MentionedIcr | null;
  first: DumpLine;
  last: DumpLine;
}

const ASSERTION =
  /^assertion failed: (.{1,400}?)(?: \(0x([0-9a-f]{1,16}) (==|!=|<=|>=|<|>) 0x([0-9a-f]{1,16})\))?, file: (\S{1,300}), line: (\d{1,7})/;

export function readAssertion(message: string): Assertion | null {
  const match = ASSERTION.exec(message);
  if (!match) return null;
  const [, expression = '', left, operator = '', right, file = '', line] = match;
  return {
    expression,
    operands:
      left === undefined || right === undefined
        ? null
        : { left: BigInt('0x' + left), operator, right: BigInt('0x' + right) },
    file,
    line: Number(line),
  };
}

/**
 * `FP module:function+OFF ()` and `FP ADDRESS ()` (usr/src/uts/intel/os/archdep.c, traceback), the same without FP in a
 * panicstack, and mdb's `FP module`function+0xOFF(ARGUMENTS)`. All numbers are hex, with 0x or without.
 */
const FRAME =
  /^(?:[0-9a-f]{8,16} )?(?:([\w.$-]{1,64})[:`])?([A-Za-z_.$][\w.$]{0,255})\+(?:0x)?([0-9a-f]{1,16}) ?\(([^()]{0,400})\)/;
const NAMELESS_FRAME = /^(?:[0-9a-f]{16} )?([0-9a-f]{8,16}) ?\(\)/;

export function readFrame(text: string, line: DumpLine): IllumosFrame | null {
  const nameless = NAMELESS_FRAME.exec(text);
  if (nameless) {
    return { module: null, symbol: null, offset: null, address: BigInt('0x' + nameless[1]!), line };
  }
  const match = FRAME.exec(text);
  if (!match) return null;
  const [, module, symbol = '', offset = ''] = match;
  return { module: module ?? null, symbol, offset: BigInt('0x' + offset), address: null, line };
}

/** The kernel names an address by the nearest symbol before it: at a greater distance it is of another function. */
const FARTHEST = MIB;

/** False for a frame without a symbol, and for one whose symbol cannot be the function that it is in. */
export function isReliable({ offset }: IllumosFrame): boolean {
  return offset !== null && offset <= FARTHEST;
}

/** `vmm:vm_run+43a`, or the address where there is no symbol. */
export function formatFrame({ module, symbol, offset, address }: IllumosFrame): string {
  if (symbol === null || offset === null) return (address ?? 0n).toString(16);
  return `${module === null ? '' : `${module}:`}${symbol}+${offset.toString(16)}`;
}
