/** Several vCPUs with their local APICs on, and code that drives them: what reaches whom is read from the trace. */
import type { CpuProfile } from '../../../server/emulator/face';
import { CODE, IDT, Lab, SELECTOR, type Outcome } from '../lab';

/** Registers by their offset in the xAPIC page; in x2APIC mode MSR 800H + offset / 16. */
export const REGISTER = {
  id: 0x20,
  version: 0x30,
  tpr: 0x80,
  apr: 0x90,
  ppr: 0xa0,
  eoi: 0xb0,
  rrd: 0xc0,
  ldr: 0xd0,
  dfr: 0xe0,
  svr: 0xf0,
  isr: 0x100,
  tmr: 0x180,
  irr: 0x200,
  esr: 0x280,
  icr: 0x300,
  icrHigh: 0x310,
  timer: 0x320,
  thermal: 0x330,
  performance: 0x340,
  lint0: 0x350,
  lint1: 0x360,
  error: 0x370,
  initialCount: 0x380,
  currentCount: 0x390,
  divide: 0x3e0,
  selfIpi: 0x3f0,
} as const;
export type Register = keyof typeof REGISTER;

export const dword = (value: number): string =>
  [0, 8, 16, 24].map((shift) => ((value >>> shift) & 0xff).toString(16).padStart(2, '0')).join('');
/** mov dword [address], value */
export const poke = (address: number, value: number): string => `c705${dword(address)}${dword(value)}`;
export const wrmsr = (index: number, low: number, high = 0): string =>
  `b9${dword(index)} ba${dword(high)} b8${dword(low)} 0f30`;
export const rdmsr = (index: number): string => `b9${dword(index)} 0f32`;
export const write = (register: Register, value: number): string =>
  poke(0xfee00000 + REGISTER[register], value);
/** The register into EAX. */
export const read = (register: Register): string => `a1${dword(0xfee00000 + REGISTER[register])}`;
export const ENABLE = write('svr', 0x1ff);
export const X2APIC = wrmsr(0x1b, 0xfee00d00);
const HANDLER = 0x8800n;

/** vCPU 0 has everything that `Lab` has, and an IDT whose gates all lead to one handler: HLT with interrupts off. */
export class ApicLab extends Lab {
  constructor(options: { vcpus?: number; profile?: CpuProfile } = {}) {
    super(options);
    const gate = HANDLER | (BigInt(SELECTOR.code32) << 16n) | (0x8en << 40n);
    for (let vector = 0; vector < 256; vector++) this.put(IDT + BigInt(8 * vector), gate, 8);
    this.put(HANDLER, 0xf4, 1);
    this.set({}, { idtr: { base: IDT, limit: 0x7ff } });
  }

  /** Code of one vCPU in the middle of the others' sleep. */
  runOn(vcpu: number, hex: string): Outcome {
    if (vcpu === 0) {
      this.core.setActivity(0, 'running');
      return this.set({}, { rip: CODE, rflags: 2n }).run(hex, 20000);
    }
    const state = this.core.state(0);
    const at = 0xa000n + BigInt(vcpu) * 0x200n;
    const general = { ...state.general, rsp: state.general.rsp - BigInt(vcpu) * 0x100n };
    this.core.write(at, Uint8Array.from([...Buffer.from(hex.replace(/ /g, ''), 'hex'), 0xf4]));
    this.core.setState(vcpu, { ...state, rip: at, rflags: 2n, general });
    this.core.setActivity(0, 'halted');
    this.core.setActivity(vcpu, 'running');
    return this.go(20000);
  }

  /** Events since the last call: `fixed 41 on 1`, `nmi on 2`, `init on 1`, `sipi 5 on 1`. */
  taken(): string[] {
    const texts = this.trace.flatMap((event) => {
      if (event.event === 'init') return [`init on ${event.vcpu}`];
      if (event.event === 'sipi') return [`sipi ${event.vector.toString(16)} on ${event.vcpu}`];
      if (event.event !== 'interrupt') return [];
      if (event.source === 'nmi') return [`nmi on ${event.vcpu}`];
      return [
        `${event.source === 'apic' ? 'fixed' : event.source} ${event.vector.toString(16)} on ${event.vcpu}`,
      ];
    });
    this.trace.length = 0;
    return texts;
  }
}
