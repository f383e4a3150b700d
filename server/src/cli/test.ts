/** `bootpath test DIR`: runs boot plans and holds them against what they expect. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import {
  passed,
  planResultsJson,
  planResultsJunit,
  planResultText,
  planSummary,
  type PlanResult,
} from '../output/planResults';
import { json, numberOption, stringOption, UsageError, type Command, type Options } from './command';
import { planFiles } from './planFiles';
import { testPlan } from './planTest';
import { Workers } from '../workerHost';
import { inShard, parseShard } from './shard';
import { inOrder } from './workers';

const INTERRUPTED = 130;

export const testCommand: Command = {
  name: 'test',
  usage: 'test [DIR|FILE]… [--jobs N] [--shard I/N]',
  summary: 'runs the boot plans (*.boot.toml) of folders and says which of their expectations were missed',
  formats: ['text', 'json', 'junit'],
  options: {
    jobs: { type: 'string', help: 'how many plans run at a time (as many as there are cores otherwise)' },
    shard: { type: 'string', help: 'runs part I of N, for a CI service with N runners: 2/8' },
  },
  async run(options, { out, note, service }) {
    const jobs = jobsOption(options);
    const files = plansOf(options);
    const format = stringOption(options, 'format') ?? 'text';
    const abort = new AbortController();
    const interrupt = () => abort.abort();
    process.once('SIGINT', interrupt);
    const workers = new Workers(join(__dirname, 'worker.js'));
    const host = { service, workers, signal: abort.signal };
    const results: PlanResult[] = [];
    try {
      await inOrder(
        files,
        jobs,
        (file) => (abort.signal.aborted ? Promise.resolve(null) : testPlan(file, host)),
        (result) => {
          if (!result) return;
          results.push(result);
          if (format === 'text') out(planResultText(result));
        },
      );
    } finally {
      process.removeListener('SIGINT', interrupt);
      // What still runs where a plan cannot be read.
      abort.abort();
      workers.close();
    }
    if (results.length < files.length) {
      note(`cancelled: ${results.length} of ${files.length} plans were run`);
      return INTERRUPTED;
    }
    if (format === 'text') out(planSummary(results));
    else out(format === 'json' ? json(planResultsJson(results)) : planResultsJunit(results));
    return results.every(passed) ? 0 : 1;
  },
};

function jobsOption(options: Options): number {
  const jobs = numberOption(options, 'jobs') ?? availableParallelism();
  if (jobs < 1) throw new UsageError('--jobs takes 1 at least');
  return jobs;
}

/** A shard may well be empty, where there are more runners than plans. */
function plansOf(options: Options): string[] {
  const paths = options.arguments.length > 0 ? options.arguments : ['.'];
  const text = stringOption(options, 'shard');
  const shard = text === undefined ? { index: 1, count: 1 } : parseShard(text);
  if (!shard) throw new UsageError(`--shard takes I/N with I from 1 to N, for example 2/8, not "${text}"`);
  const files = planFiles(paths);
  if (files.length === 0) throw new UsageError(`there is no boot plan (*.boot.toml) in ${paths.join(', ')}`);
  return inShard(files, shard);
}
