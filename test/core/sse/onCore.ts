/** The requests of ../oracle/host/vectors.c on our core: at CPL 3 in 64-bit mode, every exception ends at one handler. */
import type { CpuProfile } from '../../../server/emulator/face';
import type { VcpuState } from '../../../server/src/x86/state';
import { GENERAL_REGISTERS } from '../../../server/src/x86/state';
import { IDT, Lab, SELECTOR, TSS, bytesOf, GDT } from '../lab';
import { testProfile } from '../oracle/profile';
import { CODE, DATA, FLAGS, FX, GENERAL, LENGTH, MEMORY, RECORD, WINDOWS } from './cases';

const HANDLER = 0x8000n;
const IMAGE_IN = 0x9000n;
const IMAGE_OUT = 0xa000n;
const USER_CODE = SELECTOR.spare | 3;

/** What of a CPU shows in these instructions. */
export interface VectorCpu {
  readonly vendor: 'intel' | 'amd';
  /** AMD's misaligned SSE mode (MXCSR.MM). */
  readonly misaligned: boolean;
}

/** MMX to SSE4.1. */
export const vectorProfile = ({ vendor, misaligned }: VectorCpu): CpuProfile =>
  testProfile({
    vendor,
    with: ['SSE3', 'SSSE3', 'SSE4_1', ...(misaligned ? (['MisAlignSse'] as const) : [])],
  });

export class VectorBench {
  private readonly lab: Lab;
  private readonly base: VcpuState;
  private exception = { vector: 0, error: 0, rip: 0n, cr2: 0n };

  constructor(cpu: VectorCpu) {
    const lab = new Lab({
      mode: 'long',
      profile: vectorProfile(cpu),
      bus: {
        trace: (event) => {
          if (event.event !== 'exception') return;
          const { vector, errorCode, rip, cr2 } = event;
          this.exception = { vector, error: errorCode ?? 0, rip, cr2: vector === 14 ? (cr2 ?? 0n) : 0n };
        },
      },
    });
    this.lab = lab;
    lab.put(GDT + BigInt(SELECTOR.spare), 0x00affb000000ffffn, 8);
    lab.put(TSS + 4n, 0x7000n, 8);
    const gate = (HANDLER & 0xffffn) | (BigInt(SELECTOR.code64) << 16n) | 0x8e0000000000n;
    for (let vector = 0n; vector < 32n; vector++) {
      lab.put(IDT + 16n * vector, gate, 8);
      lab.put(IDT + 16n * vector + 8n, 0n, 8);
    }
    // fxsave [IMAGE_OUT]; hlt
    lab.core.write(HANDLER, Uint8Array.from(bytesOf('0fae042500a00000f4')));
    lab.put(lab.entryOf(BigInt(DATA + 0x2000)), 0n, 8);
    const state = lab.core.state(0);
    const segment = (selector: number, attributes: number) => ({
      selector,
      base: 0n,
      limit: 0xffffffff,
      attributes,
    });
    this.base = {
      ...state,
      // AM, WP, NE, MP; OSFXSR and OSXMMEXCPT.
      cr0: 0x80050033n,
      cr4: 0x620n,
      idtr: { base: IDT, limit: 0x1ff },
      segments: {
        ...state.segments,
        cs: segment(USER_CODE, 0xa0fb),
        ss: segment(SELECTOR.userData | 3, 0xc0f3),
      },
    };
  }

  /** Executes `request` and writes the answer as the host program does. */
  run(request: Uint8Array, answer: Uint8Array): void {
    const { lab, base } = this;
    const { core } = lab;
    const view = new DataView(request.buffer, request.byteOffset, RECORD);
    const length = request[LENGTH] ?? 0;
    core.write(IMAGE_IN, request.subarray(FX, FX + 512));
    let at = MEMORY;
    for (const { start, size } of WINDOWS) {
      core.write(BigInt(start), request.subarray(at, at + size));
      at += size;
    }
    // fxrstor [IMAGE_IN]; the instruction; ud2
    core.write(
      BigInt(CODE - 8),
      Uint8Array.from([...bytesOf('0fae0c2500900000'), ...request.subarray(0, length), 0x0f, 0x0b]),
    );
    const general = Object.fromEntries(
      GENERAL_REGISTERS.map((name, i) => [name, view.getBigUint64(GENERAL + 8 * i, true)]),
    ) as VcpuState['general'];
    core.setActivity(0, 'running');
    core.setState(0, {
      ...base,
      general: { ...general, rsp: 0x6000n },
      rip: BigInt(CODE - 8),
      rflags: view.getBigUint64(FLAGS, true),
    });
    const exit = core.run(core.now + 100);
    if (exit.reason !== 'idle') throw new Error(`the case ended with ${exit.reason}`);
    this.answer(answer, BigInt(CODE + length));
  }

  private answer(answer: Uint8Array, end: bigint): void {
    const { core } = this.lab;
    const view = new DataView(answer.buffer, answer.byteOffset, RECORD);
    const { vector, error, rip, cr2 } = this.exception;
    const done = rip === end && vector === 6;
    if (!done && rip !== BigInt(CODE))
      throw new Error(
        `exception ${vector} at 0x${rip.toString(16)}, not behind the instruction at 0x${end.toString(16)}: ${Buffer.from(core.read(BigInt(CODE), 16) ?? []).toString('hex')}`,
      );
    view.setUint32(0, done ? 0xffffffff : vector, true);
    view.setUint32(4, done ? 0 : error, true);
    view.setBigUint64(8, done ? 0n : cr2, true);
    const state = core.state(0);
    GENERAL_REGISTERS.forEach((name, i) => view.setBigUint64(GENERAL + 8 * i, state.general[name], true));
    const hasError = [8, 10, 11, 12, 13, 14, 17].includes(vector);
    view.setBigUint64(FLAGS, this.lab.get(state.general.rsp + (hasError ? 24n : 16n), 8), true);
    answer.set(core.read(IMAGE_OUT, 512) ?? [], FX);
    let at = MEMORY;
    for (const { start, size } of WINDOWS) {
      answer.set(core.read(BigInt(start), size) ?? [], at);
      at += size;
    }
  }
}
