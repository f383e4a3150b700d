/** The guest that a flat config describes: memory, vCPUs, images and every key. */
import type { GuestDescription, ImageReference, ImageRole, Setting } from '../../../machine/machine';
import type { Fact, Origin } from '../../../machine/origin';
import type { SourceRange } from '../../../text/position';
import type { SourceText } from '../../../text/sourceText';
import { DEFAULT_MEMORY, type BhyveVersion } from '../versions';
import type { ConfigEntry } from './flatConfig';
import { memorySize, smallCount } from './numbers';

/** A value with its references expanded. */
export interface ConfigValue {
  readonly entry: ConfigEntry;
  readonly value: string;
  /** Not told in full here: a placeholder of a template, a reference that names nothing. */
  readonly open: boolean;
}

/** Where a guest is described, and where its lenses stand. */
export interface GuestPlace {
  readonly at: SourceRange;
  /** For one without a name; `lens` for any. */
  readonly unnamed: SourceRange;
  readonly lens?: SourceRange;
}

/** A value that bhyve refuses, and ends with status 4 or 64. */
export interface RefusedValue {
  readonly entry: ConfigEntry;
  readonly message: string;
}

export interface ConfigGuest {
  readonly guest: GuestDescription;
  readonly refused: readonly RefusedValue[];
}

const UNNAMED = 'bhyve guest';
const COUNTS = ['cpus', 'sockets', 'cores', 'threads'] as const;

/** Memory in bytes, null where bhyve refuses it; vCPUs 1 where nothing is said. */
export function guestOf(
  source: SourceText,
  values: ReadonlyMap<string, ConfigValue>,
  version: BhyveVersion,
  place: GuestPlace,
): ConfigGuest {
  const refused: RefusedValue[] = [];
  const textOrigin = ({ entry }: ConfigValue): Origin => ({
    kind: 'text',
    ...source.at(entry.keySpan.start, entry.valueSpan.end),
  });
  const fact = <T>(value: T, from: ConfigValue): Fact<T> => ({ value, origin: textOrigin(from) });
  const byDefault = <T>(value: T, citation: string): Fact<T> => ({
    value,
    origin: { kind: 'vmm', vmm: 'bhyve', version: version.id, citation },
  });
  const settings = new Map<string, Fact<Setting>>();
  for (const [key, value] of values) settings.set(key, fact(value.value, value));
  const name = values.get('name');
  const guest: GuestDescription = {
    name: name?.value ?? UNNAMED,
    memory: memory(),
    vcpus: vcpus(),
    images: imagesOf(values, version).map(({ role, from }) => ({
      role,
      path: from.value,
      origin: textOrigin(from),
    })),
    settings,
    at: place.at,
    nameAt:
      place.lens ?? (name ? source.at(name.entry.valueSpan.start, name.entry.valueSpan.end) : place.unnamed),
  };
  return { guest, refused };

  function memory(): Fact<bigint> | null {
    const given = values.get('memory.size');
    if (!given) return byDefault(DEFAULT_MEMORY, 'usr.sbin/bhyve/bhyverun.c, set_defaults: memory.size 256M');
    const size = memorySize(given.value);
    if (size !== null) return fact(size, given);
    if (given.open) return null;
    refused.push({
      entry: given.entry,
      message: `\`memory.size=${shown(given.value)}\` is no size: bhyve takes a number, of MiB where it is below 1048576 and else of bytes, or one with K, M, G, T, P or E, and ends with "Invalid memsize".`,
    });
    return null;
  }

  /** calc_topology: sockets are as many as CPUs where nothing is said. */
  function vcpus(): Fact<number> {
    const counts = new Map<string, number>();
    let unknown = false;
    for (const key of COUNTS) {
      const given = values.get(key);
      if (!given) continue;
      const count = smallCount(given.value);
      if (count !== null) counts.set(key, count);
      else if (given.open) unknown = true;
      else {
        refused.push({
          entry: given.entry,
          message: `\`${key}=${shown(given.value)}\` is no number from 1 to 65535: bhyve ends with "Invalid value for ${key}" and status 4.`,
        });
      }
    }
    const cpus = counts.get('cpus');
    const product =
      (counts.get('sockets') ?? cpus ?? 1) * (counts.get('cores') ?? 1) * (counts.get('threads') ?? 1);
    const given = values.get('cpus') ?? values.get('sockets') ?? values.get('cores') ?? values.get('threads');
    if (!given) return byDefault(1, 'usr.sbin/bhyve/bhyverun.c, calc_topology');
    if (cpus !== undefined && cpus !== product && refused.length === 0 && !unknown) {
      refused.push({
        entry: given.entry,
        message: `\`cpus=${cpus}\`, but sockets × cores × threads is ${product}: bhyve refuses a topology that does not come out, and ends with status 4. Without \`sockets\` there are as many sockets as CPUs.`,
      });
    }
    return fact(cpus ?? Math.min(product, 65535), given);
  }
}

/** Of a message. */
function shown(value: string): string {
  return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value).slice(1, -1);
}

interface Image {
  readonly role: ImageReference['role'];
  readonly from: ConfigValue;
}

const DEVICE_PATH = /^(pci\.\d+\.\d+\.\d+)\.path$/;
const PORT_PATH = /^(pci\.\d+\.\d+\.\d+)\.port\.(\d+)\.path$/;
const DISKS: ReadonlyMap<string, ImageRole> = new Map([
  ['virtio-blk', 'disk'],
  ['nvme', 'disk'],
  ['ahci-hd', 'disk'],
  ['ahci-cd', 'cdrom'],
]);

/** Boot ROM, disks and CD-ROMs. */
export function imagesOf(values: ReadonlyMap<string, ConfigValue>, { facts }: BhyveVersion): Image[] {
  const images: Image[] = [];
  // Where `bootrom` is the key, `lpc.bootrom` stands for it as long as it is not there.
  const rom =
    (facts.bootromKey === 'bootrom' ? values.get('bootrom') : undefined) ?? values.get('lpc.bootrom');
  if (rom) images.push({ role: 'firmware', from: rom });
  for (const [key, from] of values) {
    const device = DEVICE_PATH.exec(key)?.[1];
    const role = device === undefined ? undefined : DISKS.get(values.get(`${device}.device`)?.value ?? '');
    if (role && !from.value.startsWith('ram=')) images.push({ role, from });
    const port = PORT_PATH.exec(key);
    if (port) {
      const type = values.get(`${port[1]}.port.${port[2]}.type`)?.value;
      images.push({ role: type === 'cd' ? 'cdrom' : 'disk', from });
    }
  }
  return images;
}
