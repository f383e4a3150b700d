/** `bootpath simulate FILE`: boots one machine of a config on the emulator, under its VMM's model. */
import { SHOWN_ISSUES } from '../bootRuns';
import { isSavedRun } from '../simulation/savedRunFile';
import { DEFAULT_BUDGET } from '../simulation/simulate';
import { PROBES } from '../simulation/probes/probes';
import type { SimulationJob } from '../workerHost';
import { IMAGE_OPTIONS, imageJob, isBareImage } from './bareImage';
import { bootAndTell } from './bootAndTell';
import { CAPTURE_OPTIONS, capturedJob, startsFromCapture } from './capturedState';
import { stringOption, UsageError, type Command, type Options } from './command';
import { planJob } from './planJob';
import { configBoot, type ConfigFile } from './configBoot';
import { readBytes } from './inputs';
import { limitsOf } from './runLimits';
import { resumedJob, SAVE_OPTIONS } from './savedState';
import { SYMBOLS_OPTION, symbolsOption } from './symbolsOption';

export const simulateCommand: Command = {
  name: 'simulate',
  usage:
    'simulate FILE|IMAGE [--vm NAME] [--as VMM[@VERSION]] [--firmware F | --image F | --probe NAME | --known-issue ID]  |  simulate --known-issue ID',
  summary: 'boots a machine of a config, or an image on a plain PC, and says what the guest did',
  formats: ['text', 'json'],
  options: {
    vm: { type: 'string', help: 'the machine to boot; the first one otherwise' },
    as: { type: 'string', help: 'the VMM and version to boot it under' },
    firmware: { type: 'string', help: 'a BIOS image' },
    image: { type: 'string', help: 'a kernel image that the VMM loads itself' },
    probe: { type: 'string', help: `a probe guest: ${PROBES.map(({ name }) => name).join(', ')}` },
    'known-issue': {
      type: 'string',
      help: `shows a known issue, with a guest of its own where no file is named: ${SHOWN_ISSUES.map(({ id }) => id).join(', ')}`,
    },
    compare: { type: 'string', help: 'boots under this VMM and version too, and says where they part' },
    set: {
      type: 'string',
      multiple: true,
      help: 'a parameter of the probe, NAME=VALUE (repeatable)',
    },
    tap: {
      type: 'string',
      multiple: true,
      help: 'watch a debug port that the real VMM does not have, for example 0x402 (repeatable)',
    },
    'max-instructions': {
      type: 'string',
      help: `the budget, in instructions of all vCPUs (${DEFAULT_BUDGET} otherwise)`,
    },
    reboots: { type: 'string', help: 'go on through so many resets' },
    answer: {
      type: 'string',
      multiple: true,
      help: 'type a reply on the console when the guest has written a prompt, PROMPT=REPLY (repeatable, in order)',
    },
    until: {
      type: 'string',
      help: 'end when the guest has written this text; a run that ends without it has failed',
    },
    quantum: { type: 'string', help: 'instructions that a vCPU runs before the next one’s turn' },
    ...SYMBOLS_OPTION,
    ...SAVE_OPTIONS,
    ...CAPTURE_OPTIONS,
    ...IMAGE_OPTIONS,
  },
  async run(options, terminal) {
    const [file, ...rest] = options.arguments;
    const bytes = file === undefined ? null : readBytes(file);
    if (rest.length === 0 && startsFromCapture(bytes, options)) {
      const job = capturedJob(file ?? null, bytes, options, limitsOf(options));
      const symbols = await symbolsOption(options, null, null);
      return bootAndTell({ ...job, request: { ...job.request, ...symbols } }, options, terminal);
    }
    const own = stringOption(options, 'known-issue') !== undefined;
    if (rest.length > 0 || (!own && !bytes)) throw new UsageError('simulate takes one file');
    const config: ConfigFile | null = file === undefined || !bytes ? null : { file, bytes };
    if (!config || (!isSavedRun(config.bytes) && !isBareImage(config.bytes, options))) {
      const planned = config && (await planJob(config, options, terminal.service));
      if (planned) return bootAndTell(planned, options, terminal);
      const { job, runs } = await configBoot(config, options, terminal.service);
      return bootAndTell(job, options, terminal, runs);
    }
    const job = await imageOrStateJob(config.file, config.bytes, options);
    return bootAndTell(job, options, terminal);
  },
};

async function imageOrStateJob(file: string, bytes: Uint8Array, options: Options): Promise<SimulationJob> {
  const limits = limitsOf(options);
  const saved = isSavedRun(bytes);
  const job = saved ? resumedJob(file, bytes, options, limits) : imageJob(file, bytes, options, limits);
  const path = saved || file === '-' ? null : file;
  const symbols = await symbolsOption(options, path, job.request.kernel);
  return { ...job, request: { ...job.request, ...symbols } };
}
