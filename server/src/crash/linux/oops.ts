/** What a Linux x86 oops says, as the kernel printed it: nothing is interpreted here. */
import type { DumpLine } from '../dumpText';
import type { RegisterBlock } from '../registerBlock';

/** What the header reports. `fragment` is a register dump whose header is not in the text. */
export type OopsKind =
  | 'page-fault'
  | 'general-protection'
  | 'double-fault'
  | 'stack-guard'
  | 'invalid-opcode'
  | 'divide-error'
  | 'bug'
  | 'panic'
  | 'other'
  | 'fragment';

/** A printed symbol: `name+offset/size`. */
export interface SymbolOffset {
  readonly name: string;
  readonly offset: bigint;
  readonly size: bigint;
}

export interface CodeBytes {
  readonly bytes: readonly number[];
  /** Index of the byte at RIP; -1 where the line marks none. */
  readonly marker: number;
}

/**
 * One register block: everything between a `RIP:` line and the next one. The kernel's block comes first, a user frame
 * that led into the kernel has a block of its own.
 */
export interface OopsBlock extends RegisterBlock {
  symbol: SymbolOffset | null;
  code: CodeBytes | null;
  /** The address of `Code: Unable to access opcode bytes at …`, where the kernel printed no bytes. */
  codeRefused: bigint | null;
}

export interface TraceFrame {
  readonly symbol: SymbolOffset;
  /** False for frames marked `?`. */
  readonly reliable: boolean;
  /** `<IRQ>`, `<#DF>`: the stack that it was found on; empty where none was named. */
  readonly stack: string;
  readonly line: DumpLine;
}

export interface PageWalkEntry {
  readonly level: 'PGD' | 'P4D' | 'PUD' | 'PMD' | 'PTE';
  readonly value: bigint;
}

export interface LinuxOops {
  kind: OopsKind;
  arch: 'x86-64' | 'i386' | null;
  /** The kernel's own words for the exception: `double fault`. */
  title: string;
  readonly headerLines: DumpLine[];
  /** The number in `[#1]`; null where the die line is missing. */
  number: number | null;
  /** The exception's error code as the die line prints it. */
  errorCode: bigint | null;
  /** `SMP`, `PTI`, … of the die line. */
  flags: readonly string[];
  /** The address that a page fault or #GP header names. */
  faultAddress: bigint | null;
  /** The line that names it. */
  faultLine: DumpLine | null;
  /** `supervisor read access in kernel mode`. */
  access: string | null;
  accessReason: string | null;
  readonly walk: PageWalkEntry[];
  walkLine: DumpLine | null;
  panic: string | null;
  panicLine: DumpLine | null;
  /** The target of `Missing ENDBR: …`: the kernel recorded a #CP. */
  missingEndbr: string | null;
  cpu: number | null;
  process: string | null;
  /** Letters of `Tainted:`, empty where the kernel is not; null where the text does not tell. */
  taint: string | null;
  processLine: DumpLine | null;
  kernel: string | null;
  hardware: string | null;
  hardwareLine: DumpLine | null;
  readonly blocks: OopsBlock[];
  readonly trace: TraceFrame[];
  first: DumpLine;
  last: DumpLine;
}

export function newOops(kind: OopsKind, line: DumpLine): LinuxOops {
  return {
    kind,
    arch: null,
    title: '',
    headerLines: [],
    number: null,
    errorCode: null,
    flags: [],
    faultAddress: null,
    faultLine: null,
    access: null,
    accessReason: null,
    walk: [],
    walkLine: null,
    panic: null,
    panicLine: null,
    missingEndbr: null,
    cpu: null,
    process: null,
    taint: null,
    processLine: null,
    kernel: null,
    hardware: null,
    hardwareLine: null,
    blocks: [],
    trace: [],
    first: line,
    last: line,
  };
}

export function newBlock(): OopsBlock {
  return {
    values: new Map(),
    segments: new Map(),
    symbol: null,
    code: null,
    codeRefused: null,
    lines: new Map(),
  };
}

/** The block of the fault: the first one. Later ones are a user frame or the repetition after the end of the trace. */
export function faultBlock(oops: LinuxOops): OopsBlock | null {
  return oops.blocks[0] ?? null;
}

export function formatSymbol(symbol: SymbolOffset): string {
  return `${symbol.name}+0x${symbol.offset.toString(16)}/0x${symbol.size.toString(16)}`;
}
