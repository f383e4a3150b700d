/**
 * The keys of a box's options. Read: boxlite-ai/boxlite src/boxlite/src/runtime/{options,advanced_options}.rs and
 * src/boxlite/src/experimental/custom_kernel.rs in versions of 2026-08 and 2026-09, and boxlite-labs/boxlite at ebba080 (2026-01-04). The
 * structs take missing fields for their defaults and ignore unknown ones. Bootpath knows no versions of BoxLite, so a key that any of them
 * has is known.
 */
import { BOOLEAN, listOf, STRING, U16, U32, U64 } from '../../../text/shape/rustTypes';
import type { Member, ObjectShape, Shape } from '../../../text/shape/shape';

const ANY: Shape = { kind: 'any' };
const STRINGS = listOf(STRING);

const OPTIONS = 'src/boxlite/src/runtime/options.rs';

const option = (shape: Shape, text: string, more: Partial<Member> = {}): Member => ({
  shape,
  text,
  nullable: true,
  source: `${OPTIONS}, BoxOptions`,
  ...more,
});
const plain = (shape: Shape, text: string, more: Partial<Member> = {}): Member =>
  option(shape, text, { nullable: false, ...more });

const VOLUME: ObjectShape = {
  kind: 'object',
  others: 'ignored',
  members: {
    host_path: plain(STRING, 'Directory or file of the host that is mounted.'),
    guest_path: plain(STRING, 'Where it is mounted.', { required: true }),
    // No serde default: the field must be there.
    read_only: plain(BOOLEAN, 'Whether the guest may only read.', { required: true }),
    managed_volume: option(STRING, 'A volume of the server, by name or id, in place of `host_path`.'),
  },
};

const PORT: ObjectShape = {
  kind: 'object',
  others: 'ignored',
  members: {
    host_port: option(U16, 'Port of the host; null or 0 leaves it to the system.'),
    guest_port: plain(U16, 'Port of the guest.', { required: true }),
    protocol: plain(
      {
        kind: 'string',
        values: ['tcp', 'Tcp', 'udp', 'Udp'].map((value) => ({ value, text: value.toUpperCase() })),
      },
      'Protocol; only TCP is forwarded.',
      { default: '"tcp"' },
    ),
    host_ip: option(STRING, 'Address of the host; all of them without one.'),
  },
};

/** `Enabled` with its list, `Disabled`, and `Isolated` of the first versions. */
const NETWORK: Shape = {
  kind: 'either',
  of: [
    {
      kind: 'string',
      values: [
        { value: 'Disabled', text: 'No network.' },
        { value: 'Isolated', text: 'The only one of the first versions.' },
      ],
      besides: 'an object with `Enabled`',
    },
    {
      kind: 'object',
      others: 'refused',
      oneOf: true,
      members: {
        Enabled: plain(
          {
            kind: 'object',
            others: 'ignored',
            members: { allow_net: plain(STRINGS, 'Hosts that may be reached; all without one.') },
          },
          'Network, with the hosts that may be reached.',
        ),
      },
    },
  ],
};

const KERNEL: ObjectShape = {
  kind: 'object',
  others: 'ignored',
  members: {
    path: plain(STRING, 'Path of the kernel.', { required: true }),
    format: plain(
      {
        kind: 'string',
        values: ['auto', 'raw', 'elf', 'pe-gz', 'image-bz2', 'image-gz', 'image-zstd'].map((value) => ({
          value,
          text: value,
        })),
      },
      'Format of the kernel.',
      { default: '"auto"' },
    ),
    initramfs: option(STRING, 'Path of the initial RAM disk.'),
    command_line: option(STRING, 'Command line, in place of libkrun’s.'),
  },
};

