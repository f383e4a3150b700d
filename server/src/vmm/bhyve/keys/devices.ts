/**
 * PCI devices and the keys below `pci.BUS.SLOT.FUNCTION`. Read: freebsd-src usr.sbin/bhyve block_if.c, pci_ahci.c, pci_nvme.c,
 * pci_fbuf.c commit 0af1ddfe5, pci_passthru.c, pci_virtio_*.c, pci_xhci.c, net_backends.c commit 03f7ccab3; illumos-gate
 * usr/src/cmd/bhyve/common of 2025 and 2026 (pci_emul.c commit 5c4a5fe16, pci_hostbridge.c, pci_passthru.c, pci_virtio_viona.c).
 */
import type { KeyRow, Since } from './keyRow';

export interface DeviceRow {
  readonly name: string;
  readonly text: string;
  readonly keys: readonly KeyRow[];
  /** A name of the command line only, which a config file is refused for (pe_alias in init_pci). */
  readonly alias?: string;
  /** Not all of its keys are known here. */
  readonly open?: true;
  readonly since?: Since;
}

const FREEBSD: Since = { freebsd: 'freebsd-13' };
const ILLUMOS: Since = { illumos: 'illumos-2020-09' };

const flag = (key: string, text: string): KeyRow => ({ key, kind: 'boolean', default: 'false', text });

/** blockif_open. */
const BLOCK: readonly KeyRow[] = [
  { key: 'path', kind: 'path', text: 'File or disk that holds the data. Needed.' },
  flag('nocache', 'Opens it with O_DIRECT.'),
  flag('nodelete', 'Tells the guest that it cannot trim.'),
  flag('sync', 'Writes are synchronous.'),
  flag('direct', 'The same as `sync`.'),
  flag('ro', 'The guest cannot write.'),
  {
    key: 'sectorsize',
    kind: 'text',
    text: 'Logical sector size, or `logical/physical`: powers of two from 512, the logical one not larger.',
  },
  { key: 'bootindex', kind: 'decimal', text: 'Place in the boot order that fw_cfg tells the firmware.' },
];

/** netbe_init and its backends. */
const NET: readonly KeyRow[] = [
  {
    key: 'backend',
    kind: 'text',
    text: '`tapN`, `vmnetN`, `netgraph`, `netmap:IF`, `valeX:PORT`, `slirp`; `dlpi…` on illumos.',
  },
  { key: 'type', kind: 'text', text: 'Type of the backend where its name does not begin with it.' },
  { key: 'mac', kind: 'text', text: 'MAC address; made of the PCI address otherwise.' },
  { key: 'path', kind: 'text', text: 'netgraph: name of the node. Needed there.' },
  { key: 'peerhook', kind: 'text', text: 'netgraph: hook of the node. Needed there.' },
  { key: 'hook', kind: 'text', default: 'vmlink', text: 'netgraph: hook of bhyve’s own socket node.' },
  { key: 'socket', kind: 'text', text: 'netgraph: name of bhyve’s own socket node.' },
  { key: 'hostfwd', kind: 'text', text: 'slirp: ports of the host that lead to the guest.' },
  { key: 'open', kind: 'text', text: 'slirp: lets the guest connect out.' },
];

/** pci_config_read_reg. */
const PCIREG: readonly KeyRow[] = ['device', 'vendor', 'revid', 'subvendor', 'subdevice'].map((name) => ({
  key: `pcireg.${name}`,
  kind: 'text',
  text: 'PCI register in hexadecimal, or `host` for the value of the host’s device.',
}));

const AHCI_PORT: readonly KeyRow[] = [
  {
    key: 'type',
    kind: 'text',
    values: ['hd', 'cd'],
    text: 'A disk or a CD drive; a port without it is empty.',
  },
  ...BLOCK,
  { key: 'nmrr', kind: 'decimal', default: '0', text: 'Rotation rate; 1 is a solid state disk.' },
  { key: 'ser', kind: 'text', text: 'Serial number, up to 20 characters.' },
  { key: 'rev', kind: 'text', default: '001', text: 'Revision, up to eight characters.' },
  { key: 'model', kind: 'text', text: 'Model, up to 40 characters.' },
];

