/** A machine of a config, or the guest of a known issue, that `simulate` boots under a VMM's model. */
import type { VmmChoice } from '../machine/language';
import type { Machine } from '../machine/machine';
import type { KnownIssue } from '../machine/knownIssue';
import { gunzippedKernel } from '../packedKernel';
import { PROBES } from '../simulation/probes/probes';
import type { SimulationRequest } from '../simulation/report';
import type { Finding } from '../text/finding';
import type { SourceText } from '../text/sourceText';
import { jobOf, machineIn, type SimulationJob } from '../workerHost';
import { cpuOption, refuseImageOptions } from './bareImage';
import { guestOf, chooseRuns, SHOWN_ISSUES, type BootRun } from '../bootRuns';
import type { ChosenJobs } from './bootAndTell';
import { listOption, stringOption, UsageError, wholeNumber, type Options } from './command';
import { choiceOf, parseSource, pickMachine, readBytes, sourceOf } from './inputs';
import { limitsOf } from './runLimits';
import { symbolsOption } from './symbolsOption';
import type { Service } from '../service';

/** A config as it was read; null where the known issue brings its own guest. */
export interface ConfigFile {
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** UsageError for what cannot be booted. */
export async function configBoot(
  config: ConfigFile | null,
  options: Options,
  service: Service,
): Promise<ChosenJobs> {
  refuseImageOptions(options, config?.file ?? 'a known issue’s own guest');
  refuseTogether(options);
  const issue = issueOption(options);
  const asked = stringOption(options, 'as');
  // The issue knows which versions show it.
  const as = issue && asked === issue.vmm ? undefined : choiceOf(service, asked);
  if (issue && as && as.vmm !== issue.vmm) {
    throw new UsageError(`--as ${as.vmm}: ${issue.id} is an issue of ${issue.vmm}`);
  }
  const source = config && sourceOf(config.file, config.bytes);
  const machineUnder = (choice: VmmChoice | undefined) => {
    if (source) return withOptions(machineOf(service, source, config.file, choice, options), options);
    if (!issue || !choice) throw new UsageError('simulate takes one file');
    return withOptions(guestOf(issue, choice), options);
  };
  const compare = choiceOf(service, stringOption(options, 'compare'), '--compare');
  const chosen = chooseRuns(machineUnder, { as, compare, issue }, await requestOf(options));
  const rejected = source ? rejectedIn(service, source, chosen.main.machine) : [];
  return {
    job: jobOrUsage({ ...chosen.main, request: { ...chosen.main.request, rejected } }),
    runs: issue && chosen.cells.length > 0 ? { issue, jobs: chosen.cells.map(jobOrUsage) } : null,
  };
}

/** The errors of a text for which its own VMM starts no guest; to another VMM, which the machine is laid out for, they mean nothing. */
function rejectedIn(service: Service, source: SourceText, { vmm, version }: Machine): readonly Finding[] {
  const choice = vmm !== null && version !== null ? { vmm, version } : undefined;
  const document = parseSource(service, source, choice);
  if (!document || service.languages.find(({ kind }) => kind === document.language)?.vmm !== vmm) return [];
  return service.findings(document).filter(({ severity }) => severity === 'error');
}

async function requestOf(options: Options): Promise<SimulationRequest> {
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
  const { name } = pickMachine(document, stringOption(options, 'vm'), file);
  const machine = machineIn(document, name);
  if (typeof machine === 'string') throw new UsageError(machine);
  return machine;
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

function jobOrUsage(run: BootRun): SimulationJob {
  const job = jobOf(run);
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
  const issue = SHOWN_ISSUES.find((candidate) => candidate.id === id);
  if (issue) return issue;
  const known = SHOWN_ISSUES.map((one) => one.id).join(', ');
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
