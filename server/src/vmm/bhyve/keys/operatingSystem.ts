/** Which system's bhyve a config is for, where nobody says so: a device or a key that only one of the two reads. */
import { pciNodes, type PciNode } from '../config/config';
import type { ConfigValue } from '../config/guest';
import { BHYVE_VERSIONS, type BhyveVersion } from '../versions';
import type { KeyRow } from './keyRow';
import { lookUp } from './lookup';

type System = BhyveVersion['facts']['os'];

/** The newest version of one system. */
function newestOf(system: System): BhyveVersion {
  return BHYVE_VERSIONS.findLast(({ facts }) => facts.os === system)!;
}

/**
 * The newest version that configs of one text can be for: illumos' where something in them is read on illumos alone and nothing
 * on FreeBSD alone, else the newest of all. A config is its values by full key.
 */
export function newestFor(configs: readonly ReadonlyMap<string, ConfigValue>[]): BhyveVersion {
  const systems = new Set<System>();
  for (const values of configs) {
    for (const row of rowsOf(values)) {
      const system = onlySystem(row);
      if (system) systems.add(system);
    }
  }
  return systems.has('illumos') && systems.size === 1 ? newestOf('illumos') : BHYVE_VERSIONS.at(-1)!;
}

function onlySystem({ since }: Pick<KeyRow, 'since'>): System | null {
  if (!since || (since.freebsd !== undefined && since.illumos !== undefined)) return null;
  return since.illumos === undefined ? 'freebsd' : 'illumos';
}

/** Of the devices, and of the keys that are known in any version. */
function* rowsOf(values: ReadonlyMap<string, ConfigValue>): Generator<Pick<KeyRow, 'since'>> {
  const devices = new Map<string, PciNode>(pciNodes(values).map((node) => [node.path, node]));
  for (const { row } of devices.values()) if (row) yield row;
  const deviceAt = (place: string): string | null => devices.get(place)?.row?.name ?? null;
  for (const key of values.keys()) {
    const match = lookUp(key, BHYVE_VERSIONS.at(-1)!, deviceAt, false);
    if ((match.kind === 'known' || match.kind === 'other-version') && match.row) yield match.row;
  }
}
