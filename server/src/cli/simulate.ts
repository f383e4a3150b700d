/** `bootpath simulate FILE`: boots one machine of a config on the emulator, under its VMM's model. */
import type { Document } from '../machine/language';
import type { Machine } from '../machine/machine';
import type { KnownIssue } from '../machine/knownIssue';
import { bootReportJson, bootReportText, countText } from '../output/bootReport';
import { divergenceJson, divergenceText } from '../output/divergence';
import { divergenceOf, type Divergence } from '../simulation/divergence';
import { isSavedRun } from '../simulation/savedRunFile';
import type { SavedRun } from '../simulation/savedRun';
import { DEFAULT_BUDGET } from '../simulation/simulate';
import { PROBES } from '../simulation/probes/probes';
import type { BootReport, Outcome, SimulationRequest } from '../simulation/report';
import { gunzippedKernel } from '../packedKernel';
import { VMM_MODELS } from '../vmm/models';
import { jobOf, startJob, type SimulationJob } from '../workerHost';
import { answersOption } from './answerOption';
import { IMAGE_OPTIONS, imageJob, isBareImage, refuseImageOptions, type Limits } from './bareImage';
import { CAPTURE_OPTIONS, capturedJob, startsFromCapture } from './capturedState';
import {
  json,
  listOption,
  numberOption,
  stringOption,
  UsageError,
  wholeNumber,
  type Command,
  type Options,
  type Terminal,
} from './command';
import { choiceOf, parseSource, pathOf, pickMachine, readBytes, sourceOf, terminalStyle } from './inputs';
import { resumedJob, SAVE_OPTIONS, saveOption, StateSaver } from './savedState';
import { SYMBOLS_OPTION, symbolsOption } from './symbolsOption';

/** Outcomes that make exit code 1 where nothing was expected; a finding of error severity does so too. */
const FAILED: ReadonlySet<Outcome> = new Set([
  'triple-fault',
  'guest-panic',
  'host-panic',
  'budget',
  'invalid-entry',
]);

/** The exit code of what Ctrl-C has ended, as shells have it: 128 and the number of SIGINT. */
const INTERRUPTED = 130;

/** Known issues that the emulator can show. */
const SHOWN = VMM_MODELS.flatMap(({ knownIssues }) => knownIssues).filter(({ simulation }) => simulation);

