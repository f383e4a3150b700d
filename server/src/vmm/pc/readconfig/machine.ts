/** The guest of a QEMU config file. */
import { MIB } from '../../../address/range';
import type { ImageReference, Machine, Setting } from '../../../machine/machine';
import { fromText, type Fact } from '../../../machine/origin';
import type { SourceText } from '../../../text/sourceText';
import { DEFAULT_MEMORY, pcRegions } from '../layout';
import { PC_VERSION, pcOrigin } from '../origin';
import type { ConfigGroup, ConfigPair, QemuConfig } from './read';
import { memorySize } from './size';

/** The machine types whose memory is laid out as the plain PC's: the 82441FX, since RAM is split at whole GiB (QEMU 2.0). */
const PC_TYPES = /^pc(?:-i440fx-(?:[2-9]|\d{2,})[\w.-]*)?$/;
const MOST_VCPUS = 255n;
/** parse_memory_options: up to the next 8 KiB. */
const ROUNDED_TO = 8192n;
const SMALLEST = 2n << 20n;

/** The last value that a key has in all groups of the name. */
export function lastOf({ groups }: QemuConfig, group: string, key: string): ConfigPair | null {
  let found: ConfigPair | null = null;
  for (const { name, pairs } of groups) {
    if (name.text === group) found = pairs.findLast((pair) => pair.key.text === key) ?? found;
  }
  return found;
}

/** Whether the file names a machine type of the 82441FX. */
export function isPlainPc(config: QemuConfig): boolean {
  return PC_TYPES.test(lastOf(config, 'machine', 'type')?.value.text ?? '');
}

/**
 * None where the file does not name a machine type of the 82441FX: without one it is QEMU's binary that decides, and q35, microvm and
 * other architectures lay memory out in ways that are not modelled.
 */
export function machinesOf(source: SourceText, config: QemuConfig): Machine[] {
  const type = lastOf(config, 'machine', 'type');
  if (!type || !isPlainPc(config) || lastOf(config, 'machine', 'max-ram-below-4g')) return [];
  const size = lastOf(config, 'memory', 'size');
  const bytes = size && memorySize(size.value.text);
  const memory = bytes ? ((bytes + ROUNDED_TO - 1n) / ROUNDED_TO) * ROUNDED_TO : DEFAULT_MEMORY;
  // With a size that cannot be told, or one that the memory map of a PC does not hold, there is nothing to lay out.
  if ((size && bytes === null) || memory < SMALLEST || memory >= 1n << 52n) return [];
  const at = (span: { readonly start: number; readonly end: number }) => source.at(span.start, span.end);
  const guest = lastOf(config, 'name', 'guest');
  const append = lastOf(config, 'machine', 'append');
  return [
    {
      name: guest?.value.text || source.name || 'pc',
      vmm: 'pc',
      version: PC_VERSION.id,
      memory: {
        value: memory,
        origin: size && bytes ? fromText(at(size.value)) : pcOrigin('QEMU’s default of 128 MiB'),
      },
      vcpus: vcpusOf(source, config),
      regions: pcRegions(memory).map((region) =>
        size && region.kind === 'ram' && region.range.start >= MIB
          ? { ...region, at: at(size.value) }
          : region,
      ),
      images: imagesOf(source, config),
      ...(append ? { commandLine: { value: append.value.text, origin: fromText(at(append.value)) } } : {}),
      settings: settingsOf(source, config),
      at: at({ start: config.groups[0]!.start, end: endOf(config.groups.at(-1)!) }),
      nameAt: at(type.value),
    },
  ];
}

export function endOf({ pairs, end }: ConfigGroup): number {
  return pairs.at(-1)?.end ?? end;
}

function vcpusOf(source: SourceText, config: QemuConfig): Fact<number> {
  const cpus = lastOf(config, 'smp-opts', 'cpus');
  if (cpus && /^\d{1,4}$/.test(cpus.value.text)) {
    const value = BigInt(cpus.value.text);
    if (value > 0n && value <= MOST_VCPUS) {
      return { value: Number(value), origin: fromText(source.at(cpus.value.start, cpus.value.end)) };
    }
  }
  return { value: 1, origin: pcOrigin('one vCPU without a number in [smp-opts]') };
}

function imagesOf(source: SourceText, config: QemuConfig): ImageReference[] {
  const image = (role: ImageReference['role'], pair: ConfigPair | null | undefined): ImageReference[] =>
    pair && pair.value.text !== ''
      ? [{ role, path: pair.value.text, origin: fromText(source.at(pair.value.start, pair.value.end)) }]
      : [];
  const drives = config.groups
    .filter(({ name }) => name.text === 'drive')
    .flatMap(({ pairs }) => {
      const value = (key: string) => pairs.findLast((pair) => pair.key.text === key);
      const media = value('media')?.value.text;
      const role = value('if')?.value.text === 'pflash' ? 'firmware' : media === 'cdrom' ? 'cdrom' : 'disk';
      return image(role, value('file'));
    });
  return [
    ...image('kernel', lastOf(config, 'machine', 'kernel')),
    ...image('initrd', lastOf(config, 'machine', 'initrd')),
    ...image('firmware', lastOf(config, 'machine', 'firmware')),
    ...drives,
  ];
}

/** `machine.accel`, `drive.disk0.file`; the last of a key counts. */
function settingsOf(source: SourceText, { groups }: QemuConfig): ReadonlyMap<string, Fact<Setting>> {
  const settings = new Map<string, Fact<Setting>>();
  for (const { name, id, pairs } of groups) {
    const prefix = id ? `${name.text}.${id.text}` : name.text;
    for (const { key, value } of pairs) {
      settings.set(`${prefix}.${key.text}`, {
        value: value.text,
        origin: fromText(source.at(value.start, value.end)),
      });
    }
  }
  return settings;
}
