/**
 * A static Linux program, 32-bit or 64-bit, as a process on our core: pages, descriptor tables and traps as Linux sets them
 * up, its system calls answered here. So a test program runs unchanged on the core and on the host's CPU.
 */
import { createCore } from '../../../../server/emulator/core';
import type { Core, CpuProfile } from '../../../../server/emulator/face';
import { parseElf, type ElfImage } from '../../../../server/src/machine/image/elf';
import type { GeneralRegister, VcpuState } from '../../../../server/src/x86/state';
import { AddressSpace, KERNEL, PML4, RAM } from './addressSpace';
import {
  GDT,
  GDT_LIMIT,
  IDT,
  IDT_LIMIT,
  LDT,
  loaded,
  SELECTOR,
  TLS_FIRST,
  TRAP_PORT,
  userDescriptor,
  vectorAt,
  writeLdt,
  writeStartCode,
  writeTables,
} from './descriptorTables';
import { enterHandler, leaveHandler, signalOf, type Handler, type Trap } from './signals';
import { systemCall } from './syscalls';

const SYSCALL = 256;
const INT_80 = 0x80;
const PAGE = 0x1000n;
const STACK_SIZE = 0x100000n;
/** Vectors that push an error code. */
const WITH_ERROR = [8, 10, 11, 12, 13, 14, 17, 21];
const ARGUMENTS_64: readonly GeneralRegister[] = ['rdi', 'rsi', 'rdx', 'r10', 'r8', 'r9'];
const ARGUMENTS_32: readonly GeneralRegister[] = ['rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rbp'];
const USER_FLAGS = 0x202n;

export interface ProcessRun {
  readonly output: string;
  /** `exit 0`, or why the process was killed. */
  readonly end: string;
  readonly instructions: number;
}

/** Runs a program to its end, or until `limit` instructions. Throws where the bytes are no static executable. */
export function runProgram(program: Uint8Array, profile: CpuProfile, limit = 2_000_000_000): ProcessRun {
  const process = new LinuxProcess(program, profile);
  const end = process.run(limit);
  return {
    output: Buffer.concat(process.output).toString('latin1'),
    end,
    instructions: process.core.instructions,
  };
}

export class LinuxProcess {
  readonly core: Core;
  readonly space: AddressSpace;
  readonly bits: 32 | 64;
  readonly output: Uint8Array[] = [];
  /** Set by arch_prctl: the base of FS. */
  threadBase: bigint | null = null;
  private end: string | null = null;
  /** The state that the process goes on with after its trap. */
  private state: VcpuState;
  private programBreak: bigint;
  private nextMapping: bigint;
  private nextThreadArea = TLS_FIRST;
  private ldtLimit = -1;
  private readonly handlers = new Map<number, Handler>();

  constructor(program: Uint8Array, profile: CpuProfile) {
    const image = parseElf(program);
    if (!('segments' in image)) throw new Error(`the program cannot be read: ${JSON.stringify(image)}`);
    this.bits = image.bits;
    this.nextMapping = this.bits === 64 ? 0x7f0000000000n : 0x40000000n;
    this.core = createCore({
      vcpus: 1,
      profile,
      bus: {
        readPort: () => 0xff,
        writePort: (port) => {
          if (port === TRAP_PORT) this.core.requestStop();
        },
        readMmio: () => 0n,
        writeMmio: () => undefined,
        acknowledge: () => 0,
        readMsr: () => null,
        writeMsr: () => false,
      },
    });
    this.core.map(0n, RAM, 'ram');
    this.space = new AddressSpace(this.core);
    writeTables(this.space);
    this.state = this.kernelState();
    this.programBreak = this.load(image);
    this.core.setState(0, this.state);
    this.core.run(this.core.now + 1000);
    this.state = this.startState(image, program);
  }

  /** Until the process ends, or `limit` instructions. */
  run(limit: number): string {
    while (this.end === null) {
      this.core.setState(0, this.state);
      const exit = this.core.run(limit);
      if (exit.reason !== 'stopped') return `killed: ${exit.reason}`;
      this.trap();
    }
    return this.end;
  }

  exit(status: number): bigint {
    this.end ??= `exit ${status}`;
    return 0n;
  }

  moveBreak(to: bigint): bigint {
    if (to > this.programBreak) {
      this.space.map(this.programBreak, to - this.programBreak);
      this.programBreak = to;
    }
    return this.programBreak;
  }

