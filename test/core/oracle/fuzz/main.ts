/** The work of `npm run fuzz:core` (test/scripts/fuzz-core.mjs): which batches there are, and one of them. */
import type { OracleName } from '../explained';
import { missingTools } from '../tools';
import { Random } from '../random';
import { missingHost } from '../hostCpu';
import { onCore, onHost, onQemu } from '../stepper/runners';
import { MODES, modeNamed, type Mode } from '../stepper/stage';
import { differential, type Sum } from './differential';
import { fuzzProfile, fuzzRom } from './fuzzProfile';
import { rawCase } from './rawBytes';
import { sequenceCase } from './sequences';

type Kind = 'bytes' | 'sequences';

export interface Job {
  readonly mode: string;
  readonly oracle: OracleName;
  readonly kind: Kind;
  /** Cases. */
  readonly count: number;
  readonly seed: number;
}

interface Plan {
  readonly oracle: OracleName;
  readonly kind: Kind;
  readonly mode: string | null;
  /** Instructions. */
  readonly count: number;
  readonly seed: number;
}

/** About as many instructions as a case of each kind runs. */
const STEPS: Record<Kind, number> = { bytes: 1, sequences: 7 };
const BATCH: Record<Kind, number> = { bytes: 7000, sequences: 2000 };

const ORACLES = { host: onHost, qemu: onQemu() } as const;

/** Modes by name or by code size; random bytes need paging around them, and a user. */
function modes({ oracle, kind, mode }: Plan): readonly Mode[] {
  const possible = MODES.filter(
    (each) =>
      (oracle !== 'host' || each.user !== undefined) &&
      (kind === 'sequences' || (each.cpl === 3 && each.paging !== 'none')),
  );
  if (mode === null) return possible;
  const names = mode.split(',');
  const chosen = possible.filter(({ name, bits }) => names.includes(name) || names.includes(String(bits)));
  if (chosen.length === 0)
    throw new Error(
      `no mode ${mode} for ${oracle}; there are 16, 32, 64, ${possible.map(({ name }) => name).join(', ')}`,
    );
  return chosen;
}

export function plan(wish: Plan): readonly Job[] {
  if (!(wish.oracle in ORACLES))
    throw new Error(`no oracle ${wish.oracle} for fuzzing; there are host and qemu`);
  const missing = wish.oracle === 'host' ? missingHost() : missingTools('nasm', 'qemu-system-x86_64');
  if (missing !== false) throw new Error(missing);
  const chosen = modes(wish);
  const each = Math.ceil(wish.count / STEPS[wish.kind] / chosen.length);
  const jobs: Job[] = [];
  let seed = wish.seed;
  for (let done = 0; done < each; done += BATCH[wish.kind])
    for (const { name } of chosen) {
      const count = Math.min(BATCH[wish.kind], each - done);
      jobs.push({ mode: name, oracle: wish.oracle, kind: wish.kind, count, seed: seed++ });
    }
  return jobs;
}

/** One batch. */
export async function run(job: Job): Promise<Sum> {
  const mode = modeNamed(job.mode);
  const random = new Random(job.seed);
  const make = job.kind === 'bytes' ? rawCase : sequenceCase;
  const cases = Array.from({ length: job.count }, () => make(random, mode, job.oracle));
  if (job.oracle === 'bochs') throw new Error('Bochs is too slow for fuzzing');
  const core = onCore(fuzzProfile(job.oracle), fuzzRom(job.oracle));
  return differential(mode, cases, core, { name: job.oracle, run: ORACLES[job.oracle] });
}

async function answer(question: { readonly plan?: Plan; readonly job?: Job }): Promise<unknown> {
  try {
    if (question.plan) return { jobs: plan(question.plan) };
    if (!question.job) return {};
    const sum = await run(question.job);
    return { sum: { ...sum, explained: [...sum.explained] } };
  } catch (error) {
    return { error: String(error) };
  }
}

process.on('message', (question: { readonly plan?: Plan; readonly job?: Job }) => {
  void answer(question).then((reply) => process.send?.(reply as object));
});
