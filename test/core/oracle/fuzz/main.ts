/** `npm run fuzz:core`: differential fuzzing in processes side by side (test/scripts/fuzz-core.mjs shows the options). */
import type { OracleName } from '../explained';
import { Random } from '../random';
import { onCore, onHost, onQemu } from '../stepper/runners';
import { modeNamed } from '../stepper/stage';
import { differential } from './differential';
import { fuzzProfile } from './fuzzProfile';
import { rawCase } from './rawBytes';
import { sequenceCase } from './sequences';

export interface Job {
  readonly mode: string;
  readonly oracle: OracleName;
  readonly kind: 'bytes' | 'sequences';
  readonly count: number;
  readonly seed: number;
}

const ORACLES = { host: onHost, qemu: onQemu() } as const;

/** One batch; the answer is plain data. */
export async function run(job: Job) {
  const mode = modeNamed(job.mode);
  const random = new Random(job.seed);
  const make = job.kind === 'bytes' ? rawCase : sequenceCase;
  const cases = Array.from({ length: job.count }, () => make(random, mode, job.oracle));
  if (job.oracle === 'bochs') throw new Error('Bochs is too slow for fuzzing');
  const core = onCore(fuzzProfile(job.oracle));
  const sum = await differential(mode, cases, core, { name: job.oracle, run: ORACLES[job.oracle] });
  return { ...sum, explained: [...sum.explained] };
}

if (process.send) {
  process.on('message', (job: Job) => {
    run(job).then(
      (sum) => process.send?.({ job, sum }),
      (error: unknown) => process.send?.({ job, error: String(error) }),
    );
  });
}
