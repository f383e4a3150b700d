/** What stands behind the device of `-s`: each device's own order of values and options (pe_legacy_config). */
import { deviceRow } from '../keys/devices';
import type { ConfigEntry } from '../config/flatConfig';
import { implied, named, positional, type Argument } from './argument';

export interface DeviceOptions {
  readonly entries: readonly ConfigEntry[];
  /** Refused, with the part that it is about. */
  readonly problem?: { readonly at: Argument; readonly message: string };
}

type Reader = (node: string, config: Argument | null) => DeviceOptions;

/** pci_parse_legacy_config: `name=value`, or `name` for true. */
function options(prefix: string, config: Argument | null): ConfigEntry[] {
  if (!config || config.text === '') return [];
  return config.split().map((part) => {
    const [name, value] = part.cut('=');
    return value
      ? named(prefix, name, value)
      : { key: prefix + name.text, raw: 'true', keySpan: name.span, valueSpan: name.span };
  });
}

/** The first part is the value of a key, the others are options. */
const first =
  (key: string): Reader =>
  (node, config) => {
    if (!config) return { entries: [] };
    const [value, rest] = config.cut(',');
    return { entries: [positional(`${node}.${key}`, value), ...options(`${node}.`, rest)] };
  };

const whole =
  (key: string): Reader =>
  (node, config) => ({ entries: config ? [positional(`${node}.${key}`, config)] : [] });

const plain: Reader = (node, config) => ({ entries: options(`${node}.`, config) });

/** pci_nvme_legacy_config. */
const nvme: Reader = (node, config) =>
  config?.text.startsWith('ram=') ? plain(node, config) : first('path')(node, config);

const ahciPort =
  (type: 'hd' | 'cd'): Reader =>
  (node, config) => ({
    entries: [
      ...(config ? [implied(`${node}.port.0.type`, type, config.span)] : []),
      ...first('path')(`${node}.port.0`, config).entries,
    ],
  });

/** pci_ahci_legacy_config: `hd:PATH,option,cd:PATH`, a port for each. */
const ahci: Reader = (node, config) => {
  const entries: ConfigEntry[] = [];
  let port = -1;
  for (const part of config?.split() ?? []) {
    const type = /^(hd|cd):/.exec(part.text)?.[1];
    if (type !== undefined) {
      port++;
      entries.push(implied(`${node}.port.${port}.type`, type, part.span));
      entries.push(positional(`${node}.port.${port}.path`, part.slice(3)));
    } else if (port < 0) {
      if (part.open) return { entries };
      const message = `A port of \`ahci\` begins with \`hd:\` or \`cd:\`: bhyve says "Missing or invalid type for port 0" and ends with status 4.`;
      return { entries, problem: { at: part, message } };
    } else entries.push(...options(`${node}.port.${port}.`, part));
  }
  return { entries };
};

/** pci_vtcon_legacy_config: a port for each `NAME=PATH`. */
const console: Reader = (node, config) => {
  const entries: ConfigEntry[] = [];
  for (const [port, part] of (config?.split() ?? []).entries()) {
    const [name, path] = part.cut('=');
    if (!path) {
      if (part.open) return { entries };
      const message = `A port of \`virtio-console\` is \`NAME=PATH\`: bhyve says "port ${name.text} requires a path" and ends with status 4.`;
      return { entries, problem: { at: part, message } };
    }
    entries.push(
      positional(`${node}.port.${port}.name`, name),
      positional(`${node}.port.${port}.path`, path),
    );
  }
  return { entries };
};

/** pci_xhci_legacy_config. */
const xhci: Reader = (node, config) => ({
  entries: (config?.split() ?? []).map((part, index) =>
    positional(`${node}.slot.${index + 1}.device`, part.cut('=')[0]),
  ),
});

/** pci_vt9p_legacy_config: one `NAME=PATH`, and words. */
const share: Reader = (node, config) => ({
  entries: (config?.split() ?? []).flatMap((part): ConfigEntry[] => {
    const [name, path] = part.cut('=');
    if (!path) return options(`${node}.`, part);
    return [positional(`${node}.sharename`, name), positional(`${node}.path`, path)];
  }),
});

/** pci_viona_legacy_config. */
const viona: Reader = (node, config) => ({
  entries: (config?.split() ?? []).map((part) => {
    const [name, value] = part.cut('=');
    return value ? named(`${node}.`, name, value) : positional(`${node}.vnic`, part);
  }),
});

/** passthru_legacy_config of both systems: an address of the host, `pptN`, or the path of a device. */
const passthru: Reader = (node, config) => {
  if (!config) return { entries: [] };
  const [address, rest] = config.cut(',');
  const others = options(`${node}.`, rest);
  const numbers = /^(?:pci0:|pci)?(\d+)[:/](\d+)[:/](\d+)/.exec(address.text);
  if (numbers) {
    const keys = ['bus', 'slot', 'func'];
    return {
      entries: [
        ...keys.map((key, index) => implied(`${node}.${key}`, numbers[index + 1]!, address.span)),
        ...others,
      ],
    };
  }
  if (address.text.startsWith('ppt')) return { entries: [positional(`${node}.pptdev`, address), ...others] };
  if (address.text.startsWith('/dev/ppt'))
    return { entries: [positional(`${node}.path`, address), ...others] };
  if (address.open) {
    // Whichever of them it is.
    const keys = ['bus', 'slot', 'func', 'path'];
    return { entries: keys.map((key) => positional(`${node}.${key}`, address)) };
  }
  const message = `\`${address.text.slice(0, 60)}\` is no address of a host's device (\`BUS/SLOT/FUNCTION\`, \`pptN\`): bhyve says "passthru: invalid options" and ends with status 4.`;
  return { entries: others, problem: { at: address, message } };
};

const READERS: Readonly<Record<string, Reader>> = {
  'ahci-hd': ahciPort('hd'),
  'ahci-cd': ahciPort('cd'),
  ahci,
  amd_hostbridge: () => ({ entries: [] }),
  e1000: first('backend'),
  nvme,
  passthru,
  uart: whole('path'),
  'virtio-9p': share,
  'virtio-blk': first('path'),
  'virtio-console': console,
  'virtio-input': first('path'),
  'virtio-net': first('backend'),
  'virtio-net-viona': viona,
  'virtio-scsi': first('dev'),
  xhci,
};

/** The keys of `-s SLOT,DEVICE,CONFIG` below `pci.B.S.F`, the device among them. */
export function deviceOptions(node: string, device: Argument, config: Argument | null): DeviceOptions {
  const name = device.text;
  const alias = deviceRow(name)?.alias;
  const reader = Object.hasOwn(READERS, name) ? READERS[name]! : plain;
  const read = reader(node, config);
  const entry = implied(`${node}.device`, alias ?? name, device.span);
  return { ...read, entries: [entry, ...read.entries] };
}