export const DEVICES: readonly DeviceRow[] = [
  {
    name: 'hostbridge',
    text: 'Host bridge, usually at 0:0:0.',
    keys: [
      { key: 'vendor', kind: 'integer', text: 'PCI vendor.' },
      { key: 'devid', kind: 'integer', text: 'PCI device.' },
      {
        key: 'model',
        kind: 'text',
        default: 'netapp',
        values: ['amd', 'netapp', 'i440fx', 'q35'],
        since: ILLUMOS,
        text: 'Vendor and device by name.',
      },
      ...PCIREG,
    ],
  },
  { name: 'amd_hostbridge', alias: 'hostbridge', text: 'Host bridge with AMD’s vendor.', keys: [] },
  {
    name: 'ahci',
    text: 'AHCI controller; disks and CD drives are its ports.',
    keys: AHCI_PORT.map((row) => ({ ...row, key: `port.*.${row.key}`, most: 31 })),
  },
  { name: 'ahci-hd', alias: 'ahci', text: 'AHCI controller with one disk.', keys: [] },
  { name: 'ahci-cd', alias: 'ahci', text: 'AHCI controller with one CD drive.', keys: [] },
  { name: 'e1000', text: 'Intel 82545 network card.', keys: NET },
  {
    name: 'fbuf',
    text: 'Frame buffer with a VNC server. One at most.',
    keys: [
      flag('wait', 'Waits for a viewer before the guest starts.'),
      { key: 'rfb', kind: 'text', text: 'Address and port of the VNC server, or a port.' },
      { key: 'tcp', kind: 'text', text: 'Older name of `rfb`, which counts where both are given.' },
      { key: 'vga', kind: 'text', default: 'io', values: ['on', 'io', 'off'], text: 'VGA emulation.' },
      { key: 'w', kind: 'decimal', default: '1024', text: 'Width in pixels, 640 to 3840.' },
      { key: 'h', kind: 'decimal', default: '768', text: 'Height in pixels, 480 to 2160.' },
      { key: 'password', kind: 'text', text: 'VNC password.' },
      { key: 'unix', kind: 'path', since: ILLUMOS, text: 'UNIX socket of the VNC server.' },
    ],
  },
  {
    name: 'hda',
    text: 'High Definition Audio.',
    keys: [
      { key: 'play', kind: 'path', text: 'Device that plays.' },
      { key: 'rec', kind: 'path', text: 'Device that records.' },
    ],
  },
  { name: 'lpc', text: 'ISA bridge: serial ports and firmware. On bus 0, one at most.', keys: PCIREG },
  {
    name: 'nvme',
    text: 'NVMe controller with one disk.',
    keys: [
      ...BLOCK,
      { key: 'maxq', kind: 'decimal', default: '16', text: 'Queue pairs, 1 to 16.' },
      { key: 'qsz', kind: 'decimal', default: '2048', text: 'Entries of a queue.' },
      { key: 'ioslots', kind: 'decimal', default: '8', text: 'Requests at a time.' },
      { key: 'sectsz', kind: 'decimal', values: ['512', '4096', '8192'], text: 'Sector size.' },
      { key: 'ser', kind: 'text', text: 'Serial number, up to 20 characters.' },
      { key: 'eui64', kind: 'integer', text: 'Extended unique identifier.' },
      {
        key: 'dsm',
        kind: 'text',
        default: 'auto',
        values: ['auto', 'enable', 'disable'],
        text: 'Whether the guest may trim.',
      },
      { key: 'ram', kind: 'decimal', text: 'Size in MiB of a disk in memory, in place of `path`.' },
    ],
  },
  {
    name: 'passthru',
    text: 'A PCI device of the host. Needs memory.wired.',
    keys: [
      { key: 'bus', kind: 'decimal', since: FREEBSD, text: 'Bus of the host’s device.' },
      { key: 'slot', kind: 'decimal', since: FREEBSD, text: 'Slot of the host’s device.' },
      { key: 'func', kind: 'decimal', since: FREEBSD, text: 'Function of the host’s device.' },
      {
        key: 'pptdev',
        kind: 'text',
        since: FREEBSD,
        text: 'The host’s device by name, in place of the three numbers.',
      },
      { key: 'path', kind: 'path', since: ILLUMOS, text: 'The host’s device, /dev/pptN.' },
      { key: 'rom', kind: 'path', text: 'Option ROM.' },
      { key: 'bootindex', kind: 'decimal', text: 'Place in the boot order.' },
      ...PCIREG,
    ],
  },
  {
    name: 'uart',
    text: 'PCI serial port.',
    keys: [{ key: 'path', kind: 'path', text: '`stdio` or a device.' }],
  },
  {
    name: 'virtio-9p',
    text: 'A directory of the host.',
    keys: [
      { key: 'sharename', kind: 'text', text: 'Name that the guest mounts. Needed.' },
      { key: 'path', kind: 'path', text: 'Directory. Needed.' },
      flag('ro', 'The guest cannot write.'),
    ],
  },
  {
    name: 'virtio-blk',
    text: 'VirtIO disk.',
    keys: [
      ...BLOCK,
      { key: 'ser', kind: 'text', text: 'Serial number, up to 20 characters.' },
      { key: 'serial', kind: 'text', text: 'The same as `ser`.' },
    ],
  },
  {
    name: 'virtio-console',
    text: 'VirtIO console with up to 16 ports.',
    keys: [
      { key: 'port.*.name', kind: 'text', most: 15, text: 'Name of the port.' },
      { key: 'port.*.path', kind: 'path', most: 15, text: 'UNIX socket of the port.' },
    ],
  },
  {
    name: 'virtio-input',
    text: 'An input device of the host.',
    keys: [{ key: 'path', kind: 'path', text: 'Event device: /dev/input/event0.' }],
  },
  {
    name: 'virtio-net',
    text: 'VirtIO network card.',
    keys: [...NET, { key: 'mtu', kind: 'decimal', text: 'Largest MTU that the guest is told.' }],
  },
  {
    name: 'virtio-net-viona',
    text: 'VirtIO network card in the kernel.',
    since: ILLUMOS,
    open: true,
    keys: [
      { key: 'vnic', kind: 'text', text: 'Data link. Needed.' },
      { key: 'vqsize', kind: 'integer', text: 'Entries of a queue: a power of two up to 32768.' },
      { key: 'qpair', kind: 'integer', text: 'Queue pairs.' },
      { key: 'feature_mask', kind: 'integer', text: 'Features that are not offered.' },
    ],
  },
  { name: 'virtio-rnd', text: 'VirtIO random numbers.', keys: [] },
  {
    name: 'virtio-scsi',
    text: 'VirtIO SCSI over CAM target layer ports.',
    open: true,
    keys: [
      { key: 'dev', kind: 'path', default: '/dev/cam/ctl', text: 'CAM target layer device.' },
      { key: 'target.*', kind: 'path', text: 'Device of a target.' },
      { key: 'iid', kind: 'decimal', default: '0', text: 'Initiator.' },
      { key: 'bootindex', kind: 'decimal', text: 'Place in the boot order.' },
    ],
  },
  {
    name: 'xhci',
    text: 'USB controller.',
    open: true,
    keys: [
      {
        key: 'slot.*.device',
        kind: 'text',
        values: ['tablet'],
        text: 'USB device of the slot; slots begin at 1.',
      },
    ],
  },
];

const BY_NAME: ReadonlyMap<string, DeviceRow> = new Map(DEVICES.map((row) => [row.name, row]));

export function deviceRow(name: string): DeviceRow | undefined {
  return BY_NAME.get(name);
}
