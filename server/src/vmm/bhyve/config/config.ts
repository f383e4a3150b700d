/** A config as bhyve has it when it makes its devices: from a file, or from the options of a command. */
import type { Document } from '../../../machine/language';
import type { SourceText } from '../../../text/sourceText';
import { deviceRow, type DeviceRow } from '../keys/devices';
import type { BhyveVersion } from '../versions';
import type { ConfigEntry, Span } from './flatConfig';
import type { ConfigValue } from './guest';

export interface BhyveConfig {
  readonly source: SourceText;
  readonly version: BhyveVersion;
  readonly form: 'file' | 'command';
  /** Every assignment, in bhyve's order, with those that a later one replaces. */
  readonly entries: readonly ConfigEntry[];
  /** By full key, the last of each, with references expanded. */
  readonly values: ReadonlyMap<string, ConfigValue>;
  /** False where more may come from elsewhere: a file of -k, options in a variable. */
  readonly complete: boolean;
  /** The guest may have been loaded before, by bhyveload or grub-bhyve in the same script. */
  readonly preloaded: boolean;
  readonly vcpus: number;
  /** In bytes, null where it is refused. */
  readonly memory: bigint | null;
  /** What a finding on the whole is shown at. */
  readonly place: Span;
  /** In the order of their first appearance. */
  readonly devices: readonly PciNode[];
}

/** A node `pci.BUS.SLOT.FUNCTION`, as it is written. */
export interface PciNode {
  readonly path: string;
  /** The three parts as they are written. */
  readonly parts: readonly [string, string, string];
  /** Null where a part is no number that bhyve looks for (padding, too large). */
  readonly address: PciAddress | null;
  readonly device: ConfigValue | null;
  /** Null where there is no device, or none that is known. */
  readonly row: DeviceRow | null;
  readonly entries: readonly ConfigValue[];
}

export interface PciAddress {
  readonly bus: number;
  readonly slot: number;
  readonly function: number;
}

/** init_pci: buses 0 to 255, slots 0 to 31, functions 0 to 7, by `%d`. */
const MOST = [255, 31, 7] as const;
const PLAIN = /^(?:0|[1-9]\d{0,3})$/;

/** Null where bhyve never looks at such a node. */
export function pciAddress(parts: readonly [string, string, string]): PciAddress | null {
  if (!parts.every((part, index) => PLAIN.test(part) && Number(part) <= MOST[index]!)) return null;
  const [bus, slot, fn] = parts.map(Number) as [number, number, number];
  return { bus, slot, function: fn };
}

const NODE = /^pci\.([^.]*)\.([^.]*)\.([^.]*)\./;

export function pciNodes(values: ReadonlyMap<string, ConfigValue>): PciNode[] {
  const nodes = new Map<string, { parts: [string, string, string]; entries: ConfigValue[] }>();
  for (const [key, value] of values) {
    const found = NODE.exec(key);
    if (!found) continue;
    const path = found[0].slice(0, -1);
    const node = nodes.get(path) ?? { parts: [found[1]!, found[2]!, found[3]!], entries: [] };
    node.entries.push(value);
    nodes.set(path, node);
  }
  return [...nodes].map(([path, { parts, entries }]) => {
    const device = values.get(`${path}.device`) ?? null;
    return {
      path,
      parts,
      address: pciAddress(parts),
      device,
      row: device && !device.open ? (deviceRow(device.value) ?? null) : null,
      entries,
    };
  });
}

const TEMPLATE = /\$|\{\{|\{\}|<[A-Za-z_]+>|@[A-Za-z_]+@|`/;

/** A value that something else fills in before bhyve reads it, or that is not told here in full. */
export function isTemplate(value: string): boolean {
  return TEMPLATE.test(value);
}

/** The configs of a document that has any, one for each guest. */
export function bhyveConfigsOf(document: Document): readonly BhyveConfig[] {
  return 'configs' in document && Array.isArray(document.configs) ? (document.configs as BhyveConfig[]) : [];
}
