import { GIB, MIB } from '../../../server/src/address/range';
import type { GuestDescription, Machine, Setting } from '../../../server/src/machine/machine';
import { layOutPropolis } from '../../../server/src/vmm/propolis/layout';

const origin = { kind: 'vmm', vmm: 'propolis', version: '2026-06', citation: 'a test' } as const;

export function guest(
  memory: bigint,
  vcpus = 1,
  settings: Readonly<Record<string, Setting>> = {},
): GuestDescription {
  return {
    name: 'test',
    memory: { value: memory, origin },
    vcpus: { value: vcpus, origin },
    images: [],
    settings: new Map(Object.entries(settings).map(([key, value]) => [key, { value, origin }])),
    at: null,
    nameAt: null,
  };
}

export function machineOf(described: GuestDescription, version = '2026-06'): Machine {
  return { ...described, vmm: 'propolis', version, regions: layOutPropolis(described, version) };
}

export const HALF_GIB = 512n * MIB;
export const gib = (count: number): bigint => BigInt(count) * GIB;