  mapAnonymous(length: bigint): bigint {
    const at = this.nextMapping;
    this.space.map(at, length);
    this.nextMapping += (length + PAGE - 1n) & ~(PAGE - 1n);
    return at;
  }

  setThreadArea(at: bigint): bigint {
    const { number, descriptor } = userDescriptor(this.space, at);
    const entry = number === -1 ? this.nextThreadArea++ : number;
    this.space.put(GDT + 8n * BigInt(entry), descriptor, 8);
    this.space.put(at, entry, 4);
    return 0n;
  }

  modifyLdt(what: bigint, at: bigint, length: bigint): bigint {
    if (what === 0n) {
      const size = Number(length) < this.ldtLimit + 1 ? Number(length) : this.ldtLimit + 1;
      this.space.write(at, this.space.read(LDT, size) ?? new Uint8Array());
      return BigInt(size);
    }
    const { number, descriptor: full } = userDescriptor(this.space, at);
    // The old form of the call (1) has no AVL bit.
    const descriptor = what === 1n ? full & ~(1n << 52n) : full;
    this.ldtLimit = writeLdt(this.space, number, descriptor, this.ldtLimit);
    const ldtr = { selector: SELECTOR.ldt, base: LDT, limit: this.ldtLimit, attributes: 0x82 };
    this.state = { ...this.state, segments: { ...this.state.segments, ldtr } };
    return 0n;
  }

  setHandler(signal: number, action: bigint): bigint {
    if (action === 0n) return 0n;
    // struct sigaction of i386: handler, flags, restorer.
    const [entry, restorer] = [this.space.number(action, 4), this.space.number(action + 8n, 4)];
    if (entry <= 1n) this.handlers.delete(signal);
    else this.handlers.set(signal, { entry, restorer });
    return 0n;
  }

  returnFromHandler(): bigint {
    this.state = leaveHandler(this.space, this.state);
    return this.state.general.rax;
  }

  /** The kernel was entered: by a system call or by an exception. */
  private trap(): void {
    const state = this.core.state(0);
    const vector = vectorAt(state.rip);
    this.state = vector === SYSCALL ? this.callerBySyscall(state) : this.interrupted(state, vector);
    if (vector === SYSCALL || vector === INT_80) this.systemCall();
    else this.signal(vector, state);
  }

  private systemCall(): void {
    const registers = this.bits === 64 ? ARGUMENTS_64 : ARGUMENTS_32;
    const args = registers.map((name) => this.state.general[name]);
    const result = systemCall(this, Number(this.state.general.rax & 0xffffffffn), args);
    const rax = this.bits === 64 ? BigInt.asUintN(64, result) : BigInt.asUintN(32, result);
    const fs =
      this.threadBase === null
        ? this.state.segments.fs
        : { ...this.state.segments.fs, base: this.threadBase };
    this.state = {
      ...this.state,
      general: { ...this.state.general, rax },
      segments: { ...this.state.segments, fs },
    };
  }

  private signal(vector: number, inKernel: VcpuState): void {
    const errorCode = WITH_ERROR.includes(vector) ? Number(this.space.number(inKernel.general.rsp, 8)) : 0;
    const trap: Trap = { vector, errorCode, cr2: inKernel.cr2 };
    const signal = signalOf(trap, this.state.rip);
    const handler = signal && this.bits === 32 ? this.handlers.get(signal.number) : undefined;
    const entered = signal && handler ? enterHandler(this.space, this.state, handler, signal, trap) : null;
    if (entered) this.state = entered;
    else
      this.end = `killed by vector ${vector}, error code 0x${errorCode.toString(16)}, at 0x${this.state.rip.toString(16)}`;
  }

  /** SYSCALL keeps the return address and the flags in registers. */
  private callerBySyscall(state: VcpuState): VcpuState {
    return this.user(
      state,
      state.general.rcx,
      state.general.r11,
      SELECTOR.user64,
      SELECTOR.userData,
      state.general.rsp,
    );
  }

  /** An interrupt gate keeps them in the frame on the stack. */
  private interrupted(state: VcpuState, vector: number): VcpuState {
    const frame = state.general.rsp + (WITH_ERROR.includes(vector) ? 8n : 0n);
    const [rip, cs, rflags, rsp, ss] = [0n, 8n, 16n, 24n, 32n].map((by) =>
      this.space.number(frame + by, 8),
    ) as [bigint, bigint, bigint, bigint, bigint];
    return this.user(state, rip, rflags, Number(cs), Number(ss), rsp);
  }

