/** From the TOML of a config to the guest that it describes (bin/propolis-standalone/src/config.rs). */
import { MIB } from '../../address/range';
import type { GuestDescription, ImageReference, Setting } from '../../machine/machine';
import { fromText, type Fact, type Origin } from '../../machine/origin';
import type { SourceText } from '../../text/sourceText';
import type { TomlEntry, TomlSpan, TomlTable, TomlValue } from '../../text/toml/tree';
import type { PropolisVersion } from './versions';

/** The only machine of a config, or null where there is no [main]. */
export function guestOf(
  source: SourceText,
  root: TomlTable,
  version: PropolisVersion,
): GuestDescription | null {
  const main = tableIn(root, 'main');
  if (!main) return null;
  const at = (span: TomlSpan): Origin => fromText(source.at(span.start, span.end));
  const entry = (key: string) => main.entries.get(key);
  const name = entry('name');
  const memory = integerOf(entry('memory'));
  const cpus = integerOf(entry('cpus'));
  const bootrom = textOf(entry('bootrom'));
  const fallback: Origin = {
    kind: 'vmm',
    vmm: 'propolis',
    version: version.id,
    citation: 'bin/propolis-standalone/src/config.rs, Main: cpus has no default, and one is assumed here',
  };
  const header = root.entries.get('main')!.key;
  const named = name?.value.kind === 'string' ? name.value : null;
  return {
    name: named?.value || 'main',
    // main.memory is in MiB (setup_instance).
    memory: memory && memory.value >= 0n ? { value: memory.value * MIB, origin: at(memory) } : null,
    vcpus:
      cpus && cpus.value >= 0n && cpus.value <= 255n
        ? { value: Number(cpus.value), origin: at(cpus) }
        : { value: 1, origin: fallback },
    images: [
      ...(bootrom ? [{ role: 'firmware', path: bootrom.value, origin: at(bootrom) } as const] : []),
      ...diskFiles(root, at),
    ],
    settings: settingsOf(root, at),
    at: source.at(main.start, main.end),
    nameAt: named ? source.at(named.start, named.end) : source.at(header.start, header.end),
  };
}

export function tableIn(table: TomlTable, key: string): TomlTable | null {
  const value = table.entries.get(key)?.value;
  return value?.kind === 'table' ? value : null;
}

function integerOf(entry: TomlEntry | undefined): (TomlSpan & { value: bigint }) | null {
  return entry?.value.kind === 'integer' ? entry.value : null;
}

function textOf(entry: TomlEntry | undefined): (TomlSpan & { value: string }) | null {
  return entry?.value.kind === 'string' && entry.value.value !== '' ? entry.value : null;
}

/** Paths of block devices that are files. */
function diskFiles(root: TomlTable, at: (span: TomlSpan) => Origin): ImageReference[] {
  const images: ImageReference[] = [];
  for (const { value } of tableIn(root, 'block_dev')?.entries.values() ?? []) {
    if (value.kind !== 'table' || textOf(value.entries.get('type'))?.value !== 'file') continue;
    const path = textOf(value.entries.get('path'));
    if (path) images.push({ role: 'disk', path: path.value, origin: at(path) });
  }
  return images;
}

/** Scalars by their path: `main.cpus`, `dev.net0.pci-path`, `main.boot_order.0`. Deeper than any config goes is left out. */
const DEEPEST = 8;

function settingsOf(root: TomlTable, at: (span: TomlSpan) => Origin): ReadonlyMap<string, Fact<Setting>> {
  const settings = new Map<string, Fact<Setting>>();
  const add = (path: string, value: TomlValue, depth: number): void => {
    switch (value.kind) {
      case 'string':
      case 'integer':
      case 'boolean':
        settings.set(path, { value: value.value, origin: at(value) });
        return;
      case 'array':
        if (depth < DEEPEST) value.items.forEach((item, index) => add(`${path}.${index}`, item, depth + 1));
        return;
      case 'table':
        if (depth < DEEPEST) addTable(`${path}.`, value, depth);
        return;
      default:
        return;
    }
  };
  const addTable = (prefix: string, { entries }: TomlTable, depth: number): void => {
    for (const [key, entry] of entries) add(prefix + key, entry.value, depth + 1);
  };
  addTable('', root, 0);
  return settings;
}
