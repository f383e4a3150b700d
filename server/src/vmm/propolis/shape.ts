/**
 * The keys of a propolis-standalone config. Read: oxidecomputer/propolis bin/propolis-standalone/src/{config,main,cidata}.rs and
 * crates/cpuid-profile-config/src/lib.rs at commit 372a5744 (merged 2026-07-21). No struct of it denies unknown fields, and options of
 * devices and block devices are looked up by name in a map: what is misspelt is never looked at.
 */
import { BOOLEAN, STRING, U8 } from '../../text/shape/rustTypes';
import type { Member, ObjectShape, Shape } from '../../text/shape/shape';

const CONFIG = 'bin/propolis-standalone/src/config.rs';
const MAIN = 'bin/propolis-standalone/src/main.rs, setup_instance';

const ANY: Shape = { kind: 'any' };
const U32_MOST = 0xffff_ffffn;
const SIZE: Shape = { kind: 'integer', least: 0n };

/** std::net::SocketAddr from text: an address and a port, never a host name. */
const SOCKET_ADDRESS: Shape = {
  kind: 'string',
  pattern: /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9A-Fa-f:.]+(?:%\d+)?\]):\d{1,5}$/,
  expected: 'an IP address with a port, such as `127.0.0.1:3810`; no host name',
};

const MAIN_TABLE: ObjectShape = {
  kind: 'object',
  others: 'ignored',
  members: {
    name: {
      shape: STRING,
      required: true,
      text: 'Name of the VM. A VM of this name that exists is destroyed first.',
      source: `${CONFIG}, Main`,
    },
    cpus: { shape: U8, required: true, text: 'Number of vCPUs.', source: `${CONFIG}, Main` },
    bootrom: {
      shape: STRING,
      required: true,
      text: 'Path of the boot ROM. Its length must be a multiple of 4 KiB and at most 2 MiB.',
      source: 'bin/propolis-standalone/src/main.rs, open_bootrom and populate_rom',
    },
    bootrom_version: {
      shape: STRING,
      text: 'Version of the firmware that SMBIOS tells the guest (since 2024-05).',
      default: '"v0.0.1-alpha 1"',
      source: MAIN,
    },
    memory: {
      shape: { kind: 'integer', least: 1n, unit: 'MiB' },
      required: true,
      text: 'Guest memory in MiB, as a number. What is above 3 GiB goes to 4 GiB and up.',
      example: '1024',
      source: MAIN,
    },
    qemu_debug_file: {
      shape: STRING,
      until: '2023-10',
      text: 'Where the text of port 0x402 went, until 2024-02; it goes to `debug.out` now.',
      source: MAIN,
    },
    use_reservoir: {
      shape: BOOLEAN,
      text: 'Take the memory from the VMM reservoir (since 2023-06).',
      default: 'false',
      source: MAIN,
    },
    cpuid_profile: {
      shape: STRING,
      text: 'Name of the `[cpuid.NAME]` table that the vCPUs get. Without one the kernel answers CPUID (since 2023-09).',
      source: `${CONFIG}, Config::cpuid_profile`,
    },
    cpu_binding: {
      shape: {
        kind: 'string',
        values: [
          { value: 'any', text: 'vCPUs are not bound.' },
          { value: 'upper-half', text: 'vCPUs are bound to the highest-numbered processors of the host.' },
        ],
      },
      text: 'How vCPUs are bound to processors of the host (since 2026-01).',
      default: '"any"',
      source: `${CONFIG}, BindingStrategy`,
    },
    exit_on_halt: {
      shape: U8,
      since: '2023-10',
      text: 'Exit code of the process when the guest halts.',
      default: '0',
      source: `${CONFIG}, Main`,
    },
    exit_on_reboot: {
      shape: U8,
      since: '2023-10',
      text: 'Exit code of the process when the guest reboots. Without it a reboot is a reboot.',
      source: `${CONFIG}, Main`,
    },
    boot_order: {
      shape: { kind: 'array', of: STRING },
      since: '2024-06',
      text: 'Names of devices, in the order in which the firmware tries them.',
      example: '["disk0", "net0"]',
      source: 'bin/propolis-standalone/src/main.rs, generate_bootorder',
    },
    acpi_variant: {
      shape: { kind: 'string', values: [{ value: 'V0', text: 'The tables that EDK2 had built in.' }] },
      since: '2026-06',
      text: 'Which ACPI tables the guest gets.',
      default: '"V0"',
      source: 'lib/propolis/src/firmware/acpi/mod.rs, AcpiVariant',
    },
  },
};

/** What rules of their own say better than a shape: the path on the PCI bus, and the names of other tables. */
const PCI_PATH: Member = {
  shape: ANY,
  text: 'Place on the PCI bus as `bus.device.function`, three decimal numbers: `"0.4.0"`. Bus 0 is the only one; 0.0.0, 0.1.0 and 0.1.3 are the chipset’s.',
  example: '"0.4.0"',
  source: `${CONFIG}, parse_bdf`,
};
const BLOCK_DEVICE: Member = {
  shape: ANY,
  text: 'Name of the `[block_dev.NAME]` table behind the device.',
  example: '"disk0"',
  source: `${CONFIG}, block_backend`,
};
const QUEUE_SIZE: Member = {
  shape: ANY,
  text: 'Entries of the queue, a power of two (since 2026-07).',
  source: MAIN,
};

