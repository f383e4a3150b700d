/** Keys without which a device refuses to be made: bhyve ends with "Device emulation initialization error" and status 4. */
import type { BhyveConfig, PciNode } from '../../vmm/bhyve/config/config';
import type { Found } from '../check';
import { at } from '../places';
import { bhyveCheck, insertLine, list } from './bhyveCheck';

interface Need {
  readonly device: string;
  /** Below the device. Any of the names of a group will do. */
  readonly oneOf: readonly (readonly string[])[];
  readonly os?: 'freebsd' | 'illumos';
  /** What bhyve prints, where that was read. */
  readonly says?: string;
}

const BLOCK = 'Missing "path" for block device.';

const NEEDS: readonly Need[] = [
  { device: 'virtio-blk', oneOf: [['path']], says: BLOCK },
  { device: 'nvme', oneOf: [['path', 'ram']], says: BLOCK },
  { device: 'virtio-9p', oneOf: [['sharename'], ['path']], says: 'share name required' },
  { device: 'virtio-input', oneOf: [['path']] },
  {
    device: 'passthru',
    oneOf: [
      ['bus', 'pptdev'],
      ['slot', 'pptdev'],
      ['func', 'pptdev'],
    ],
    os: 'freebsd',
    says: 'missing required setting',
  },
  { device: 'passthru', oneOf: [['path']], os: 'illumos', says: 'invalid passthru options' },
  { device: 'virtio-net-viona', oneOf: [['vnic']], says: 'vnic name required' },
];

const PORT = /^pci\.\d+\.\d+\.\d+\.port\.(\d+)\./;

export const missingKey = bhyveCheck(
  { code: 'bhyve-missing-key', severity: 'error', title: 'A device without a key that it needs' },
  function* (config) {
    if (!config.complete) return;
    for (const node of config.devices) {
      if (!node.row || !node.address) continue;
      const missing = [...needsOf(config, node), ...netgraphNeeds(config, node), ...portNeeds(config, node)];
      if (missing.length === 0) continue;
      const { entry } = node.device!;
      yield {
        at: at(config, entry.valueSpan),
        message: `The device \`${node.row.name}\` at \`${node.path}\` needs ${list(missing.map(({ key }) => key))}, which ${missing.length === 1 ? 'is' : 'are'} missing: bhyve ${missing[0]!.says === undefined ? '' : `says "${missing[0]!.says}" and `}ends with status 4.`,
      };
    }
    yield* tpmNeeds(config);
  },
);

/** tpm_device_create asserts that there are a version and a type; `-l tpm,…` gives both. */
function* tpmNeeds(config: BhyveConfig): Generator<Found> {
  const first = [...config.values].find(([key]) => key.startsWith('tpm.'))?.[1].entry;
  const missing = ['tpm.type', 'tpm.version'].filter((key) => !config.values.has(key));
  if (!first || missing.length === 0) return;
  yield {
    at: at(config, first.implied ? first.valueSpan : first.keySpan),
    message: `A TPM needs ${list(missing.map((key) => `\`${key}\``))} too: bhyve asserts that ${missing.length === 1 ? 'it is' : 'they are'} there and aborts.`,
    fixes: missing.includes('tpm.type') ? [] : insertLine(config, first, 'tpm.version=2.0'),
  };
}

interface Missing {
  readonly key: string;
  readonly says: string | undefined;
}

function* needsOf(config: BhyveConfig, { row, path }: PciNode): Generator<Missing> {
  for (const { device, oneOf, os, says } of NEEDS) {
    if (device !== row!.name || (os !== undefined && os !== config.version.facts.os)) continue;
    for (const names of oneOf) {
      if (names.some((name) => config.values.has(`${path}.${name}`))) continue;
      yield { key: names.map((name) => `\`${name}\``).join(' or '), says };
    }
  }
}

/** ng_init. */
function* netgraphNeeds(config: BhyveConfig, { path }: PciNode): Generator<Missing> {
  if (config.values.get(`${path}.backend`)?.value !== 'netgraph') return;
  for (const name of ['path', 'peerhook']) {
    if (config.values.has(`${path}.${name}`)) continue;
    yield {
      key: `\`${name}\` of netgraph`,
      says: name === 'path' ? 'path must be provided' : 'peer hook must be provided',
    };
  }
}

/** blockif_open of a port of ahci, and the ports of virtio-console. */
function* portNeeds(config: BhyveConfig, { row, path, entries }: PciNode): Generator<Missing> {
  if (row!.name !== 'ahci' && row!.name !== 'virtio-console') return;
  const ports = new Set(entries.map(({ entry }) => PORT.exec(entry.key)?.[1]));
  for (const port of ports) {
    if (port === undefined || config.values.has(`${path}.port.${port}.path`)) continue;
    if (row!.name === 'ahci' && !config.values.has(`${path}.port.${port}.type`)) continue;
    yield { key: `\`port.${port}.path\``, says: row!.name === 'ahci' ? BLOCK : undefined };
  }
}
