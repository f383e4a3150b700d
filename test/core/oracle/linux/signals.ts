/** Traps of 32-bit processes as signals: which one, and the frame that its handler finds (Linux arch/x86: traps.c, signal_32.c). */
import type { GeneralRegister, VcpuState } from '../../../../server/src/x86/state';
import type { AddressSpace } from './addressSpace';
import { loaded, SELECTOR } from './descriptorTables';

export interface Trap {
  readonly vector: number;
  readonly errorCode: number;
  readonly cr2: bigint;
}

export interface Signal {
  readonly number: number;
  readonly code: number;
  readonly address: bigint;
}

const SIGILL = 4;
const SIGTRAP = 5;
const SIGBUS = 7;
const SIGFPE = 8;
const SIGSEGV = 11;
const FROM_KERNEL = 0x80;

export function signalOf({ vector, errorCode, cr2 }: Trap, ip: bigint): Signal | null {
  switch (vector) {
    case 0:
      return { number: SIGFPE, code: 1, address: ip };
    case 1:
      return { number: SIGTRAP, code: 2, address: ip };
    case 3:
      return { number: SIGTRAP, code: FROM_KERNEL, address: 0n };
    case 4:
    case 5:
    case 13:
      return { number: SIGSEGV, code: FROM_KERNEL, address: 0n };
    case 6:
      return { number: SIGILL, code: 2, address: ip };
    case 11:
    case 12:
      return { number: SIGBUS, code: FROM_KERNEL, address: 0n };
    case 14:
      return { number: SIGSEGV, code: (errorCode & 1) !== 0 ? 2 : 1, address: cr2 };
    case 17:
      return { number: SIGBUS, code: 1, address: 0n };
    default:
      return null;
  }
}

/** In the order of struct sigcontext_32 behind the four data segments. */
const SAVED: readonly GeneralRegister[] = ['rdi', 'rsi', 'rbp', 'rsp', 'rbx', 'rdx', 'rcx', 'rax'];
const SEGMENTS = ['gs', 'fs', 'es', 'ds'] as const;
const INFO = 16n;
const CONTEXT = INFO + 128n;
const REGISTERS = CONTEXT + 20n;
const FRAME_SIZE = CONTEXT + 116n + 8n;
const DF_RF_TF = 0x10500n;

export interface Handler {
  readonly entry: bigint;
  readonly restorer: bigint;
}

/** The state in which a handler begins, its frame pushed; null where the stack cannot take it. */
export function enterHandler(
  space: AddressSpace,
  state: VcpuState,
  handler: Handler,
  signal: Signal,
  trap: Trap,
): VcpuState | null {
  const frame = ((((state.general.rsp - FRAME_SIZE) & 0xffffffffn) + 4n) & ~15n) - 4n;
  const words: readonly (readonly [offset: bigint, value: bigint | number])[] = [
    [0n, handler.restorer],
    [4n, signal.number],
    [8n, frame + INFO],
    [12n, frame + CONTEXT],
    [INFO, signal.number],
    [INFO + 8n, signal.code],
    [INFO + 12n, signal.address],
    ...SEGMENTS.map((name, i) => [REGISTERS + 4n * BigInt(i), state.segments[name].selector] as const),
    ...SAVED.map((name, i) => [REGISTERS + 16n + 4n * BigInt(i), state.general[name]] as const),
    [REGISTERS + 48n, trap.vector],
    [REGISTERS + 52n, trap.errorCode],
    [REGISTERS + 56n, state.rip],
    [REGISTERS + 60n, state.segments.cs.selector],
    [REGISTERS + 64n, state.rflags],
    [REGISTERS + 68n, state.general.rsp],
    [REGISTERS + 72n, state.segments.ss.selector],
    [REGISTERS + 84n, trap.cr2],
  ];
  if (!space.write(frame, new Uint8Array(Number(FRAME_SIZE)))) return null;
  for (const [offset, value] of words) space.put(frame + offset, value, 4);
  const data = loaded(space, SELECTOR.userData);
  const general = {
    ...state.general,
    rsp: frame,
    rax: BigInt(signal.number),
    rdx: frame + INFO,
    rcx: frame + CONTEXT,
  };
  const segments = { ...state.segments, cs: loaded(space, SELECTOR.user32), ss: data, ds: data, es: data };
  return { ...state, general, segments, rip: handler.entry, rflags: state.rflags & ~DF_RF_TF };
}

/** What rt_sigreturn brings back; the handler's RET has popped the frame's first word. */
export function leaveHandler(space: AddressSpace, state: VcpuState): VcpuState {
  const frame = state.general.rsp - 4n;
  const word = (offset: bigint): bigint => space.number(frame + REGISTERS + offset, 4);
  const general = { ...state.general };
  SAVED.forEach((name, i) => (general[name] = word(16n + 4n * BigInt(i))));
  const segments = { ...state.segments };
  SEGMENTS.forEach((name, i) => (segments[name] = loaded(space, Number(word(4n * BigInt(i))))));
  segments.cs = loaded(space, Number(word(60n)) | 3);
  segments.ss = loaded(space, Number(word(72n)) | 3);
  return { ...state, general, segments, rip: word(56n), rflags: word(64n) };
}
