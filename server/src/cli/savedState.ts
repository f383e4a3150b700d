/** `--save` and `--save-at`, and a saved state in the place of an image or a config. */
import { readState, stateFileProblem, writeStateFile } from '../stateFile';
import { DEFAULT_BUDGET } from '../simulation/simulate';
import type { SavedRun } from '../simulation/savedRun';
import type { SimulationRequest } from '../simulation/report';
import type { SimulationJob } from '../workerHost';
import { numberOption, stringOption, UsageError, type Command, type Options, type Terminal } from './command';

export const SAVE_OPTIONS: Command['options'] = {
  save: {
    type: 'string',
    help: 'write the state at the end of the run to this file, to go on from it later',
  },
  'save-at': { type: 'string', help: 'write the state at this instruction instead, and go on' },
};

/** What a saved run leaves open; the rest was decided when it began. */
const OPEN = ['max-instructions', 'reboots', 'until', 'symbols', 'save', 'save-at', 'format', 'help'];

/** Where a run is to be saved. */
export interface SaveTarget {
  readonly path: string;
  readonly request: Required<Pick<SimulationRequest, 'save'>>;
}

/** Null without `--save`. */
export function saveOption(options: Options): SaveTarget | null {
  const path = stringOption(options, 'save');
  const at = numberOption(options, 'save-at') ?? null;
  if (path === undefined) {
    if (at !== null) throw new UsageError('--save-at goes with --save FILE');
    return null;
  }
  if (stringOption(options, 'compare') !== undefined) {
    throw new UsageError('--save and --compare exclude each other: there are two runs');
  }
  const problem = stateFileProblem(path);
  if (problem !== null) throw new UsageError(`--save ${path}: ${problem}`);
  return { path, request: { save: { at } } };
}

/** Writes what a run hands over, and tells how that went. */
export class StateSaver {
  private written = false;
  private failure: string | null = null;

  constructor(
    private readonly target: SaveTarget | null,
    private readonly note: Terminal['note'],
  ) {}

  readonly saved = (run: SavedRun): void => {
    if (!this.target) return;
    const { path } = this.target;
    try {
      writeStateFile(path, run);
      this.written = true;
      this.note(`${path}: the state after ${run.instructions} instructions`);
    } catch (error) {
      this.failure = `--save ${path}: ${(error as Error).message}`;
    }
  };

  /** UsageError where there is no file in the end. */
  finish(instructions: number): void {
    if (this.failure !== null) throw new UsageError(this.failure);
    if (!this.target || this.written) return;
    const { at } = this.target.request.save;
    throw new UsageError(
      at !== null && instructions < at
        ? `--save-at ${at}: the run ended after ${instructions} instructions, and nothing was saved`
        : '--save: the run ended before there was a state, and nothing was saved',
    );
  }
}

/** The job that goes on with a saved run; its limits count from where it was saved. */
export function resumedJob(
  file: string,
  bytes: Uint8Array,
  options: Options,
  asked: Pick<SimulationRequest, 'maxInstructions' | 'reboots' | 'until'>,
): SimulationJob {
  const wrong = Object.entries(options.values).find(
    ([name, value]) =>
      value !== undefined && !OPEN.includes(name) && !(Array.isArray(value) && value.length === 0),
  );
  if (wrong) {
    throw new UsageError(
      `--${wrong[0]} does not go with ${file}: a saved state goes on as its run was begun`,
    );
  }
  const resume = readState(bytes);
  if ('problem' in resume)
    throw new UsageError(`${file}: this saved state cannot be used: ${resume.problem}`);
  const { machine, vmm, version, request, instructions, cycles } = resume;
  const begun: { -readonly [Name in keyof SimulationRequest]: SimulationRequest[Name] } = { ...request };
  delete begun.until;
  return {
    machine,
    vmm,
    version,
    request: {
      ...begun,
      ...(asked.until === undefined ? {} : { until: asked.until }),
      maxInstructions: instructions + (numberOption(options, 'max-instructions') ?? DEFAULT_BUDGET),
      reboots: cycles.reboots + asked.reboots,
      resume,
    },
  };
}