export const simulateCommand: Command = {
  name: 'simulate',
  usage:
    'simulate FILE|IMAGE [--vm NAME] [--as VMM[@VERSION]] [--firmware F | --image F | --probe NAME | --known-issue ID]',
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
      help: `shows a known issue under an affected version: ${SHOWN.map(({ id }) => id).join(', ')}`,
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
    if (file === undefined || !bytes || rest.length > 0) throw new UsageError('simulate takes one file');
    if (!isSavedRun(bytes) && !isBareImage(bytes, options)) {
      return runConfig(file, bytes, options, terminal);
    }
    const job = await imageOrStateJob(file, bytes, options);
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

async function runConfig(
  file: string,
  bytes: Uint8Array,
  options: Options,
  terminal: Terminal,
): Promise<number> {
  const { service } = terminal;
  refuseImageOptions(options, file);
  const issue = issueOption(options);
  const own = ['probe', 'known-issue'];
  const sources = ['firmware', 'image', ...own].filter((name) => options.values[name] !== undefined);
  if (sources.length > 1 && own.some((name) => sources.includes(name))) {
    throw new UsageError(`--${sources.join(' and --')} exclude each other`);
  }
  const choice = issue
    ? { vmm: issue.vmm, version: issue.affected.at(-1)! }
    : choiceOf(service, stringOption(options, 'as'));
  const source = sourceOf(file, bytes);
  const document = parseSource(service, source, choice);
  if (!document) throw new UsageError(`${file}: not recognised as a VM config, a memory map or an image`);
  const machine = pickMachine(document, stringOption(options, 'vm'), file);
  const image = (name: string) => {
    const path = stringOption(options, name);
    return path === undefined ? null : readBytes(path);
  };
  const kernel = kernelOption(image('image'));
  const request: SimulationRequest = {
    machine: machine.name,
    firmware: image('firmware'),
    kernel,
    ...(await symbolsOption(options, stringOption(options, 'image') ?? null, kernel)),
    probe: probeOption(stringOption(options, 'probe')),
    knownIssue: issue?.id ?? null,
    parameters: parametersOption(listOption(options, 'set')),
    ...limitsOf(options),
  };
  const compared = stringOption(options, 'compare');
  const other =
    compared === undefined ? null : parseSource(service, source, choiceOf(service, compared, '--compare'));
  const compare = async (report: BootReport): Promise<Compared> => ({
    divergence: divergenceOf(report, await boot(configJob(other!, request))),
    compared: compared ?? '',
  });
  return bootAndTell(configJob(document, request), options, terminal, other ? compare : undefined);
}

/** What goes for configs and images alike. */
function limitsOf(options: Options): Limits {
  const quantum = atLeastOne(options, 'quantum');
  const answers = answersOption(listOption(options, 'answer'));
  const until = stringOption(options, 'until');
  if (until === '') throw new UsageError('--until takes a text');
  return {
    taps: listOption(options, 'tap').map((port) => tapOption(port)),
    maxInstructions: atLeastOne(options, 'max-instructions') ?? DEFAULT_BUDGET,
    reboots: numberOption(options, 'reboots') ?? 0,
    ...(quantum === undefined ? {} : { quantum }),
    ...(until === undefined ? {} : { until }),
    ...(answers.length === 0 ? {} : { answers }),
  };
}

type Compared = { readonly divergence: Divergence | null; readonly compared: string };

/** Prints the report and gives the exit code. */
function tell(
  report: BootReport,
  machine: Machine,
  options: Options,
  { out, note }: Terminal,
  parted: Compared | null = null,
): number {
  if (report.outcome === 'cancelled') note('cancelled');
  if (stringOption(options, 'format') === 'json') {
    const more = parted ? { divergence: divergenceJson(parted.divergence) } : {};
    out(json({ ...bootReportJson(report, pathOf), ...more }));
  } else {
    out(bootReportText(report, machine, terminalStyle()));
    if (parted) out(divergenceText(parted.divergence, parted.compared));
  }
  if (report.outcome === 'cancelled') return INTERRUPTED;
  const failed = FAILED.has(report.outcome) || report.findings.some(({ severity }) => severity === 'error');
  return failed ? 1 : 0;
}

function configJob(document: Document, request: SimulationRequest): SimulationJob {
  const job = jobOf(document, request);
  // A map that has no VMM: a sentence for the user.
  if (typeof job === 'string') throw new UsageError(job);
  return job;
}

/** Boots, saves where that is asked for, and gives the exit code. */
async function bootAndTell(
  job: SimulationJob,
  options: Options,
  terminal: Terminal,
  compare?: (report: BootReport) => Promise<Compared>,
): Promise<number> {
  const target = saveOption(options);
  const saver = new StateSaver(target, terminal.note);
  const request = { ...job.request, ...target?.request };
  const report = await boot({ ...job, request }, saver.saved);
  const code = tell(report, job.machine, options, terminal, (await compare?.(report)) ?? null);
  saver.finish(report.instructions);
  return code;
}

/** Boots in a worker, with the count on the terminal; Ctrl-C ends it. */
async function boot(job: SimulationJob, saved?: (run: SavedRun) => void): Promise<BootReport> {
  const progress = (instructions: number) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${countText(instructions)} instructions `);
  };
  const simulation = startJob(job, progress, saved);
  const interrupt = () => simulation.cancel();
  process.once('SIGINT', interrupt);
  try {
    return await simulation.report;
  } catch (error) {
    // A parameter that the probe does not have: a sentence for the user.
    throw new UsageError((error as Error).message);
  } finally {
    process.removeListener('SIGINT', interrupt);
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  }
}

function atLeastOne(options: Options, name: string): number | undefined {
  const value = numberOption(options, name);
  if (value === 0) throw new UsageError(`--${name} takes 1 at least`);
  return value;
}

function kernelOption(bytes: Uint8Array | null): Uint8Array | null {
  try {
    return bytes && gunzippedKernel(bytes);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** The issue that `--known-issue` names. It picks the version itself. */
function issueOption(options: Options): KnownIssue | null {
  const id = stringOption(options, 'known-issue');
  if (id === undefined) return null;
  if (stringOption(options, 'as') !== undefined) {
    throw new UsageError('--known-issue and --as exclude each other: the issue picks an affected version');
  }
  const issue = SHOWN.find((candidate) => candidate.id === id);
  if (issue) return issue;
  const known = SHOWN.map((one) => one.id).join(', ');
  throw new UsageError(`--known-issue ${id}: there is no such issue to show (there are ${known})`);
}

function probeOption(name: string | undefined): string | null {
  if (name === undefined) return null;
  if (PROBES.some((probe) => probe.name === name)) return name;
  throw new UsageError(
    `there is no probe "${name}" (there are ${PROBES.map((probe) => probe.name).join(', ')})`,
  );
}

function tapOption(text: string): number {
  const port = wholeNumber(text, '--tap');
  if (port > 0xffff) throw new UsageError(`--tap ${text}: I/O ports end at 0xffff`);
  return port;
}

/** `ibt=1` for each; that the probe has such a parameter is checked where the probe is loaded. */
function parametersOption(texts: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    texts.map((text) => {
      const [name = '', value = ''] = text.split('=');
      return [name, wholeNumber(value, `--set ${name}`)];
    }),
  );
}
