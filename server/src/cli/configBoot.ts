/** A machine of a config, or the guest of a known issue, that `simulate` boots under a VMM's model. */
import type { VmmChoice } from '../machine/language';
import type { Machine } from '../machine/machine';
import type { KnownIssue, SimulationCell } from '../machine/knownIssue';
import { gunzippedKernel } from '../packedKernel';
import { PROBES } from '../simulation/probes/probes';
import type { SimulationRequest } from '../simulation/report';
import type { SourceText } from '../text/sourceText';
import { VMM_MODELS, vmmModel } from '../vmm/models';
import { underModel } from '../vmm/relayout';
import { jobFor, type SimulationJob } from '../workerHost';
import { cpuOption, refuseImageOptions } from './bareImage';
import type { IssueRuns } from './bootAndTell';
import { listOption, stringOption, UsageError, wholeNumber, type Options } from './command';
import { choiceOf, parseSource, pickMachine, readBytes, sourceOf } from './inputs';
import { limitsOf } from './runLimits';
import { symbolsOption } from './symbolsOption';
import type { Service } from '../service';

/** Known issues that the emulator can show. */
export const SHOWN: readonly KnownIssue[] = VMM_MODELS.flatMap(({ knownIssues }) => knownIssues).filter(
  ({ simulation }) => simulation,
);

/** What is booted, and for a known issue all its runs. */
export interface ConfigBoot {
  readonly job: SimulationJob;
  readonly runs: IssueRuns | null;
}

/** A config as it was read; null where the known issue brings its own guest. */
export interface ConfigFile {
  readonly file: string;
  readonly bytes: Uint8Array;
}

export async function configBoot(
  config: ConfigFile | null,
  options: Options,
  service: Service,
): Promise<ConfigBoot> {
  refuseImageOptions(options, config?.file ?? 'a known issue’s own guest');
  const issue = issueOption(options);
  refuseTogether(options);
  const source = config && sourceOf(config.file, config.bytes);
  const machineUnder = (choice: VmmChoice | undefined) =>
    withOptions(
      source ? machineOf(service, source, config.file, choice, options) : ownGuest(issue, choice!),
      options,
    );
  const asked = choiceOf(service, stringOption(options, 'as'));
  if (issue && asked && asked.vmm !== issue.vmm) {
    throw new UsageError(`--as ${asked.vmm}: ${issue.id} is an issue of ${issue.vmm}`);
  }
  const main = issue?.simulation?.cells[0];
  const request = await requestOf(options, issue);
  const choice = asked ?? (main && issue ? { vmm: issue.vmm, version: main.version } : undefined);
  const job = jobOrUsage(machineUnder(choice), request);
  const compared = choiceOf(service, stringOption(options, 'compare'), '--compare');
  if (compared) return { job: { ...job, compared: jobOrUsage(machineUnder(compared), request) }, runs: null };
  if (!issue || asked || listOption(options, 'set').length > 0) return { job, runs: null };
  const cellJob = ({ version }: SimulationCell, cell: number): SimulationJob =>
    jobOrUsage(machineUnder({ vmm: issue.vmm, version }), { ...request, cell });
  return { job, runs: { issue, jobs: issue.simulation!.cells.map(cellJob) } };
}

async function requestOf(options: Options, issue: KnownIssue | null): Promise<SimulationRequest> {
  const image = (name: string) => {
    const path = stringOption(options, name);
    return path === undefined ? null : readBytes(path);
  };
  const kernel = kernelOption(image('image'));
  const cpu = cpuOption(options);
  return {
    machine: null,
    firmware: image('firmware'),
    kernel,
    initrd: image('initrd'),
    ...(cpu ? { cpu } : {}),
    ...(await symbolsOption(options, stringOption(options, 'image') ?? null, kernel)),
    probe: probeOption(stringOption(options, 'probe')),
    knownIssue: issue?.id ?? null,
    parameters: parametersOption(listOption(options, 'set')),
    ...limitsOf(options),
  };
}

/** What is booted is one thing. */
function refuseTogether(options: Options): void {
  const own = ['probe', 'known-issue'];
  const sources = ['firmware', 'image', ...own].filter((name) => options.values[name] !== undefined);
  if (sources.length > 1 && own.some((name) => sources.includes(name))) {
    throw new UsageError(`--${sources.join(' and --')} exclude each other`);
  }
}

function machineOf(
  service: Service,
  source: SourceText,
  file: string,
  choice: VmmChoice | undefined,
  options: Options,
): Machine {
  const document = parseSource(service, source, choice);
  if (!document) throw new UsageError(`${file}: not recognised as a VM config, a memory map or an image`);
  const machine = pickMachine(document, stringOption(options, 'vm'), file);
  if (machine.vmm !== null || !document.choice) return machine;
  // A memory map says by a pragma which VMM it is of.
  const { vmm, version } = document.choice;
  return { ...machine, vmm, version };
}

/** The guest that a known issue is shown with where the user has no config. */
function ownGuest(issue: KnownIssue | null, { vmm, version }: VmmChoice): Machine {
  if (!issue) throw new UsageError('simulate takes one file');
  const guest = { ...issue.simulation!.guest, vmm: null, version: null, regions: [] };
  return underModel(guest, vmmModel(vmm)!, version);
}

/** `--append` in the place of the config's command line. */
function withOptions(machine: Machine, options: Options): Machine {
  const append = stringOption(options, 'append');
  if (append === undefined) return machine;
  const origin = { kind: 'vmm', vmm: machine.vmm ?? '', version: machine.version ?? '' } as const;
  return {
    ...machine,
    commandLine: { value: append, origin: { ...origin, citation: 'the option --append' } },
  };
}

function jobOrUsage(machine: Machine, request: SimulationRequest): SimulationJob {
  const job = jobFor(machine, request);
  // A map that has no VMM: a sentence for the user.
  if (typeof job === 'string') throw new UsageError(job);
  return job;
}

function kernelOption(bytes: Uint8Array | null): Uint8Array | null {
  try {
    return bytes && gunzippedKernel(bytes);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** The issue that `--known-issue` names. */
function issueOption(options: Options): KnownIssue | null {
  const id = stringOption(options, 'known-issue');
  if (id === undefined) return null;
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

/** `ibt=1` for each; that the probe has such a parameter is checked where the probe is loaded. */
function parametersOption(texts: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    texts.map((text) => {
      const [name = '', value = ''] = text.split('=');
      return [name, wholeNumber(value, `--set ${name}`)];
    }),
  );
}