  private user(
    state: VcpuState,
    rip: bigint,
    rflags: bigint,
    cs: number,
    ss: number,
    rsp: bigint,
  ): VcpuState {
    const segments = { ...state.segments, cs: loaded(this.space, cs), ss: loaded(this.space, ss) };
    return { ...state, rip, rflags, general: { ...state.general, rsp }, segments };
  }

  /** 64-bit mode at CPL 0, about to run the start code. */
  private kernelState(): VcpuState {
    const state = this.core.state(0);
    const data = { selector: 0, base: 0n, limit: 0, attributes: 0x10000 };
    const segments = {
      ...{ es: data, ds: data, fs: data, gs: data, ldtr: data },
      cs: loaded(this.space, SELECTOR.kernel),
      ss: { selector: 0x18, base: 0n, limit: 0xffffffff, attributes: 0xc093 },
      tr: { selector: SELECTOR.tss, base: KERNEL + 0x2000n, limit: 0x67, attributes: 0x8b },
    };
    return {
      ...state,
      segments,
      rip: writeStartCode(this.space),
      rflags: 2n,
      // PG, AM, WP, NE, ET, MP, PE.
      cr0: 0x80050033n,
      cr3: PML4,
      // PAE, OSFXSR, OSXMMEXCPT.
      cr4: 0x620n,
      efer: 0xd01n,
      gdtr: { base: GDT, limit: GDT_LIMIT },
      idtr: { base: IDT, limit: IDT_LIMIT },
    };
  }

  /** Loads the segments; returns the end of the last one, where the heap begins. */
  private load(image: ElfImage): bigint {
    let end = 0n;
    for (const { virtual, bytes, memorySize } of image.segments) {
      this.space.map(virtual, memorySize);
      this.space.write(virtual, bytes);
      if (virtual + memorySize > end) end = virtual + memorySize;
    }
    return (end + PAGE - 1n) & ~(PAGE - 1n);
  }

  private startState(image: ElfImage, program: Uint8Array): VcpuState {
    const data = loaded(this.space, SELECTOR.userData);
    const none = { selector: 0, base: 0n, limit: 0, attributes: 0x10000 };
    const long = this.bits === 64;
    const general = Object.fromEntries(
      Object.keys(this.state.general).map((name) => [name, 0n]),
    ) as VcpuState['general'];
    return {
      ...this.core.state(0),
      rip: image.entry,
      rflags: USER_FLAGS,
      general: { ...general, rsp: this.startStack(image, program) },
      segments: {
        ...this.core.state(0).segments,
        cs: loaded(this.space, long ? SELECTOR.user64 : SELECTOR.user32),
        ss: data,
        ds: long ? none : data,
        es: long ? none : data,
        fs: none,
        gs: none,
      },
    };
  }

  /** argc, argv, no environment, and the auxiliary vector (System V ABI, “Process Initialization”). */
  private startStack(image: ElfImage, program: Uint8Array): bigint {
    const top = this.bits === 64 ? 0x7ffffff00000n : 0xfff00000n;
    this.space.map(top - STACK_SIZE, STACK_SIZE);
    const strings = top - 0x100n;
    this.space.write(strings, Buffer.from('program\0'));
    const view = new DataView(program.buffer, program.byteOffset);
    const long = this.bits === 64;
    const tableAt = long ? view.getBigUint64(32, true) : BigInt(view.getUint32(28, true));
    const random = strings + 0x20n;
    const words: bigint[] = [
      ...[1n, strings, 0n, 0n],
      // AT_PHDR, AT_PHENT, AT_PHNUM, AT_PAGESZ, AT_ENTRY, AT_HWCAP, AT_CLKTCK, AT_SECURE, AT_RANDOM, AT_EXECFN, AT_NULL.
      ...[3n, (image.segments[0]?.virtual ?? 0n) + tableAt],
      ...[4n, BigInt(view.getUint16(long ? 54 : 42, true))],
      ...[5n, BigInt(view.getUint16(long ? 56 : 44, true))],
      ...[6n, PAGE, 9n, image.entry, 16n, 0x078bfbffn, 17n, 100n, 23n, 0n, 25n, random, 31n, strings, 0n, 0n],
    ];
    const word = long ? 8 : 4;
    const at = (strings - BigInt(words.length * word)) & ~15n;
    words.forEach((value, i) => this.space.put(at + BigInt(i * word), value, word));
    return at;
  }
}
