/** A guest of bhyve as its config would describe it. */
import type { ImageReference, Machine, Setting } from '../../../server/src/machine/machine';
import type { Origin } from '../../../server/src/machine/origin';
import { layOut } from '../../../server/src/vmm/bhyve/layout';

const ORIGIN: Origin = { kind: 'vmm', vmm: 'bhyve', version: 'freebsd-15', citation: 'a test' };

export interface BhyveGuest {
  readonly memory?: bigint;
  readonly vcpus?: number;
  readonly settings?: Readonly<Record<string, Setting>>;
  readonly commandLine?: string;
}

/** 512 MiB and one vCPU where nothing else is said. */
export function bhyveMachine(version: string, asked: BhyveGuest = {}): Machine {
  const { memory = 0x20000000n, vcpus = 1, settings = {}, commandLine } = asked;
  const images: ImageReference[] = [{ role: 'firmware', path: 'BHYVE_UEFI.fd', origin: ORIGIN }];
  const guest = {
    name: 'guest',
    memory: { value: memory, origin: ORIGIN },
    vcpus: { value: vcpus, origin: ORIGIN },
    images,
    settings: new Map(Object.entries(settings).map(([key, value]) => [key, { value, origin: ORIGIN }])),
    ...(commandLine === undefined ? {} : { commandLine: { value: commandLine, origin: ORIGIN } }),
    at: null,
    nameAt: null,
  };
  return { ...guest, vmm: 'bhyve', version, regions: layOut(guest, version) };
}
