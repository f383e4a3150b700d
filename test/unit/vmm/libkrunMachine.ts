/** A guest of libkrun without a config, laid out by the model. */
import type { ImageRole, Machine, Setting } from '../../../server/src/machine/machine';
import type { VmmOrigin } from '../../../server/src/machine/origin';
import { layOutLibkrun } from '../../../server/src/vmm/libkrun/layout';

export interface LibkrunMachineOptions {
  readonly version?: string;
  readonly memoryMib?: number;
  readonly vcpus?: number;
  readonly commandLine?: string;
  readonly settings?: Readonly<Record<string, Setting>>;
  readonly images?: readonly ImageRole[];
}

export function libkrunMachine(options: LibkrunMachineOptions = {}): Machine {
  const { version = '1.19.0', memoryMib = 512, vcpus = 1, commandLine, settings = {}, images = [] } = options;
  const origin: VmmOrigin = { kind: 'vmm', vmm: 'libkrun', version, citation: 'test' };
  const guest = {
    name: 'box',
    memory: { value: BigInt(memoryMib) << 20n, origin },
    vcpus: { value: vcpus, origin },
    images: images.map((role) => ({ role, path: `/images/${role}`, origin })),
    ...(commandLine === undefined ? {} : { commandLine: { value: commandLine, origin } }),
    settings: new Map(Object.entries(settings).map(([key, value]) => [key, { value, origin }])),
    at: null,
    nameAt: null,
  };
  return { ...guest, vmm: 'libkrun', version, regions: layOutLibkrun(guest, version) };
}
