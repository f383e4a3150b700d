/** Simulated boots of images without a config, for the editor: on the plain PC, one run a file. */
import { basename } from 'node:path';
import { MIB } from './address/range';
import type { Files } from './hostFiles';
import type { Machine } from './machine/machine';
import { unpackedKernel } from './packedKernel';
import type { SimulateImageParams } from './protocol';
import type { BootReport } from './simulation/report';
import type { Hooks, SimulationHandle } from './simulations';
import { symbolsBeside } from './symbolFiles';
import { imageKind } from './vmm/pc/imageKind';
import { pcMachine } from './vmm/pc/machine';
import { PC } from './vmm/pc/model';
import type { SimulationJob } from './workerHost';

/** Runs a job in a worker. */
export type JobStarter = (job: SimulationJob, progress: (instructions: number) => void) => SimulationHandle;

export interface ImageBoot {
  readonly machine: Machine;
  readonly report: BootReport;
}

export class ImageBoots {
  private readonly running = new Map<string, () => void>();

  constructor(
    private readonly start: JobStarter,
    private readonly files: Files,
  ) {}

  endAll(): void {
    for (const cancel of this.running.values()) cancel();
  }

  /** Rejects with a sentence for the user: a file that cannot be read or is no image, a worker that died. */
  async run(params: SimulateImageParams, hooks: Hooks): Promise<ImageBoot> {
    const { path } = params;
    this.running.get(path)?.();
    let cancelled = false;
    let handle: SimulationHandle | null = null;
    const cancel = () => {
      cancelled = true;
      handle?.cancel();
    };
    this.running.set(path, cancel);
    hooks.onCancel(cancel);
    try {
      const job = await this.job(params);
      handle = this.start(job, (instructions) => hooks.progress(instructions));
      if (cancelled) handle.cancel();
      return { machine: job.machine, report: await handle.report };
    } finally {
      if (this.running.get(path) === cancel) this.running.delete(path);
    }
  }

  private async job(params: SimulateImageParams): Promise<SimulationJob> {
    const { path, commandLine, memory, vcpus, maxInstructions } = params;
    const image = unpackedKernel(await this.files.readImage(path, null));
    const kind = imageKind(image);
    if (kind === null) {
      throw new Error(`${path} is neither a kernel nor a firmware nor a disk that the plain PC could boot.`);
    }
    const kernel = kind === 'kernel' ? image : null;
    const modules =
      params.initrd === null
        ? []
        : [{ bytes: await this.files.readImage(params.initrd, null), commandLine: basename(params.initrd) }];
    return {
      machine: pcMachine({ name: path, memory: BigInt(memory) * MIB, vcpus }),
      vmm: PC.name,
      version: PC.versions.at(-1)!.id,
      request: {
        machine: null,
        firmware: kind === 'firmware' ? image : null,
        kernel,
        probe: null,
        taps: [],
        maxInstructions,
        reboots: 0,
        ...(kernel ? { symbols: await symbolsBeside(this.files, path, null, kernel) } : {}),
        boot: {
          protocol: null,
          imageName: basename(path),
          commandLine,
          modules,
        },
      },
    };
  }
}
