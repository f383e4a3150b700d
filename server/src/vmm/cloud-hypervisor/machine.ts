/** The machine that a VM's JSON describes (vmm/src/vm_config.rs, VmConfig), with its memory laid out. */
import type { GuestDescription, ImageReference, ImageRole, Machine, Setting } from '../../machine/machine';
import { fromText, type Fact } from '../../machine/origin';
import { jsonAt, jsonRange, type JsonNode, type JsonObject, type JsonString } from '../../text/json';
import type { SourceText } from '../../text/sourceText';
import { jsonSettings } from '../jsonConfig';
import { layOutCloudHypervisor } from './layout';
import { DEFAULT_MEMORY } from './memory';
import { decidedBy, NAME } from './origin';
import type { CloudHypervisorVersion } from './versions';

const CONFIG = 'vmm/src/vm_config.rs';
/** DEFAULT_VCPUS. */
const DEFAULT_VCPUS = 1;
const MOST_VCPUS = 0xffff;

/** Where images are named: by `payload` since v26.0, each in an object of its own before. */
const IMAGES: readonly (readonly [role: ImageRole, ...path: string[]])[] = [
  ['kernel', 'payload', 'kernel'],
  ['firmware', 'payload', 'firmware'],
  ['initrd', 'payload', 'initramfs'],
  ['kernel', 'kernel', 'path'],
  ['initrd', 'initramfs', 'path'],
];

export function machineOf(source: SourceText, vm: JsonObject, version: CloudHypervisorVersion): Machine {
  const settings = jsonSettings(source, vm);
  const decided = <T>(value: T, what: string): Fact<T> => ({
    value,
    origin: decidedBy(version.id, `${CONFIG}, ${what}`),
  });
  // What the config leaves out and the model looks at.
  if (!settings.has('serial.mode'))
    settings.set('serial.mode', decided<Setting>('Null', 'SerialConfig::default'));
  const commandLine = textFact(source, jsonAt(vm, 'payload', 'cmdline') ?? jsonAt(vm, 'cmdline', 'args'));
  const guest: GuestDescription = {
    // The config itself gives a VM no name.
    name: source.name || 'vm',
    memory:
      memoryFact(source, vm) ?? absent(vm, decided(DEFAULT_MEMORY, 'DEFAULT_MEMORY_MB'), 'memory', 'size'),
    vcpus: vcpusFact(source, vm) ?? decided(DEFAULT_VCPUS, 'DEFAULT_VCPUS'),
    images: imagesOf(vm).map(({ role, node }): ImageReference => {
      return { role, path: node.value, origin: fromText(jsonRange(source, node)) };
    }),
    ...(commandLine ? { commandLine } : {}),
    settings,
    at: jsonRange(source, vm),
    nameAt: source.at(vm.start, vm.start + 1),
  };
  return { ...guest, vmm: NAME, version: version.id, regions: layOutCloudHypervisor(guest, version.id) };
}

/** The default, but only where the config says nothing at all: what it says wrongly has no value. */
function absent<T>(vm: JsonObject, fact: Fact<T>, ...path: string[]): Fact<T> | null {
  return jsonAt(vm, ...path) === null ? fact : null;
}

/** `memory.size` in bytes; 0 leaves it to the zones, whose sizes are added up. */
function memoryFact(source: SourceText, vm: JsonObject): Fact<bigint> | null {
  const size = jsonAt(vm, 'memory', 'size');
  const zones = jsonAt(vm, 'memory', 'zones');
  if (size?.kind !== 'number' || size.integer === null || size.integer < 0n || size.integer >= 1n << 64n)
    return null;
  if (size.integer > 0n || zones?.kind !== 'array') {
    return { value: size.integer, origin: fromText(jsonRange(source, size)) };
  }
  let total = 0n;
  for (const zone of zones.items) {
    const part = jsonAt(zone, 'size');
    if (part?.kind !== 'number' || part.integer === null || part.integer < 0n) return null;
    total += part.integer;
  }
  return { value: total, origin: fromText(jsonRange(source, zones)) };
}

function vcpusFact(source: SourceText, vm: JsonObject): Fact<number> | null {
  const node = jsonAt(vm, 'cpus', 'boot_vcpus');
  if (node?.kind !== 'number' || node.integer === null || node.integer < 1n) return null;
  return {
    value: Number(node.integer > MOST_VCPUS ? MOST_VCPUS : node.integer),
    origin: fromText(jsonRange(source, node)),
  };
}

function textFact(source: SourceText, node: JsonNode | null): Fact<string> | null {
  return node?.kind === 'string' ? { value: node.value, origin: fromText(jsonRange(source, node)) } : null;
}

/** Kernel, firmware and RAM disk, and the disks. */
export function imagesOf(vm: JsonNode | null): { readonly role: ImageRole; readonly node: JsonString }[] {
  const disks = jsonAt(vm, 'disks');
  const named = [
    ...IMAGES.map(([role, ...path]) => ({ role, node: jsonAt(vm, ...path) })),
    ...(disks?.kind === 'array'
      ? disks.items.map((disk) => ({ role: 'disk' as const, node: jsonAt(disk, 'path') }))
      : []),
  ];
  return named.flatMap(({ role, node }) =>
    node?.kind === 'string' && node.value !== '' ? [{ role, node }] : [],
  );
}
