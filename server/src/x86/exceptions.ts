/** Exceptions: vectors, error codes, and what becomes of one during the delivery of another. SDM vol. 3, 6.3, 6.15 and table 6-5. */

export type ErrorCode =
  | 'none'
  /** Always 0. */
  | 'zero'
  /** EXT, IDT, TI and an index (SDM vol. 3, 6.13). */
  | 'selector'
  | 'page-fault'
  | 'control-protection'
  /** An SVM exit code (#VC) or another value of the vendor's. */
  | 'vendor';

/** SDM vol. 3, table 6-4. */
export type ExceptionClass = 'benign' | 'contributory' | 'page-fault' | 'double-fault';

export interface ExceptionInfo {
  readonly vector: number;
  readonly mnemonic: string;
  readonly name: string;
  readonly type: 'fault' | 'trap' | 'fault or trap' | 'abort' | 'interrupt';
  readonly errorCode: ErrorCode;
  readonly class: ExceptionClass;
}

const row = (
  vector: number,
  mnemonic: string,
  name: string,
  type: ExceptionInfo['type'],
  errorCode: ErrorCode = 'none',
  kind: ExceptionClass = 'benign',
): ExceptionInfo => ({ vector, mnemonic, name, type, errorCode, class: kind });

/**
 * Classes are those of the SDM's table; AMD's own exceptions count as benign: their class is not established.
 * Vectors without a row are reserved (9 was the coprocessor segment overrun of the 386).
 */
export const EXCEPTIONS: readonly ExceptionInfo[] = [
  row(0, '#DE', 'divide error', 'fault', 'none', 'contributory'),
  row(1, '#DB', 'debug', 'fault or trap'),
  row(2, 'NMI', 'non-maskable interrupt', 'interrupt'),
  row(3, '#BP', 'breakpoint', 'trap'),
  row(4, '#OF', 'overflow', 'trap'),
  row(5, '#BR', 'BOUND range exceeded', 'fault'),
  row(6, '#UD', 'invalid opcode', 'fault'),
  row(7, '#NM', 'device not available', 'fault'),
  row(8, '#DF', 'double fault', 'abort', 'zero', 'double-fault'),
  row(10, '#TS', 'invalid TSS', 'fault', 'selector', 'contributory'),
  row(11, '#NP', 'segment not present', 'fault', 'selector', 'contributory'),
  row(12, '#SS', 'stack-segment fault', 'fault', 'selector', 'contributory'),
  row(13, '#GP', 'general protection', 'fault', 'selector', 'contributory'),
  row(14, '#PF', 'page fault', 'fault', 'page-fault', 'page-fault'),
  row(16, '#MF', 'x87 floating-point error', 'fault'),
  row(17, '#AC', 'alignment check', 'fault', 'zero'),
  row(18, '#MC', 'machine check', 'abort'),
  row(19, '#XM', 'SIMD floating-point exception', 'fault'),
  row(20, '#VE', 'virtualization exception', 'fault', 'none', 'page-fault'),
  row(21, '#CP', 'control protection', 'fault', 'control-protection', 'contributory'),
  row(28, '#HV', 'hypervisor injection (AMD)', 'fault or trap'),
  row(29, '#VC', 'VMM communication (AMD)', 'fault', 'vendor'),
  row(30, '#SX', 'security exception (AMD)', 'fault', 'vendor'),
];

const BY_VECTOR = new Map(EXCEPTIONS.map((info) => [info.vector, info]));

/** `#PF page fault`, or `vector 200` for one without a name. */
export function exceptionTitle(vector: number): string {
  const info = BY_VECTOR.get(vector);
  return info ? `${info.mnemonic} ${info.name}` : `vector ${vector}`;
}

/** `#PF`, or `vector 200` for one without a name. */
export function exceptionName(vector: number): string {
  return BY_VECTOR.get(vector)?.mnemonic ?? `vector ${vector}`;
}

/** What happens when `second` is raised while `first` is being delivered (SDM vol. 3, table 6-5). */
export function escalate(first: number, second: number): 'serial' | 'double-fault' | 'shutdown' {
  const before = BY_VECTOR.get(first)?.class ?? 'benign';
  const after = BY_VECTOR.get(second)?.class ?? 'benign';
  if (before === 'double-fault') return after === 'benign' ? 'serial' : 'shutdown';
  if (before === 'contributory' && after === 'contributory') return 'double-fault';
  if (before === 'page-fault' && (after === 'contributory' || after === 'page-fault')) return 'double-fault';
  return 'serial';
}

/** A selector error code in words: `selector 0x10 of the GDT`, `IDT vector 14, external`. Null for 0. */
export function selectorErrorText(code: number): string | null {
  if (code === 0) return null;
  const external = code & 1 ? ', raised by an external event' : '';
  if (code & 2) return `IDT vector ${code >> 3}${external}`;
  return `selector 0x${(code & 0xfffc).toString(16)} of the ${code & 4 ? 'LDT' : 'GDT'}${external}`;
}
