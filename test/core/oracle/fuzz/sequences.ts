/** Random instruction sequences for any mode: encoded from templates, each memory operand's registers loaded before it. */
import type { OracleName } from '../explained';
import type { Random } from '../random';
import type { Case } from '../stepper/records';
import { CODE_SIZE, CODE_START, FS_BASE, GS_BASE, READ_ONLY, SELECTOR, type Mode } from '../stepper/stage';
import { opcodeOf } from './opcode';
import { anyState, anyValue } from './rawBytes';
import { TEMPLATES, type Template } from './templates';
import { undefinedFlags } from './undefinedFlags';

const SP = 4;
/** Room for the longest template with what precedes it. */
const RESERVE = 48;

/** Offsets of the arena where an operand of up to 16 bytes lies in a window. */
const INSIDE = [
  0x4f80, 0x5070, 0x4ff8, 0x4ffc, 0x4fff, 0x5fc0, 0x5ff0, 0x9fa0, 0x9ff0, 0x9000, 0xffc0, 0xfff0,
];
/** Where some of it is not to be had with paging. */
const FAULTING = [0x5fff, 0x5ffd, 0x5ff9, 0x6000, 0x3fff, 0x8ffe, READ_ONLY, READ_ONLY + 0x30];

export function sequenceCase(random: Random, mode: Mode, oracle: OracleName): Case {
  return new Sequence(random, mode, oracle).make();
}

class Sequence {
  private readonly code: number[] = [];
  private readonly masks = new Map<number, number>();
  private steps = 0;
  private readonly iopl: number;

  constructor(
    private readonly random: Random,
    private readonly mode: Mode,
    private readonly oracle: OracleName,
  ) {
    const may = mode.cpl === 3 && mode.user === undefined;
    this.iopl = may && random.oneIn(mode.real === 'virtual-8086' ? 2 : 6) ? 3 : 0;
  }

  make(): Case {
    const { random, mode } = this;
    const wanted = random.between(3, 12);
    // With IOPL 3 ports answer, each machine in its way, and CLI works.
    const templates = TEMPLATES.filter(
      ({ name, where }) => (where?.(mode) ?? true) && (this.iopl === 0 || !/^port|^privileged/.test(name)),
    );
    while (this.steps < wanted && this.code.length < CODE_SIZE - RESERVE) {
      if (random.oneIn(6)) this.control();
      else if (random.oneIn(12)) this.system();
      else this.instruction(random.pick(templates));
    }
    const state = anyState(random, mode, Uint8Array.from(this.code), 0);
    const general = [...state.general];
    general[SP] = BigInt(mode.origin + 0x9f80 - 8 * random.below(4));
    const rflags = state.rflags | (this.iopl << 12);
    return { ...state, general, rflags, steps: this.steps, undefinedFlags: this.masks, fx: null };
  }

  // ---- Bytes ----
  private little(value: bigint | number, size: number): number[] {
    const wide = BigInt.asUintN(64, BigInt(value));
    return Array.from({ length: size }, (_, i) => Number((wide >> BigInt(8 * i)) & 0xffn));
  }

  /** One instruction; `shift` is what CL holds for it, where that is known. */
  private emit(bytes: readonly number[], cl: number | null = null): void {
    const o = opcodeOf(Uint8Array.from(bytes), this.mode.bits);
    const mask = undefinedFlags(o, this.mode.bits, bytes.at(-1) ?? 0, cl);
    if (mask !== 0) this.masks.set(this.code.length, mask);
    this.code.push(...bytes);
    this.steps++;
  }

  /** MOV register, immediate, of the widest size. */
  private load(number: number, value: bigint): void {
    const { bits } = this.mode;
    const wide = BigInt.asUintN(bits === 64 ? 64 : 32, value);
    const opcode = 0xb8 + (number & 7);
    if (bits === 16) this.emit([0x66, opcode, ...this.little(wide, 4)]);
    else if (bits === 32) this.emit([opcode, ...this.little(wide, 4)]);
    else if (wide < 0x100000000n)
      this.emit([...(number >= 8 ? [0x41] : []), opcode, ...this.little(wide, 4)]);
    else this.emit([number >= 8 ? 0x49 : 0x48, opcode, ...this.little(wide, 8)]);
  }

  private number(avoid: readonly number[] = []): number {
    for (;;) {
      const number = this.random.below(this.mode.bits === 64 ? 16 : 8);
      if (number !== SP && !avoid.includes(number)) return number;
    }
  }