/** By driver. */
export const DRIVERS: Readonly<Record<string, Readonly<Record<string, Member>>>> = {
  'pci-virtio-block': { 'pci-path': PCI_PATH, block_dev: BLOCK_DEVICE },
  'pci-nvme': { 'pci-path': PCI_PATH, block_dev: BLOCK_DEVICE },
  'pci-virtio-viona': {
    'pci-path': PCI_PATH,
    vnic: {
      shape: STRING,
      required: true,
      text: 'The VNIC of the host that the guest’s network goes through.',
      source: MAIN,
    },
    'rx-queue-size': { ...QUEUE_SIZE, default: '2048' },
    'tx-queue-size': { ...QUEUE_SIZE, default: '256' },
    tx_copy_data: {
      shape: BOOLEAN,
      text: 'Whether sent data is copied (since 2024-11).',
      default: 'true',
      source: `${CONFIG}, VionaDeviceParams`,
    },
    tx_header_pad: {
      shape: { kind: 'integer', least: 0n, most: 0xffffn, unit: 'bytes' },
      text: 'Bytes of padding before the headers of sent packets (since 2024-11).',
      default: '0',
      source: `${CONFIG}, VionaDeviceParams`,
    },
  },
  'pci-virtio-socket': {
    'pci-path': PCI_PATH,
    guest_cid: {
      shape: { kind: 'integer', least: 3n, most: U32_MOST },
      required: true,
      text: 'Context ID of the guest. 0, 1 and 2 have meanings of their own.',
      source: 'lib/propolis/src/vsock/mod.rs, GuestCid',
    },
    port_mappings: {
      shape: {
        kind: 'array',
        of: {
          kind: 'object',
          others: 'ignored',
          members: {
            port: {
              shape: { kind: 'integer', least: 0n, most: U32_MOST },
              required: true,
              text: 'Port of the host as the guest sees it.',
            },
            addr: { shape: SOCKET_ADDRESS, required: true, text: 'Where connections to it go.' },
          },
        },
      },
      required: true,
      text: 'Ports of the host and where connections to them go: `[{ port = 80, addr = "127.0.0.1:8080" }]`.',
      source: 'lib/propolis/src/vsock/proxy.rs, VsockPortMapping',
    },
  },
  'qemu-pvpanic': {
    enable_isa: {
      shape: ANY,
      text: 'Whether the ISA device at port 0x505 is made; without `true` nothing is (since 2024-01).',
      default: 'false',
      source: MAIN,
    },
  },
};

/** Typed by serde for every block device, also one that nobody uses. */
export const BLOCK_OPTIONS: Readonly<Record<string, Member>> = {
  block_size: {
    shape: { kind: 'integer', least: 0n, most: U32_MOST, unit: 'bytes' },
    text: 'Bytes of a block.',
    default: '512',
    source: `${CONFIG}, BlockOpts`,
  },
  read_only: {
    shape: BOOLEAN,
    text: 'Whether the guest may only read.',
    formerly: ['readonly'],
    source: `${CONFIG}, BlockOpts`,
  },
  skip_flush: {
    shape: BOOLEAN,
    text: 'Whether flushes of the guest are taken for done at once.',
    default: 'false',
    source: `${CONFIG}, BlockOpts`,
  },
};

const WORKERS: Member = {
  shape: { kind: 'integer', least: 1n },
  text: 'Number of worker threads. More than 32 are taken for 8 by a `file`.',
  default: '8',
  source: `${CONFIG}, block_backend`,
};
const BLOCK_SIZE: Member = { ...BLOCK_OPTIONS.block_size!, required: true };

