/** A boot plan that `simulate` runs once, with the limits of the command line where there are some. */
import { dirname, resolve } from 'node:path';
import { isBootPlan, type BootPlanDocument } from '../boot-plan/document';
import type { BootPlan } from '../boot-plan/plan';
import { hostFiles } from '../hostFiles';
import { planBoot } from '../planBoot';
import type { Service } from '../service';
import type { SimulationRequest } from '../simulation/report';
import { jobOf, type SimulationJob } from '../workerHost';
import { IMAGE_OPTIONS } from './bareImage';
import { CAPTURE_OPTIONS } from './capturedState';
import { stringOption, UsageError, type Options } from './command';
import type { ConfigFile } from './configBoot';
import { choiceOf, noMachine, parseSource, readBytes, sourceOf } from './inputs';
import { limitsOf } from './runLimits';
import { symbolsOption } from './symbolsOption';

const OF_THE_PLAN = [
  'vm',
  'firmware',
  'image',
  'probe',
  'known-issue',
  'compare',
  'set',
  ...Object.keys(IMAGE_OPTIONS),
  ...Object.keys(CAPTURE_OPTIONS),
];

/** Null where the file is no boot plan; UsageError for a plan that cannot be run. */
export async function planJob(
  { file, bytes }: ConfigFile,
  options: Options,
  service: Service,
): Promise<SimulationJob | null> {
  const source = sourceOf(file, bytes);
  if (service.claim('', source.text, source.uri)?.kind !== 'boot-plan') return null;
  const wrong = OF_THE_PLAN.find((name) => isGiven(options, name));
  if (wrong) throw new UsageError(`--${wrong} does not go with ${file}: a boot plan says that itself`);
  const document = parseSource(service, source, choiceOf(service, stringOption(options, 'as')));
  if (!document || !isBootPlan(document)) return null;
  const [machine] = document.machines;
  if (!machine) throw new UsageError(noMachine(document, file));
  const folder = file === '-' ? process.cwd() : dirname(file);
  const request = await planBoot(document.plan, machine, (path) => hostFiles.readImage(path, folder));
  if (!('taps' in request)) {
    const lines = request.map(({ message, at }) => `${file}:${at.range.start.line + 1}: ${message}`);
    throw new UsageError(lines.join('\n'));
  }
  const rejected = service.findings(document).filter(({ severity }) => severity === 'error');
  const job = jobOf({
    machine,
    request: {
      ...request,
      ...asked(options, request),
      ...(await symbolsFor(document, options, folder)),
      rejected,
    },
  });
  if (typeof job === 'string') throw new UsageError(job);
  return job;
}

function isGiven({ values }: Options, name: string): boolean {
  const value = values[name];
  return value !== undefined && !(Array.isArray(value) && value.length === 0);
}

/** What the command line says stands over the plan; its taps come to those of the plan. */
function asked(options: Options, request: SimulationRequest): Partial<SimulationRequest> {
  const { taps, maxInstructions, reboots, ...rest } = limitsOf(options);
  return {
    ...rest,
    taps: [...new Set([...request.taps, ...taps])],
    ...(isGiven(options, 'max-instructions') ? { maxInstructions } : {}),
    ...(isGiven(options, 'reboots') ? { reboots } : {}),
  };
}

async function symbolsFor({ plan }: BootPlanDocument, options: Options, folder: string) {
  const path = kernelOf(plan);
  if (path === null) return symbolsOption(options, null, null);
  const file = resolve(folder, path);
  return symbolsOption(options, file, readBytes(file));
}

/** The file that symbols belong to. */
function kernelOf({ boot, loads }: BootPlan): string | null {
  const kernel = loads.find(
    ({ kind, content }) => content.kind === 'file' && (kind === 'elf' || kind === 'bzimage'),
  );
  return boot?.kernel?.value ?? (kernel?.content.kind === 'file' ? kernel.content.path.value : null);
}