  /** Offset of an operand; a page that is absent or read-only now and then, where a fault is reported alike. */
  private target(size: number): number {
    const { random, mode } = this;
    if (mode.paging !== 'none' && random.oneIn(14)) return mode.origin + random.pick(FAULTING);
    const place = random.pick(INSIDE) + random.below(16);
    const last = [0x5080, 0x6000, 0xa000, 0x9040, 0x10000].find((end) => end > place) ?? 0x10000;
    return mode.origin + Math.min(place, last - size);
  }

  // ---- One template ----
  private instruction(template: Template): void {
    const { random, mode } = this;
    const prefixes: number[] = [];
    const reserved = Object.keys(template.load ?? {}).map(Number);
    for (const [register, what] of Object.entries(template.load ?? {}))
      this.load(Number(register), this.loaded(what, template.name));
    let rex = 0;
    if (mode.bits === 64 && random.oneIn(2))
      rex = 0x40 | (template.form === 'none' && random.oneIn(2) ? 8 : random.below(16));
    const narrow = template.fixed !== true && random.oneIn(4);
    if (narrow) prefixes.push(0x66);
    // With 66 and a 16-bit count above 16 the result of SHLD and SHRD is undefined.
    const size = this.operandSize(template, narrow, rex);
    const otherAddress = template.form !== 'none' && random.oneIn(6);
    const address = this.addressSize(otherAddress);
    if (otherAddress) prefixes.push(0x67);
    let segmentBase = 0;
    if (random.oneIn(10) && template.form !== 'none') {
      const segment = random.pick([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65]);
      const writesCode = segment === 0x2e && mode.bits !== 64 && mode.real === undefined;
      if (!writesCode) {
        prefixes.push(segment);
        if (mode.bits === 64) segmentBase = segment === 0x64 ? FS_BASE : segment === 0x65 ? GS_BASE : 0;
      }
    }
    if (template.prefix !== undefined) prefixes.push(template.prefix);
    const operand = this.operand(template, address, rex, template.size ?? size, reserved, segmentBase);
    if (operand.memory && template.lock === true && random.oneIn(6)) prefixes.push(0xf0);
    const immediate = this.immediate(template, size);
    const opcode = [...template.opcode];
    if (template.form === 'r') {
      const number = this.number();
      opcode[opcode.length - 1] = (opcode.at(-1) ?? 0) | (number & 7);
      if (mode.bits === 64) rex = number >= 8 ? rex | 0x41 : rex & ~1;
      if (rex !== 0) rex |= 0x40;
      // An 8-bit register 4 without REX is AH; with it SPL.
      if (template.byte === true && rex !== 0 && (number & 7) === SP) rex |= 1;
    }
    // R, X and B belong to the operands where there are any.
    const fixedBits = template.form === 'none' || template.form === 'r' ? rex : (rex & 0x48) | operand.rex;
    const bytes = [...prefixes, ...(fixedBits !== 0 ? [fixedBits | 0x40] : [])];
    const cl = template.load?.[1] === 'small' ? null : (this.lastCount ?? null);
    this.emit([...bytes, ...opcode, ...operand.bytes, ...immediate], cl);
  }

  private lastCount: number | undefined;
  private loaded(what: 'pointer' | 'count' | 'small', name: string): bigint {
    const { random, mode } = this;
    if (what === 'small') return BigInt(random.below(40));
    if (what === 'count') {
      const count = random.below(name === 'string' ? 5 : 16);
      this.lastCount = count;
      return BigInt(count);
    }
    if (mode.paging !== 'none' && random.oneIn(12)) return BigInt(mode.origin + random.pick(FAULTING));
    return BigInt(mode.origin + random.pick([0x4fc0, 0x4ffc, 0x4ffe, 0x5000, 0x5040, 0x5fd8]));
  }

  private operandSize(template: Template, narrow: boolean, rex: number): 1 | 2 | 4 | 8 {
    if (template.byte === true) return 1;
    if (this.mode.bits === 64 && (rex & 8) !== 0) return 8;
    return (this.mode.bits === 16) !== narrow ? 2 : 4;
  }
  private addressSize(other: boolean): 2 | 4 | 8 {
    if (this.mode.bits === 64) return other ? 4 : 8;
    return (this.mode.bits === 16) !== other ? 2 : 4;
  }

  private immediate(template: Template, size: number): number[] {
    const { random } = this;
    switch (template.immediate) {
      case undefined:
        return [];
      case 1:
        // Counts of double shifts stay below 16.
        return [
          /^sh[lr]d/.test(template.name)
            ? random.below(16)
            : random.pick([random.below(256), random.below(40)]),
        ];
      case 2:
        return [...this.little(random.below(32), 2), random.below(4)];
      case 'z':
        return this.little(random.value(32), Math.min(size, 4));
      case 'v':
        return this.little(random.value(64), size);
    }
  }

