/** The one microVM of a config file (`--config-file`), with its memory laid out. */
import { MIB } from '../../address/range';
import type { GuestDescription, ImageReference, Machine, Setting } from '../../machine/machine';
import { fromText, type Fact, type VmmOrigin } from '../../machine/origin';
import { jsonAt, jsonMember, jsonRange, type JsonNode } from '../../text/json';
import type { SourceText } from '../../text/sourceText';
import { jsonSettings } from '../jsonConfig';
import { DEVICE_SETTINGS } from './commandLine';
import { configuredDevices } from './devices';
import { layOutFirecracker } from './layout';
import { DEFAULT_MEMORY, type FirecrackerVersion } from './versions';

/** Larger numbers are no memory sizes: 2^44 MiB are 2^64 bytes. */
const LARGEST_MIB = 1n << 44n;
/** vcpu_count is a u8. */
const LARGEST_COUNT = 255n;

/** None where the text has no object. */
export function machinesOf(
  source: SourceText,
  root: JsonNode | null,
  version: FirecrackerVersion,
): Machine[] {
  if (root?.kind !== 'object') return [];
  const own = (citation: string): VmmOrigin => ({
    kind: 'vmm',
    vmm: 'firecracker',
    version: version.id,
    citation,
  });
  const named = jsonMember(root, 'boot-source') ?? jsonMember(root, 'machine-config');
  const at = jsonRange(source, root);
  const guest: GuestDescription = {
    name: source.name || 'microVM',
    memory: memoryOf(source, root, own),
    vcpus: vcpusOf(source, root, own),
    images: imagesOf(source, root),
    ...commandLineOf(source, root),
    settings: settingsOf(source, root, own),
    at,
    nameAt: named ? jsonRange(source, named.key) : source.at(root.start, root.start + 1),
  };
  const machine = { ...guest, vmm: 'firecracker', version: version.id };
  return [{ ...machine, regions: guest.memory ? layOutFirecracker(guest, version.id) : [] }];
}

type Own = (citation: string) => VmmOrigin;

/** Null where the config says something that is no size. */
function memoryOf(source: SourceText, root: JsonNode, own: Own): Fact<bigint> | null {
  const config = jsonAt(root, 'machine-config');
  if (!config || config.kind === 'null') {
    return { value: DEFAULT_MEMORY, origin: own('machine_config.rs, DEFAULT_MEM_SIZE_MIB') };
  }
  const size = jsonAt(config, 'mem_size_mib');
  if (size?.kind !== 'number' || size.integer === null) return null;
  if (size.integer <= 0n || size.integer >= LARGEST_MIB) return null;
  return { value: size.integer * MIB, origin: fromText(jsonRange(source, size)) };
}

function vcpusOf(source: SourceText, root: JsonNode, own: Own): Fact<number> {
  const count = jsonAt(root, 'machine-config', 'vcpu_count');
  const value = count?.kind === 'number' ? count.integer : null;
  return count && value !== null && value >= 1n && value <= LARGEST_COUNT
    ? { value: Number(value), origin: fromText(jsonRange(source, count)) }
    : { value: 1, origin: own('machine_config.rs, MachineConfig::default') };
}

function imagesOf(source: SourceText, root: JsonNode): ImageReference[] {
  const images: ImageReference[] = [];
  const add = (role: ImageReference['role'], node: JsonNode | null) => {
    if (node?.kind === 'string' && node.value !== '') {
      images.push({ role, path: node.value, origin: fromText(jsonRange(source, node)) });
    }
  };
  add('kernel', jsonAt(root, 'boot-source', 'kernel_image_path'));
  add('initrd', jsonAt(root, 'boot-source', 'initrd_path'));
  for (const { kind, node } of configuredDevices(root)) {
    if (kind === 'drive' || kind === 'pmem') add('disk', jsonAt(node, 'path_on_host'));
  }
  return images;
}

function commandLineOf(source: SourceText, root: JsonNode): { commandLine?: Fact<string> } {
  const node = jsonAt(root, 'boot-source', 'boot_args');
  return node?.kind === 'string'
    ? { commandLine: { value: node.value, origin: fromText(jsonRange(source, node)) } }
    : {};
}

/** Every option by its key path, and what the devices do to the command line. */
function settingsOf(source: SourceText, root: JsonNode, own: Own): ReadonlyMap<string, Fact<Setting>> {
  const settings = jsonSettings(source, root);
  const devices = configuredDevices(root);
  const rootIndex = devices.findIndex((device) => device.root !== null);
  const origin = own('builder.rs, build_microvm_for_boot');
  settings.set(DEVICE_SETTINGS.count, { value: BigInt(devices.length), origin });
  if (rootIndex >= 0) {
    const at = fromText(jsonRange(source, devices[rootIndex]!.node));
    settings.set(DEVICE_SETTINGS.root, { value: devices[rootIndex]!.root!, origin: at });
    settings.set(DEVICE_SETTINGS.rootIndex, { value: BigInt(rootIndex), origin: at });
  }
  return settings;
}
