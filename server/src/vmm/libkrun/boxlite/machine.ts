/**
 * The guest of a box (boxlite-ai/boxlite src/boxlite/src/runtime/options.rs, BoxOptions; src/boxlite/src/vmm/krun/engine.rs,
 * Krun::create, which turns them into calls of libkrun; read in a version of 2026-09).
 */
import { MIB } from '../../../address/range';
import type { ImageReference, Machine } from '../../../machine/machine';
import { fromText, type Fact } from '../../../machine/origin';
import { jsonAt, jsonMember, jsonRange, type JsonNode } from '../../../text/json';
import type { SourceText } from '../../../text/sourceText';
import { jsonSettings } from '../../jsonConfig';
import { KERNEL_FORMATS, SETTING } from '../guestFacts';
import { layOutLibkrun } from '../layout';
import type { LibkrunVersion } from '../versions';

/** vm_defaults::DEFAULT_CPUS and DEFAULT_MEMORY_MIB. */
const DEFAULT_CPUS = 4;
const DEFAULT_MEMORY = 4096n * MIB;
const ENGINE = 'boxlite-ai/boxlite src/boxlite/src/vmm/krun/engine.rs, Krun::create';
const CONSTANTS = 'boxlite-ai/boxlite src/boxlite/src/runtime/constants.rs, vm_defaults';

/** The options themselves, or those of a saved box, which has them under `options`. */
export function optionsOf(root: JsonNode | null): JsonNode | null {
  const inner = jsonAt(root, 'options');
  return inner?.kind === 'object' && !jsonMember(root, 'memory_mib') && !jsonMember(root, 'rootfs')
    ? inner
    : root;
}

/** None where the text has no object. */
export function machinesOf(source: SourceText, root: JsonNode | null, version: LibkrunVersion): Machine[] {
  const options = optionsOf(root);
  if (options?.kind !== 'object') return [];
  const named =
    jsonMember(options, 'rootfs') ?? jsonMember(options, 'memory_mib') ?? jsonMember(options, 'cpus');
  const guest = {
    name: nameOf(options),
    memory: memoryOf(source, options, version),
    vcpus: vcpusOf(source, options, version),
    images: imagesOf(source, options),
    ...commandLineOf(source, options),
    settings: settingsOf(source, options, version),
    at: jsonRange(source, options),
    nameAt: named ? jsonRange(source, named.key) : source.at(options.start, options.start + 1),
  };
  return [{ ...guest, vmm: 'libkrun', version: version.id, regions: layOutLibkrun(guest, version.id) }];
}

function own({ id }: LibkrunVersion, citation: string) {
  return { kind: 'vmm', vmm: 'libkrun', version: id, citation } as const;
}

/** `memory_mib` is an Option<u32>; null where it is something else. */
function memoryOf(source: SourceText, options: JsonNode, version: LibkrunVersion): Fact<bigint> | null {
  const node = jsonAt(options, 'memory_mib');
  if (!node || node.kind === 'null') return { value: DEFAULT_MEMORY, origin: own(version, CONSTANTS) };
  if (node.kind !== 'number' || node.integer === null) return null;
  if (node.integer < 0n || node.integer >= 1n << 32n) return null;
  return { value: node.integer * MIB, origin: fromText(jsonRange(source, node)) };
}

/** `cpus` is an Option<u8>. */
function vcpusOf(source: SourceText, options: JsonNode, version: LibkrunVersion): Fact<number> {
  const node = jsonAt(options, 'cpus');
  const value = node?.kind === 'number' ? node.integer : null;
  return node && value !== null && value >= 0n && value <= 255n
    ? { value: Number(value), origin: fromText(jsonRange(source, node)) }
    : { value: DEFAULT_CPUS, origin: own(version, CONSTANTS) };
}

/** The kernel of the experimental `advanced.kernel` (src/boxlite/src/experimental/custom_kernel.rs, KernelOptions). */
function imagesOf(source: SourceText, options: JsonNode): ImageReference[] {
  const kernel = jsonAt(options, 'advanced', 'kernel');
  return (
    [
      ['kernel', 'path'],
      ['initrd', 'initramfs'],
    ] as const
  ).flatMap(([role, key]) => {
    const path = jsonAt(kernel, key);
    return path?.kind === 'string' && path.value !== ''
      ? [{ role, path: path.value, origin: fromText(jsonRange(source, path)) }]
      : [];
  });
}

function commandLineOf(source: SourceText, options: JsonNode): { commandLine?: Fact<string> } {
  const line = jsonAt(options, 'advanced', 'kernel', 'command_line');
  return line?.kind === 'string'
    ? { commandLine: { value: line.value, origin: fromText(jsonRange(source, line)) } }
    : {};
}

/** What the options say, by their own key path, and what BoxLite calls libkrun with for them. */
function settingsOf(source: SourceText, options: JsonNode, version: LibkrunVersion) {
  const settings = jsonSettings(source, options);
  // A root directory, or a disk behind a dummy one: libkrun has the device /dev/root for both.
  settings.set(SETTING.root, { value: true, origin: own(version, ENGINE) });
  const format = jsonAt(options, 'advanced', 'kernel', 'format');
  const known = KERNEL_FORMATS.find((one) => format?.kind === 'string' && one === format.value);
  if (format && known) {
    settings.set(SETTING.kernelFormat, { value: known, origin: fromText(jsonRange(source, format)) });
  }
  return settings;
}

/** The image of its root file system, or the box. */
function nameOf(options: JsonNode): string {
  const rootfs = jsonAt(options, 'rootfs');
  const image = jsonAt(rootfs, 'Image') ?? jsonAt(rootfs, 'RootfsPath') ?? rootfs;
  return image?.kind === 'string' && image.value.trim() !== '' ? image.value : 'box';
}
