/** The parts of a Cloud Hypervisor config that say what the machine is: cpus, memory and payload. */
import { BOOLEAN, bounded, listOf, STRING, U16, U32, U64, U8 } from '../../text/shape/rustTypes';
import type { InVersion, Member, ObjectShape } from '../../text/shape/shape';

const BYTES = bounded(U64, { unit: 'bytes' });

/** Counts are u32 since v48.0, u8 before; the parts of the topology u16 and u8. */
export function cpus(has: InVersion): ObjectShape {
  const source = 'vm_config.rs, CpusConfig';
  const many = has({ since: 'v48.0' });
  const count = many ? U32 : U8;
  const part = (text: string): Member => ({
    shape: many ? U16 : U8,
    text,
    required: true,
    source: 'vm_config.rs, CpuTopology',
  });
  return {
    kind: 'object',
    others: 'ignored',
    members: {
      boot_vcpus: { shape: count, text: 'vCPUs at the start.', required: true, example: '1', source },
      max_vcpus: {
        shape: count,
        text: 'vCPUs that can be plugged, those at the start counted. It must be there, also where none are plugged.',
        required: true,
        example: '1',
        source,
      },
      topology: {
        shape: {
          kind: 'object',
          others: 'ignored',
          members: {
            threads_per_core: part('Threads of a core: 1 or 2.'),
            cores_per_die: part('Cores of a die.'),
            dies_per_package: part('Dies of a package.'),
            packages: part('Packages.'),
          },
        },
        text: 'How vCPUs are told to belong together; the product is `max_vcpus`.',
        nullable: true,
        source,
      },
      kvm_hyperv: { shape: BOOLEAN, text: 'Hyper-V enlightenments.', default: 'false', source },
      max_phys_bits: {
        shape: U8,
        text: 'Physical address bits at most; the host’s up to v18.0 where none are given.',
        nullable: has({ until: 'v16.0' }),
        default: '46',
        source,
      },
      affinity: {
        shape: listOf({
          kind: 'object',
          others: 'ignored',
          members: {
            vcpu: { shape: many ? U32 : U8, text: 'The vCPU.', required: true },
            host_cpus: {
              shape: listOf(has({ since: 'v38.0' }) ? U64 : U8),
              text: 'The CPUs of the host that it runs on.',
              required: true,
            },
          },
        }),
        text: 'CPUs of the host for each vCPU.',
        nullable: true,
        since: 'v20.0',
        source,
      },
      features: {
        shape: {
          kind: 'object',
          others: 'ignored',
          members: { amx: { shape: BOOLEAN, text: 'AMX.', default: 'false' } },
        },
        text: 'Features of the CPU that are off else.',
        since: 'v23.0',
        source,
      },
      nested: { shape: BOOLEAN, text: 'Nested virtualization.', default: 'true', since: 'v52.0', source },
      core_scheduling: {
        shape: {
          kind: 'string',
          values: [
            { value: 'Vm', text: 'All vCPUs may share a core.' },
            { value: 'Vcpu', text: 'No two vCPUs share a core.' },
            { value: 'Off', text: 'No core scheduling.' },
          ],
        },
        text: 'Which threads of the host may share a core.',
        default: '"Vm"',
        since: 'v52.0',
        source,
      },
      profile: {
        shape: { kind: 'string', values: [{ value: 'Host', text: 'The CPU of the host.' }] },
        text: 'The CPU model, for migration.',
        default: '"Host"',
        since: 'v53.0',
        source,
      },
    },
  };
}

/** What memory as a whole and a zone of it have alike. */
function commonMemory(source: string): Readonly<Record<string, Member>> {
  return {
    hotplug_size: {
      shape: BYTES,
      text: 'Bytes that can be plugged.',
      nullable: true,
      source,
    },
    hotplugged_size: {
      shape: BYTES,
      text: 'Bytes that are plugged at the start; not with the method `Acpi`.',
      nullable: true,
      source,
    },
    shared: {
      shape: BOOLEAN,
      text: 'Memory is mapped MAP_SHARED, which vhost-user devices need.',
      default: 'false',
      source,
    },
    hugepages: { shape: BOOLEAN, text: 'Pages of hugetlbfs.', default: 'false', source },
    hugepage_size: {
      shape: BYTES,
      text: 'Bytes of such a page, a power of two; the host’s default where none are given. Only with `hugepages`.',
      nullable: true,
      source,
    },
    prefault: { shape: BOOLEAN, text: 'Allocates it at once.', default: 'false', since: 'v20.0', source },
    reserve: {
      shape: BOOLEAN,
      text: 'Reserves swap space for it.',
      default: 'false',
      since: 'v53.0',
      source,
    },
  };
}