/** By type. */
export const BLOCK_TYPES: Readonly<Record<string, Readonly<Record<string, Member>>>> = {
  file: {
    path: {
      shape: STRING,
      required: true,
      text: 'Path of the file or of the raw device.',
      source: `${CONFIG}, FileConfig`,
    },
    workers: WORKERS,
  },
  crucible: {
    block_size: BLOCK_SIZE,
    blocks_per_extent: { shape: SIZE, required: true, text: 'Blocks of an extent of the region.' },
    extent_count: {
      shape: { kind: 'integer', least: 0n, most: U32_MOST },
      required: true,
      text: 'Extents of the region.',
    },
    targets: {
      shape: { kind: 'array', of: SOCKET_ADDRESS, least: 3, most: 3 },
      required: true,
      text: 'The three Downstairs instances, each as address and port.',
      example: '["127.0.0.1:3810", "127.0.0.1:3820", "127.0.0.1:3830"]',
    },
    generation: {
      shape: SIZE,
      required: true,
      text: 'Generation of the connection: it must grow with each one.',
    },
    upstairs_id: {
      shape: {
        kind: 'string',
        pattern:
          /^(?:urn:uuid:)?(?:\{?[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}?|[0-9A-Fa-f]{32})$/,
        expected: 'a UUID',
      },
      text: 'UUID of the Upstairs; a random one without it.',
    },
    lossy: { shape: BOOLEAN, text: 'Whether some requests fail at random, for tests.', default: 'false' },
    flush_timeout: { shape: { kind: 'number' }, text: 'Seconds between flushes of Crucible’s own.' },
    encryption_key: { shape: STRING, text: 'Key of 256 bits, in Base64.' },
    cert_pem: { shape: STRING, text: 'Certificate for TLS to the Downstairs.' },
    key_pem: { shape: STRING, text: 'Its key.' },
    root_cert_pem: { shape: STRING, text: 'Root certificate for TLS.' },
    control_addr: { shape: SOCKET_ADDRESS, text: 'Where Crucible’s HTTP control server listens.' },
  },
  'crucible-mem': {
    block_size: BLOCK_SIZE,
    size: { shape: SIZE, required: true, text: 'Size in bytes.' },
  },
  'mem-async': {
    size: {
      shape: { kind: 'integer', least: 1n, unit: 'bytes' },
      required: true,
      text: 'Size in bytes, a multiple of the block size.',
      source: 'lib/propolis/src/block/mem_async.rs, MemAsyncBackend::create',
    },
    workers: WORKERS,
  },
  cloudinit: {},
};

const DRIVER_TEXTS = {
  'pci-virtio-block': 'A virtio disk.',
  'pci-nvme': 'An NVMe disk.',
  'pci-virtio-viona': 'A virtio network card, in the host’s kernel.',
  'pci-virtio-socket': 'A vsock device (since 2026-03).',
  'qemu-pvpanic': 'QEMU’s pvpanic at port 0x505 (since 2024-01).',
};
const TYPE_TEXTS = {
  file: 'A file or a raw device of the host.',
  crucible: 'A region of Crucible (feature crucible).',
  'crucible-mem': 'Crucible in memory (feature crucible).',
  'mem-async': 'Memory of the process.',
  cloudinit: 'A volume made of the table `[cloudinit]`.',
};

/** What another word does is told by rules of their own. */
function wordsOf(texts: Readonly<Record<string, string>>): Shape {
  return { kind: 'string', values: Object.entries(texts).map(([value, text]) => ({ value, text })) };
}

const CLOUDINIT_TEXT = { shape: STRING, source: 'bin/propolis-standalone/src/cidata.rs, build_cidata_be' };

const CLOUDINIT: ObjectShape = {
  kind: 'object',
  others: 'ignored',
  members: Object.fromEntries(
    ['user-data', 'meta-data', 'network-config'].flatMap((name): [string, Member][] => [
      [name, { ...CLOUDINIT_TEXT, text: `Content of the file \`${name}\` of the NoCloud volume.` }],
      [`${name}-path`, { ...CLOUDINIT_TEXT, text: `Path of the file that becomes \`${name}\`.` }],
    ]),
  ),
};

export const PROPOLIS_SHAPE: ObjectShape = {
  kind: 'object',
  others: 'ignored',
  members: {
    main: { shape: MAIN_TABLE, required: true, text: 'The VM itself.', source: `${CONFIG}, Main` },
    dev: {
      shape: {
        kind: 'names',
        what: 'a device',
        of: {
          kind: 'variant',
          by: 'driver',
          common: {
            kind: 'object',
            others: 'ignored',
            members: {
              driver: {
                shape: wordsOf(DRIVER_TEXTS),
                required: true,
                text: 'What kind of device it is.',
                source: `${CONFIG}, Device`,
              },
            },
          },
          variants: DRIVERS,
        },
      },
      text: 'Devices by name: `[dev.NAME]`.',
    },
    block_dev: {
      shape: {
        kind: 'names',
        what: 'a block device',
        of: {
          kind: 'variant',
          by: 'type',
          common: {
            kind: 'object',
            others: 'ignored',
            members: {
              type: { shape: wordsOf(TYPE_TEXTS), text: 'What backs it.', source: `${CONFIG}, BlockDevice` },
              ...BLOCK_OPTIONS,
            },
          },
          variants: BLOCK_TYPES,
        },
      },
      text: 'Backends of disks by name: `[block_dev.NAME]`.',
    },
    cpuid: {
      shape: {
        kind: 'names',
        what: 'a CPUID profile',
        of: {
          kind: 'object',
          // Its other keys are leaves, which have a rule of their own.
          others: 'free',
          members: {
            vendor: {
              shape: {
                kind: 'string',
                values: [
                  { value: 'amd', text: 'Leaves that are not there are answered as AMD does.' },
                  { value: 'intel', text: 'Leaves that are not there are answered as Intel does.' },
                ],
              },
              required: true,
              text: 'How the vCPU answers leaves that are not in the profile.',
              source: 'crates/cpuid-profile-config/src/lib.rs, CpuVendor',
            },
          },
        },
      },
      text: 'CPUID profiles by name: `[cpuid.NAME]`, with leaves as `"7-0" = [eax, ebx, ecx, edx]` (since 2023-09).',
    },
    cloudinit: {
      shape: CLOUDINIT,
      text: 'Content of the block devices of type `cloudinit` (since 2023-10).',
    },
  },
};