  // ---- Operands ----
  private operand(
    template: Template,
    address: 2 | 4 | 8,
    rex: number,
    size: number,
    reserved: readonly number[],
    segmentBase: number,
  ): { readonly bytes: readonly number[]; readonly rex: number; readonly memory: boolean } {
    const { random, mode } = this;
    const { form, digit } = template;
    if (form === 'none' || form === 'r') return { bytes: [], rex: 0, memory: false };
    if (form === 'moffs') {
      const at = this.target(size) - segmentBase;
      return { bytes: this.little(at, address), rex: 0, memory: false };
    }
    const high = mode.bits === 64 && rex !== 0;
    const pick = (avoid: readonly number[]): number => {
      for (;;) {
        const number = random.below(high ? 16 : 8);
        // Without REX an 8-bit register 4 is AH.
        if ((number !== SP || (template.byte === true && rex === 0)) && !avoid.includes(number))
          return number;
      }
    };
    const reg = digit ?? pick([]);
    if (form === 'rr' || (form === 'rm' && random.oneIn(2))) {
      const rm = pick([]);
      return {
        bytes: [0xc0 | ((reg & 7) << 3) | (rm & 7)],
        rex: this.rexOf(rex, reg, 0, rm, digit),
        memory: false,
      };
    }
    return this.memory(reg, digit, address, rex, size, reserved, segmentBase);
  }

  /** W of `rex` kept; R, X, B from the numbers. Written over what `rex` has: the caller ORs, so those bits are cleared. */
  private rexOf(rex: number, reg: number, index: number, base: number, digit: number | undefined): number {
    const bits = (digit === undefined && reg >= 8 ? 4 : 0) | (index >= 8 ? 2 : 0) | (base >= 8 ? 1 : 0);
    return rex === 0 && bits === 0 ? 0 : bits;
  }

  private memory(
    reg: number,
    digit: number | undefined,
    address: 2 | 4 | 8,
    rex: number,
    size: number,
    reserved: readonly number[],
    segmentBase: number,
  ): { readonly bytes: readonly number[]; readonly rex: number; readonly memory: boolean } {
    const { random } = this;
    const at = this.target(size) - segmentBase;
    // A register whose value matters to the instruction must not be the address.
    const avoid = [...reserved, 0, 2];
    const field = (reg & 7) << 3;
    if (address === 2) {
      const forms = [[3, 6], [3, 7], [5, 6], [5, 7], [6], [7], [5], [3]] as const;
      const usable = forms
        .map((_, i) => i)
        .filter((i) => !(forms[i] ?? []).some((number) => avoid.includes(number)));
      if (usable.length === 0 || random.oneIn(6))
        return { bytes: [field | 6, ...this.little(at, 2)], rex: 0, memory: true };
      const rm = random.pick(usable);
      const displacement = random.pick([0, random.between(-128, 127), random.between(-2000, 2000)]);
      let rest = at - displacement;
      const registers = forms[rm] ?? [];
      registers.forEach((number, i) => {
        const value = i === registers.length - 1 ? rest : random.below(0x10000);
        rest -= value;
        this.load(number, (BigInt(random.word()) & 0xffff0000n) | BigInt.asUintN(16, BigInt(value)));
      });
      const small = displacement >= -128 && displacement < 128;
      return {
        bytes: [(small ? 0x40 : 0x80) | field | rm, ...this.little(displacement, small ? 1 : 2)],
        rex: 0,
        memory: true,
      };
    }
    const base = this.number(avoid);
    const displacement = random.pick([0, random.between(-128, 127), random.between(-3000, 3000)]);
    const small = displacement >= -128 && displacement < 128;
    const mod = small ? 0x40 : 0x80;
    const tail = this.little(displacement, small ? 1 : 4);
    const garbage = address === 4 && this.mode.bits === 64 ? BigInt(random.word()) << 32n : 0n;
    const fit = (value: number): bigint => BigInt.asUintN(8 * address, BigInt(value)) | garbage;
    if (random.oneIn(3)) {
      const index = this.number([...avoid, base]);
      const scale = random.below(4);
      const steps = random.between(-9, 9);
      this.load(index, fit(steps));
      this.load(base, fit(at - displacement - steps * 2 ** scale));
      const sib = (scale << 6) | ((index & 7) << 3) | (base & 7);
      return {
        bytes: [mod | field | 4, sib, ...tail],
        rex: this.rexOf(rex, reg, index, base, digit),
        memory: true,
      };
    }
    this.load(base, fit(at - displacement));
    const sib = (base & 7) === SP ? [0x24] : [];
    return {
      bytes: [mod | field | (base & 7), ...sib, ...tail],
      rex: this.rexOf(rex, reg, 0, base, digit),
      memory: true,
    };
  }