export function memory(): ObjectShape {
  const source = 'vm_config.rs, MemoryConfig';
  return {
    kind: 'object',
    others: 'ignored',
    members: {
      size: {
        shape: BYTES,
        text: 'Bytes of RAM, as a number; 0 leaves it to `zones`.',
        required: true,
        example: '536870912',
        source,
      },
      ...commonMemory(source),
      mergeable: { shape: BOOLEAN, text: 'For KSM.', default: 'false', source },
      hotplug_method: {
        shape: {
          kind: 'string',
          values: [
            { value: 'Acpi', text: 'DIMMs of multiples of 128 MiB.' },
            { value: 'VirtioMem', text: 'virtio-mem.' },
          ],
        },
        text: 'How memory is plugged.',
        default: '"Acpi"',
        source,
      },
      zones: {
        shape: listOf({
          kind: 'object',
          others: 'ignored',
          members: {
            id: { shape: STRING, text: 'Its name, for `numa`.', required: true },
            size: { shape: BYTES, text: 'Bytes.', required: true },
            file: { shape: STRING, text: 'The file that backs it.', nullable: true },
            host_numa_node: { shape: U32, text: 'The node of the host that it comes from.', nullable: true },
            ...commonMemory('vm_config.rs, MemoryZoneConfig'),
            mergeable: { shape: BOOLEAN, text: 'For KSM.', default: 'false', since: 'v52.0' },
          },
        }),
        text: 'Parts of memory with settings of their own; `size` is 0 then.',
        nullable: true,
        source,
      },
      thp: {
        shape: BOOLEAN,
        text: 'Transparent huge pages.',
        default: 'true',
        since: 'v28.0',
        source,
      },
    },
  };
}

const FW_CFG: ObjectShape = {
  kind: 'object',
  others: 'ignored',
  members: {
    ...Object.fromEntries(
      ['e820', 'kernel', 'cmdline', 'initramfs', 'acpi_tables'].map((key) => [
        key,
        { shape: BOOLEAN, text: `Gives the guest \`${key}\`.`, default: 'true' },
      ]),
    ),
    items: {
      shape: {
        kind: 'object',
        others: 'ignored',
        members: {
          item_list: {
            shape: listOf({
              kind: 'object',
              others: 'ignored',
              members: {
                name: { shape: STRING, text: 'Its name.', default: '""' },
                file: { shape: STRING, text: 'A file, or a `string`.', nullable: true },
                string: { shape: STRING, text: 'A text, or a `file`.', nullable: true },
              },
            }),
            text: 'The items.',
            default: '[]',
          },
        },
      },
      text: 'Further items.',
      nullable: true,
    },
  },
};

export function payload(): ObjectShape {
  const source = 'vm_config.rs, PayloadConfig';
  const path = (text: string): Member => ({ shape: STRING, text, nullable: true, source });
  return {
    kind: 'object',
    others: 'ignored',
    members: {
      firmware: path('The firmware, instead of a kernel.'),
      kernel: path('The kernel.'),
      cmdline: path('The kernel’s command line; a firmware gets none.'),
      initramfs: { ...path('The kernel’s initial RAM disk.'), formerly: ['initrd'] },
      igvm: { ...path('Only in builds with the feature `igvm`.'), since: 'v38.0' },
      host_data: { ...path('Only in builds with the feature `sev_snp`: 64 digits.'), since: 'v39.0' },
      fw_cfg_config: {
        shape: FW_CFG,
        text: 'What fw_cfg gives the guest; only in builds with the feature `fw_cfg`.',
        nullable: true,
        since: 'v48.0',
        source,
      },
    },
  };
}
