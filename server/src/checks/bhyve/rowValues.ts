/** Values with the row of the table that says how bhyve reads them. */
import type { BhyveConfig } from '../../vmm/bhyve/config/config';
import type { ConfigValue } from '../../vmm/bhyve/config/guest';
import type { KeyRow } from '../../vmm/bhyve/keys/keyRow';
import { lookUp } from '../../vmm/bhyve/keys/lookup';

/** Every value that bhyve reads and that is told in full; of a device's key, with the device's name. */
export function* rowValues(
  config: BhyveConfig,
): Generator<{ key: string; value: ConfigValue; row: KeyRow; device: string | null }> {
  const devices = new Map(config.devices.map(({ path, device }) => [path, device]));
  for (const [key, value] of config.values) {
    if (value.open) continue;
    let device: string | null = null;
    const deviceAt = (place: string) => {
      const found = devices.get(place);
      device = found && !found.open ? found.value : null;
      return device;
    };
    const match = lookUp(key, config.version, deviceAt, false);
    if (match.kind === 'known' && match.row) yield { key, value, row: match.row, device };
  }
}
