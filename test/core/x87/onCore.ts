/** The same batches on our core, in 64-bit mode. */
import type { NativeBatch } from '../oracle/hostCpu';
import { testProfile } from '../oracle/profile';
import { CODE, Lab, STACK } from '../lab';

const RECORDS = 0x100000n;
const OSFXSR = 0x200n;

/** One machine for all batches: each ends in a jump to itself, where the time runs out. */
export class CoreRunner {
  private readonly lab = new Lab({ mode: 'long', profile: testProfile({ vendor: 'amd', with: ['SSE3'] }) });

  run({ code, count, records }: NativeBatch): Uint8Array {
    const { lab } = this;
    if (!lab.core.write(RECORDS, records)) throw new Error('no memory for the records');
    const cr4 = lab.core.state(0).cr4 | OSFXSR;
    lab.set({ rsi: RECORDS, rcx: BigInt(count), rsp: STACK }, { rip: CODE, cr4 });
    const { fault, state } = lab.run(`${Buffer.from(code).toString('hex')}ebfe`, count * 16 + 16);
    if (fault) throw new Error(`#${fault.vector}: ${fault.reason}`);
    if (state.rip !== CODE + BigInt(code.length)) throw new Error('not finished in time');
    const after = lab.core.read(RECORDS, records.length);
    if (!after) throw new Error('no records');
    return after;
  }
}
