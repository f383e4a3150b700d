/** Makes cores as QEMU's dump-guest-memory writes them, right or wrong. */
import { GENERAL_REGISTERS, type GeneralRegister } from '../../../server/src/x86/state';

export interface CoreVcpu {
  readonly general?: Partial<Record<GeneralRegister, bigint>>;
  readonly rip: bigint;
  readonly rflags?: bigint;
  readonly cr0: bigint;
  readonly cr3?: bigint;
  readonly cr4?: bigint;
  /** Selector, base, limit, and the upper half of the descriptor. */
  readonly cs: readonly [number, bigint, number, number];
  readonly ds?: readonly [number, bigint, number, number];
  readonly gdt?: readonly [bigint, number];
}

export interface CoreOptions {
  readonly bits?: 32 | 64;
  /** EM_X86_64 where vCPU 0 is in IA-32e mode, else EM_386. */
  readonly machine?: number;
  readonly vcpus: readonly CoreVcpu[];
  readonly memory: readonly {
    readonly physical: bigint;
    readonly bytes: Uint8Array;
    readonly virtual?: bigint;
  }[];
  readonly kernelGsBase?: bigint;
  readonly patch?: (
    file: DataView,
    places: { noteAt: number; headersAt: number; headerSize: number },
  ) => void;
}

const ORDER = ['rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rsp', 'rbp'] as const;
const NOTE_SIZE = 12 + 8 + 440;

export function coreFile({
  bits = 64,
  machine = 62,
  vcpus,
  memory,
  kernelGsBase = 0n,
  patch,
}: CoreOptions): Uint8Array {
  const wide = bits === 64;
  const [headersAt, headerSize] = wide ? [64, 56] : [52, 32];
  const noteAt = headersAt + headerSize * (memory.length + 1);
  const dataAt = noteAt + NOTE_SIZE * vcpus.length;
  const file = new Uint8Array(dataAt + memory.reduce((sum, { bytes }) => sum + bytes.length, 0));
  const view = new DataView(file.buffer);
  const word = (at: number, value: bigint | number) => {
    if (wide) view.setBigUint64(at, BigInt(value), true);
    else view.setUint32(at, Number(value), true);
  };
  file.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, 1, 1]);
  view.setUint16(16, 4, true);
  view.setUint16(18, machine, true);
  word(wide ? 32 : 28, headersAt);
  view.setUint16(wide ? 54 : 42, headerSize, true);
  view.setUint16(wide ? 56 : 44, memory.length + 1, true);
  let at = dataAt;
  const headers = [
    { type: 4, offset: noteAt, virtual: 0n, physical: 0n, size: NOTE_SIZE * vcpus.length },
    ...memory.map(({ physical, virtual = physical, bytes }) => {
      file.set(bytes, at);
      at += bytes.length;
      return { type: 1, offset: at - bytes.length, virtual, physical, size: bytes.length };
    }),
  ];
  headers.forEach(({ type, offset, virtual, physical, size }, index) => {
    const header = headersAt + index * headerSize;
    view.setUint32(header, type, true);
    [offset, virtual, physical, size, size].forEach((value, field) =>
      word(header + (wide ? 8 + field * 8 : 4 + field * 4), value),
    );
  });
  vcpus.forEach((vcpu, index) => writeNote(view, noteAt + index * NOTE_SIZE, vcpu, kernelGsBase));
  patch?.(view, { noteAt, headersAt, headerSize });
  return file;
}

function writeNote(view: DataView, at: number, vcpu: CoreVcpu, kernelGsBase: bigint): void {
  view.setUint32(at, 5, true);
  view.setUint32(at + 4, 440, true);
  [0x51, 0x45, 0x4d, 0x55].forEach((byte, index) => view.setUint8(at + 12 + index, byte));
  const state = at + 20;
  view.setUint32(state, 1, true);
  view.setUint32(state + 4, 440, true);
  const names = [...ORDER, ...GENERAL_REGISTERS.filter((name) => /\d/.test(name))];
  names.forEach((name, index) => view.setBigUint64(state + 8 + index * 8, vcpu.general?.[name] ?? 0n, true));
  view.setBigUint64(state + 136, vcpu.rip, true);
  view.setBigUint64(state + 144, vcpu.rflags ?? 2n, true);
  const data = vcpu.ds ?? [0x10, 0n, 0xffffffff, 0x00cf9300];
  const [gdt, limit] = vcpu.gdt ?? [0n, 0];
  const segments = [
    ...[vcpu.cs, data, data, data, data, data],
    ...[[0, 0n, 0xffff, 0x8200] as const, [0, 0n, 0xffff, 0x8b00] as const],
    ...[[0, gdt, limit, 0] as const, [0, 0n, 0x3ff, 0] as const],
  ];
  segments.forEach(([selector, base, limit, flags], index) => {
    const place = state + 152 + index * 24;
    view.setUint32(place, selector, true);
    view.setUint32(place + 4, limit, true);
    view.setUint32(place + 8, flags, true);
    view.setBigUint64(place + 16, base, true);
  });
  [vcpu.cr0, 0n, 0n, vcpu.cr3 ?? 0n, vcpu.cr4 ?? 0n, kernelGsBase].forEach((value, index) =>
    view.setBigUint64(state + 392 + index * 8, value, true),
  );
}