const ADVANCED: ObjectShape = {
  kind: 'object',
  others: 'free',
  members: {
    isolate_mounts: plain(BOOLEAN, 'Read-only bind mount of the shared mounts (Linux).', {
      default: 'false',
    }),
    kernel: option(KERNEL, 'A kernel of one’s own (experimental).'),
    security: plain(
      {
        kind: 'object',
        others: 'free',
        members: {
          jailer_enabled: plain(BOOLEAN, 'Whether the process of the VM is jailed.', { default: 'true' }),
          seccomp_enabled: plain(BOOLEAN, 'Whether its system calls are filtered (Linux).'),
          network_enabled: plain(BOOLEAN, 'Whether the jail grants the host’s network.', { default: 'true' }),
        },
      },
      'Isolation of the process of the VM.',
    ),
  },
};

const SECRET: ObjectShape = {
  kind: 'object',
  others: 'ignored',
  members: {
    name: plain(STRING, 'Name of the secret.', { required: true }),
    hosts: plain(STRINGS, 'Hosts that get it.', { required: true }),
    placeholder: plain(STRING, 'What the guest sees in its place.', { required: true }),
    value: plain(STRING, 'The secret itself.', { required: true }),
  },
};

export const BOXLITE_SHAPE: ObjectShape = {
  kind: 'object',
  others: 'ignored',
  members: {
    cpus: option({ kind: 'integer', least: 1n, most: 255n }, 'Number of vCPUs.', { default: '4' }),
    memory_mib: option({ kind: 'integer', least: 1n, most: 0xffff_ffffn, unit: 'MiB' }, 'Memory in MiB.', {
      default: '4096',
    }),
    disk_size_gb: option(U64, 'Size of the root disk, in GB.'),
    working_dir: option(STRING, 'Directory in which the program starts.'),
    env: plain(
      { kind: 'array', of: { kind: 'array', of: STRING, least: 2, most: 2 } },
      'Environment, as a list of pairs.',
      { example: '[["KEY", "value"]]' },
    ),
    rootfs: plain(
      {
        kind: 'object',
        others: 'refused',
        oneOf: true,
        members: {
          Image: plain(STRING, 'Image of a registry.'),
          RootfsPath: plain(STRING, 'Directory of the host.'),
        },
      },
      'Root file system.',
      { default: '{"Image": "alpine:latest"}' },
    ),
    volumes: plain({ kind: 'array', of: VOLUME }, 'Mounts.'),
    network: plain(NETWORK, 'What the guest may reach.', { default: '{"Enabled": {"allow_net": []}}' }),
    inbound_network: plain(NETWORK, 'Whether services of the guest may be reached.'),
    ports: plain({ kind: 'array', of: PORT }, 'Ports that are forwarded.'),
    auto_remove: plain(BOOLEAN, 'Remove the box when it stops; `auto_delete` counts before it.', {
      default: 'true',
    }),
    auto_stop: option(U32, 'Seconds without use before it stops (remote runtimes).'),
    auto_delete: option(U32, 'Seconds after a stop before it is removed; 0 keeps it.'),
    auto_resume: option(BOOLEAN, 'Whether it starts again when it is used.'),
    detach: plain(BOOLEAN, 'Whether the box outlives the process that made it.', { default: 'false' }),
    advanced: plain(ADVANCED, 'Options for experts.'),
    entrypoint: option(STRINGS, 'In place of the image’s ENTRYPOINT.'),
    cmd: option(STRINGS, 'In place of the image’s CMD.'),
    user: option(STRING, 'User, as `name:group`.'),
    tty: plain(BOOLEAN, 'Whether the program has a terminal.', { default: 'false' }),
    secrets: plain({ kind: 'array', of: SECRET }, 'Secrets for outgoing requests.'),
    isolate_mounts: plain(BOOLEAN, 'Of the first versions; `advanced.isolate_mounts` now.'),
    security: plain(ANY, 'Of older versions; `advanced.security` now.'),
    health_check: plain(ANY, 'Of older versions; `advanced.health_check` now.'),
    capabilities: plain(ANY, 'Of older versions; `advanced.capabilities` now.'),
  },
};
