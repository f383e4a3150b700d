/** The guest of images/busy-machine.asm on the plain PC, and everything that can be told of a run of it. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCore } from '../../../server/emulator/core';
import type { CoreSnapshot, TraceEvent } from '../../../server/emulator/face';
import { PoweredMachine } from '../../../server/src/simulation/poweredMachine';
import { Recorder } from '../../../server/src/simulation/recorder';
import { run, type Ending } from '../../../server/src/simulation/runLoop';
import { pcMachine } from '../../../server/src/vmm/pc/machine';
import { PC } from '../../../server/src/vmm/pc/model';
import { multibootFile } from '../../unit/simulation/multibootFile';
import { assemble } from '../oracle/tools';

export interface Busy {
  readonly vcpus: number;
  readonly quantum?: number;
  readonly rounds?: number;
}

const kernels = new Map<string, Uint8Array>();
function kernel({ vcpus, rounds = 60 }: Busy): Uint8Array {
  const defines = `%define CPUS ${vcpus}\n%define ROUNDS ${rounds}\n`;
  let file = kernels.get(defines);
  if (!file) {
    const folder = join(process.env['BOOTPATH_ROOT'] ?? '.', 'test/core/boot/images');
    file = multibootFile(assemble(defines + readFileSync(join(folder, 'busy-machine.asm'), 'utf8')));
    kernels.set(defines, file);
  }
  return file;
}

/** What a run leaves behind. */
export class Log {
  readonly recorder = new Recorder();
  /** Every event of the core, in words. */
  readonly events: string[] = [];

  /** For comparison, at the end of the run. */
  all(): Record<string, unknown> {
    const { recorder, events } = this;
    recorder.finish();
    const { console, exits, timeline } = recorder;
    return {
      console: console.text,
      events,
      exits: exits.list(),
      timeline: timeline.events,
      dropped: timeline.dropped,
    };
  }
}

export class BusyMachine {
  readonly powered: PoweredMachine;

  /** @param log where what happens is written down; machines that take turns at one run share it */
  constructor(
    options: Busy,
    readonly log = new Log(),
  ) {
    const { vcpus, quantum } = options;
    this.powered = new PoweredMachine(
      {
        machine: pcMachine({ name: 'busy', memory: 64n << 20n, vcpus }),
        model: PC,
        version: 'i440fx',
        firmware: null,
        kernel: kernel(options),
        cpu: { vendor: 'intel', added: ['TSC-Deadline'], removed: [] },
        boot: {
          protocol: null,
          imageName: 'busy',
          commandLine: '',
          modules: [],
        },
        taps: [],
        passOver: false,
        ...(quantum === undefined ? {} : { quantum }),
        createCore: (core) =>
          createCore({
            ...core,
            bus: {
              ...core.bus,
              trace: (event) => {
                this.log.events.push(inWords(event));
                core.bus.trace?.(event);
              },
            },
          }),
      },
      this.log.recorder,
    );
    if (this.powered.problem !== null) throw new Error(this.powered.problem);
  }

  /** Runs until that many instructions, or to the end. */
  go(maxInstructions = 20_000_000): Ending {
    const { recorder } = this.log;
    recorder.now = () => this.powered.core.now;
    return run(this.powered, recorder, {
      maxInstructions,
      idleSeconds: 5,
      cancelled: () => false,
      progress: () => undefined,
    });
  }

  /** The whole state: every vCPU, all memory, everything cached, every device, every alarm. */
  state(): Record<string, unknown> {
    const { core, devices, clock } = this.powered;
    return {
      now: core.now,
      instructions: core.instructions,
      vcpus: Array.from({ length: core.vcpus }, (_, vcpu) => [core.activity(vcpu), core.state(vcpu)]),
      core: digest(core.snapshot()),
      devices: devices.map((device) => [device.name, device.save()]),
      alarm: clock.next(),
    };
  }
}

function inWords(event: TraceEvent): string {
  return JSON.stringify(event, (_, value: unknown) =>
    typeof value === 'bigint' ? value.toString(16) : value,
  );
}

function digest({ pages, internal }: CoreSnapshot): string {
  const hash = createHash('sha256');
  for (const { address, bytes } of pages) hash.update(address.toString(16)).update(bytes);
  return hash.update(internal).digest('hex');
}
