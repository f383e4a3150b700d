/** Nodes without a device, and devices that bhyve does not have: init_pci ends it with status 4. */
import type { BhyveConfig, PciNode } from '../../vmm/bhyve/config/config';
import { DEVICES, deviceRow, type DeviceRow } from '../../vmm/bhyve/keys/devices';
import { isIn } from '../../vmm/bhyve/keys/keyRow';
import { closest } from '../../text/closest';
import type { Fix } from '../../text/finding';
import type { Found } from '../check';
import { at, edit, shown } from '../places';
import { bhyveCheck, replaceValue } from './bhyveCheck';

export const pciDevice = bhyveCheck(
  { code: 'bhyve-pci-device', severity: 'error', title: 'No device, or one that bhyve does not have' },
  function* (config) {
    for (const node of config.devices) {
      if (node.address === null) continue;
      const { device } = node;
      if (!device) {
        if (config.complete) yield missing(config, node);
      } else if (!device.open) {
        const row = deviceRow(device.value);
        if (row?.alias !== undefined) yield legacy(config, node, row);
        else if (!row) yield unknown(config, node);
        else if (!isIn(row, config.version)) yield elsewhere(config, node);
      }
    }
  },
);

function missing(config: BhyveConfig, { path, entries }: PciNode): Found {
  const { keySpan } = entries[0]!.entry;
  return {
    at: at(config, { start: keySpan.start, end: Math.min(keySpan.end, keySpan.start + path.length) }),
    message: `\`${path}\` has no \`device\`: bhyve ends with "missing "device" value" and status 4.`,
  };
}

function unknown(config: BhyveConfig, { device }: PciNode): Found {
  const { entry, value } = device!;
  const names = DEVICES.filter(
    (row) => isIn(row, config.version) && (row.alias === undefined || entry.implied),
  );
  const nearest = closest(
    value,
    names.map(({ name }) => name),
  );
  return {
    at: at(config, entry.valueSpan),
    message: `bhyve has no device \`${shown(value)}\`: it ends with "unknown device" and status 4.${nearest === undefined ? '' : ` Did you mean \`${nearest}\`?`}`,
    fixes: nearest === undefined ? [] : replaceValue(config, entry, nearest),
  };
}

function elsewhere(config: BhyveConfig, { device }: PciNode): Found {
  return {
    at: at(config, device!.entry.valueSpan),
    message: `bhyve@${config.version.id} has no device \`${device!.value}\`, which is one of illumos: it ends with "unknown device" and status 4.`,
  };
}

/** Names that only -s takes. */
function legacy(config: BhyveConfig, node: PciNode, row: DeviceRow): Found {
  const entry = node.device!.entry;
  const better = row.alias!;
  return {
    at: at(config, entry.valueSpan),
    message: `\`${row.name}\` is a name of the command line (-s): as a value of \`device\` bhyve ends with "legacy device, use "${better}" instead" and status 4.`,
    fixes: config.form === 'file' ? [legacyFix(config, node, row)] : [],
  };
}

/** `ahci` takes its disk by port; amd_hostbridge is a hostbridge with two registers. */
function legacyFix(config: BhyveConfig, node: PciNode, { name, alias }: DeviceRow): Fix {
  const { path } = node;
  const { entry } = node.device!;
  const type = name.slice('ahci-'.length);
  const lines =
    alias === 'ahci'
      ? [`${path}.port.0.type=${type}`]
      : [`${path}.pcireg.vendor=0x1022`, `${path}.pcireg.device=0x7432`];
  const moved = node.entries
    .filter(({ entry: each }) => alias === 'ahci' && each !== entry && !each.key.startsWith(`${path}.port.`))
    .map(({ entry: each }) =>
      edit(
        config,
        { start: each.keySpan.start + path.length, end: each.keySpan.end },
        `.port.0${each.key.slice(path.length)}`,
      ),
    );
  return {
    title: `Change to ${alias!}`,
    edits: [edit(config, entry.valueSpan, [alias!, ...lines].join('\n')), ...moved],
    preferred: true,
  };
}