  // ---- Control flow ----
  /** The address behind `more` bytes from here. */
  private ahead(more: number): number {
    return this.mode.origin + CODE_START + this.code.length + more;
  }

  /** Branches to what follows, or over an instruction of one or two bytes. */
  private control(): void {
    const { random, mode } = this;
    const filler = random.pick([[0x90], [0xf5], [0x89, 0xc0], [0xf8]]);
    const over = (bytes: readonly number[], cl: number | null = null): void => {
      this.emit([...bytes, filler.length], cl);
      this.emit(filler);
    };
    const wide = mode.bits === 16 ? 2 : 4;
    switch (random.below(9)) {
      case 0:
        over([0x70 + random.below(16)]);
        return;
      case 1:
        this.emit([0x0f, 0x80 + random.below(16), ...this.little(filler.length, wide)]);
        this.emit(filler);
        return;
      case 2:
        this.load(1, BigInt(random.below(3)));
        over([0xe0 + random.below(4)]);
        return;
      case 3:
        this.emit([0xe8, ...this.little(0, wide)]);
        return;
      case 4: {
        const number = this.number([8, 9, 10, 11, 12, 13, 14, 15]);
        const length = mode.bits === 16 ? 6 : 5;
        this.load(number, BigInt(this.ahead(length + 2)));
        this.emit([0xff, 0xc0 | (random.pick([2, 4]) << 3) | number]);
        return;
      }
      case 5: {
        // PUSH of an address and RET to it.
        const push = [0x68, ...this.little(this.ahead(wide + 1 + 1), wide)];
        this.emit(push);
        this.emit([0xc3]);
        return;
      }
      case 6:
        // The far return to the same segment.
        if (mode.bits === 64) return;
        this.emit([0x0e]);
        this.emit([0x68, ...this.little(this.ahead(wide + 1 + 1), wide)]);
        this.emit([0xcb]);
        return;
      case 7:
        // IRET to the same segment and level, TF kept.
        if (mode.bits === 64 || mode.real === 'virtual-8086') return;
        this.emit([0x68, ...this.little(0x302 | (random.word() & 0xcd5), wide)]);
        this.emit([0x0e]);
        this.emit([0x68, ...this.little(this.ahead(wide + 1 + 1), wide)]);
        this.emit([0xcf]);
        return;
      default:
        if (mode.bits === 64) return;
        this.emit([
          random.pick([0x9a, 0xea]),
          ...this.little(this.ahead(1 + wide + 2), wide),
          ...this.little(mode.code, 2),
        ]);
    }
  }

  /** Flags from the stack, segment registers, software interrupts, rights of selectors. */
  private system(): void {
    const { random, mode } = this;
    const wide = mode.bits === 16 ? 2 : 4;
    const selectors = [
      0,
      3,
      SELECTOR.userData,
      SELECTOR.kernelData,
      SELECTOR.readOnlyData,
      SELECTOR.executeOnly,
      SELECTOR.absentData,
      SELECTOR.conforming,
      SELECTOR.userCode,
      SELECTOR.tss,
      SELECTOR.ldt,
      SELECTOR.ldtData16,
      0x1f3,
      0xffff,
    ];
    const selector = mode.real === undefined ? random.pick(selectors) : mode.data;
    switch (random.below(5)) {
      case 0:
        this.emit([
          0x68,
          ...this.little(0x302 | (random.word() & (this.oracle === 'host' ? 0xcd5 : 0x4cd5)), wide),
        ]);
        this.emit([0x9d]);
        return;
      case 1: {
        // Not into SS, and not where other segments than the flat one would move the operands of what follows.
        const number = this.number([8, 9, 10, 11, 12, 13, 14, 15]);
        if (this.oracle === 'host' && mode.real === undefined) return;
        this.load(number, BigInt(selector));
        this.emit([0x8e, 0xc0 | (random.pick([4, 5]) << 3) | number]);
        return;
      }
      case 2:
        if (this.oracle === 'host' || mode.real !== undefined) return;
        this.load(1, BigInt(selector));
        this.emit([0x0f, random.pick([2, 3]), 0xc1 | (random.pick([0, 2, 3, 6]) << 3)]);
        return;
      case 3:
        this.emit([0xcd, random.pick([0x40, 0x4f, 0x41, 0x20])]);
        return;
      default:
        this.load(this.number(), anyValue(random, mode));
    }
  }
}
