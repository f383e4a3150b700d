/** What bhyve does with a key of a config: reads it, never looks for it, or has it for another device or version. */
import { closest } from '../../../text/closest';
import type { BhyveVersion } from '../versions';
import { DEVICES, deviceRow, type DeviceRow } from './devices';
import { GLOBAL_KEYS } from './globalKeys';
import { isIn, type KeyRow } from './keyRow';

export type KeyMatch =
  | { readonly kind: 'known'; readonly row: KeyRow | null }
  | { readonly kind: 'other-version'; readonly row: KeyRow }
  /** A node that bhyve has values below: as a value it is refused. */
  | { readonly kind: 'node'; readonly better: string | null }
  | {
      readonly kind: 'unknown';
      /** The full key that was probably meant. */
      readonly nearest: string | null;
      /** Devices that do read it. */
      readonly devices: readonly string[];
      /** Keys beside it that bhyve reads. */
      readonly siblings: readonly string[];
      /** The device that it is below. */
      readonly device: string | null;
    }
  /** Of no concern to bhyve: a variable of its own. */
  | { readonly kind: 'custom' };

const KNOWN: KeyMatch = { kind: 'known', row: null };
const PCI = /^pci\.((?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*))\.(.+)$/s;
const NUMBER = /^(?:0|[1-9]\d*)$/;
const GLOBAL_BY_PATTERN: ReadonlyMap<string, KeyRow> = new Map(GLOBAL_KEYS.map((row) => [row.key, row]));
const ROOTS = new Set(
  GLOBAL_KEYS.filter(({ key }) => key.includes('.')).map(({ key }) => key.split('.')[0]!),
);
/** Nodes that hold a value before any option is read (bhyve_init_config). */
const DEFAULT_NODES: ReadonlyMap<string, string | null> = new Map([
  ['memory', 'memory.size'],
  ['x86', null],
]);

/**
 * `deviceAt` gives the device of `pci.B.S.F`, or null where it is not known. Without `search` nothing is proposed for a key that
 * is unknown, which is much faster.
 */
export function lookUp(
  key: string,
  version: BhyveVersion,
  deviceAt: (place: string) => string | null,
  search = true,
): KeyMatch {
  const pci = PCI.exec(key);
  if (pci) return lookUpBelowDevice(key, pci[2]!, deviceAt(`pci.${pci[1]}`), version, search);
  // Addresses that bhyve never looks at are told by a rule of their own.
  if (key.startsWith('pci.')) return KNOWN;
  const better = DEFAULT_NODES.get(key);
  if (better !== undefined) return { kind: 'node', better };
  const row = GLOBAL_BY_PATTERN.get(key) ?? numbered(GLOBAL_KEYS, key) ?? wildcard(key);
  if (row) return isIn(row, version) ? { kind: 'known', row } : { kind: 'other-version', row };
  const root = key.slice(0, key.indexOf('.'));
  const patterns = search
    ? GLOBAL_KEYS.filter((known) => isIn(known, version)).map((known) => known.key)
    : [];
  const nearest = nearestOf(key, patterns);
  if (!nearest && !ROOTS.has(root)) return { kind: 'custom' };
  const siblings = siblingsOf(key, patterns);
  const only = siblings.length === 1 && key.lastIndexOf('.') > root.length ? siblings[0]! : null;
  return { kind: 'unknown', nearest: nearest ?? only, devices: [], siblings, device: null };
}

/** `virtio.*` takes any name below it. */
function wildcard(key: string): KeyRow | undefined {
  return key.startsWith('virtio.') ? GLOBAL_BY_PATTERN.get('virtio.*') : undefined;
}

function lookUpBelowDevice(
  key: string,
  rest: string,
  device: string | null,
  version: BhyveVersion,
  search: boolean,
): KeyMatch {
  if (rest === 'device') return KNOWN;
  const known = device === null ? undefined : deviceRow(device);
  // Without a device that is known, a rule of its own says so.
  if (!known || known.alias) return KNOWN;
  const row = rowOf(known, rest);
  if (row) return isIn(row, version) ? { kind: 'known', row } : { kind: 'other-version', row };
  const start = key.slice(0, key.length - rest.length);
  const patterns = search ? known.keys.filter((each) => isIn(each, version)).map((each) => each.key) : [];
  const nearest = search ? (nearestOf(rest, ['device', ...patterns]) ?? below(known, rest)) : null;
  if (known.open && !nearest) return KNOWN;
  return {
    kind: 'unknown',
    nearest: nearest === null ? null : start + nearest,
    devices: search
      ? DEVICES.filter((other) => {
          const row = other.alias ? undefined : rowOf(other, rest);
          return row !== undefined && isIn(row, version) && isIn(other, version);
        }).map(({ name }) => name)
      : [],
    siblings: [...new Set(patterns)],
    device,
  };
}

/** `path` of an ahci controller is that of its first port. */
function below(device: DeviceRow, rest: string): string | null {
  return device.keys.some(({ key }) => key === `port.*.${rest}`) ? `port.0.${rest}` : null;
}

function rowOf({ keys }: DeviceRow, rest: string): KeyRow | undefined {
  return keys.find(({ key }) => key === rest) ?? numbered(keys, rest);
}

function numbered(rows: readonly KeyRow[], key: string): KeyRow | undefined {
  const numbers: number[] = [];
  const pattern = patternOf(key, numbers);
  if (numbers.length === 0) return undefined;
  const row = rows.find((each) => each.key === pattern);
  return row && (row.most === undefined || numbers.every((n) => n <= row.most!)) ? row : undefined;
}

/** The key with `*` for its numbers, which go to `numbers`. */
function patternOf(key: string, numbers: number[]): string {
  return key
    .split('.')
    .map((part) => {
      if (!NUMBER.test(part) || part.length > 5) return part;
      numbers.push(Number(part));
      return '*';
    })
    .join('.');
}

/** Numbers of the written key stay in the proposal. */
function nearestOf(key: string, patterns: readonly string[]): string | null {
  if (key.length > 60) return null;
  const numbers: number[] = [];
  const pattern = patternOf(key, numbers);
  const found = closest(pattern, patterns);
  if (found === undefined) return null;
  const stars = found.split('*').length - 1;
  if (stars !== numbers.length) return null;
  let next = 0;
  const filled = found.replace(/\*/g, () => String(numbers[next++]));
  return filled === key ? null : filled;
}

function siblingsOf(key: string, patterns: readonly string[]): string[] {
  const parent = key.slice(0, key.lastIndexOf('.') + 1);
  return parent === ''
    ? []
    : patterns.filter((pattern) => pattern.startsWith(parent) && !pattern.includes('*'));
}
