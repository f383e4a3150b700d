/** The parts of a Firecracker config that say what the machine is: boot-source, machine-config, cpu-config and their like. */
import { BOOLEAN, bounded, listOf, STRING, U16, U32, U64, U8 } from '../../text/shape/rustTypes';
import type { InVersion, Member, ObjectShape, Shape, StringValue } from '../../text/shape/shape';

export function bootSource(): ObjectShape {
  const source = 'vmm_config/boot_source.rs, BootSourceConfig';
  return {
    kind: 'object',
    others: 'refused',
    members: {
      kernel_image_path: {
        shape: STRING,
        text: 'The kernel: an uncompressed ELF file (vmlinux); since main of 2026-08 a bzImage too. The path is relative to Firecracker’s working directory, or to the jail.',
        required: true,
        example: '"vmlinux"',
        source,
      },
      initrd_path: { shape: STRING, text: 'The initial RAM disk.', nullable: true, source },
      boot_args: {
        shape: STRING,
        text: 'The kernel’s command line. Without it Firecracker takes its own (`reboot=k panic=1 nomodule 8250.nr_uarts=0 …`), in which the serial console is off. `root=`, `virtio_mmio.device=` and, since 1.13, `pci=off` are added to either. A `pci=off` of your own hides every device where Firecracker is started with `--enable-pci`.',
        nullable: true,
        example: '"console=ttyS0 reboot=k panic=1"',
        source,
      },
    },
  };
}

/** Since 1.4 all six; before, by the release that added each. V1N1 is of aarch64 builds, which read the same files. */
const CPU_TEMPLATES: readonly StringValue[] = [
  { value: 'C3', text: 'Intel Skylake, Cascade Lake and Ice Lake as a C3 instance.' },
  { value: 'T2', text: 'Intel Skylake, Cascade Lake and Ice Lake as a T2 instance.' },
  { value: 'T2S', text: 'As T2, for snapshots between Skylake and Cascade Lake.', since: '1.2' },
  { value: 'T2CL', text: 'As T2, for Cascade Lake and Ice Lake.', since: '1.3' },
  { value: 'T2A', text: 'AMD Milan, alike T2CL.', since: '1.3' },
  { value: 'V1N1', text: 'Neoverse V1 as N1: aarch64 only.', since: '1.4' },
  { value: 'None', text: 'No template.', since: '1.1' },
];

/** `MachineConfig`, `VmConfig` up to 1.3. In 1.0 every number could be left out; since 1.1 both must be there. */
export function machineConfig(has: InVersion): ObjectShape {
  const source = 'vmm_config/machine_config.rs, MachineConfig';
  const optional = has({ until: '1.0' });
  return {
    kind: 'object',
    others: 'refused',
    members: {
      vcpu_count: {
        shape: bounded(U8, { least: 1n, most: 32n }),
        text: 'Number of vCPUs, 1 to 32 (`MAX_SUPPORTED_VCPUS`). With `smt` it must be 1 or even.',
        required: !optional,
        nullable: optional,
        default: '1',
        example: '2',
        source,
      },
      mem_size_mib: {
        shape: bounded(U64, { least: 1n, unit: 'MiB' }),
        text: 'Guest memory in MiB. It must be even with huge pages of 2 MiB.',
        required: !optional,
        nullable: optional,
        default: '128',
        example: '512',
        source,
      },
      smt: {
        shape: BOOLEAN,
        text: 'vCPUs in pairs of threads of one core. `ht_enabled` before 1.0.',
        nullable: optional,
        default: 'false',
        formerly: ['ht_enabled'],
        source,
      },
      cpu_template: {
        shape: { kind: 'string', values: CPU_TEMPLATES },
        text: 'A built-in CPU template. Deprecated since 1.5: `cpu-config` replaces it.',
        nullable: optional || has({ since: '1.5' }),
        source,
      },
      track_dirty_pages: {
        shape: BOOLEAN,
        text: 'KVM logs dirty pages, for diff snapshots.',
        default: 'false',
        source,
      },
      huge_pages: {
        shape: {
          kind: 'string',
          values: [
            { value: 'None', text: 'Pages of 4 KiB.' },
            { value: 'Transparent', text: 'madvise(MADV_HUGEPAGE).', since: 'main-2026-08' },
            { value: '2M', text: 'hugetlbfs pages of 2 MiB, which the host must have set aside.' },
          ],
        },
        text: 'Pages that back guest memory on the host.',
        default: '"None"',
        since: '1.7',
        source,
      },
      gdb_socket_path: {
        shape: STRING,
        text: 'A socket for gdb; only in builds with the `gdb` feature, others refuse the key.',
        nullable: true,
        since: '1.10',
        source,
      },
    },
  };
}

/** Hexadecimal or binary with its prefix (templates_serde.rs). */
const NUMBER: Shape = {
  kind: 'string',
  pattern: /^(?:0x[0-9a-f]+|0b[01]+)$/i,
  expected: 'a number in a string, as 0x… or 0b…',
};

function bitmap(bits: number): Member {
  return {
    shape: {
      kind: 'string',
      pattern: new RegExp(`^(?:0b)?_*(?:[01x]_*){0,${bits}}$`),
      expected: `up to ${bits} digits 0, 1 or x (left as it is), with _ between`,
    },
    text: 'The bits to change: `0`, `1`, or `x` for one that stays.',
    required: true,
    source: 'cpu_config/templates.rs, RegisterValueFilter',
  };
}

function modifiers(members: Readonly<Record<string, Member>>, text: string): Member {
  return { shape: listOf({ kind: 'object', others: 'ignored', members }), text, default: '[]' };
}

const address: Member = { shape: NUMBER, text: 'Which register.', required: true };

/** `CustomCpuTemplate` of x86_64 and of aarch64, whose builds read the same files. */
const CPU_TEMPLATE: ObjectShape = {
  kind: 'object',
  others: 'refused',
  members: {
    kvm_capabilities: {
      shape: listOf({
        kind: 'string',
        pattern: /^!?\d+$/,
        expected: 'the number of a KVM capability in a string, with ! before it to leave it unchecked',
      }),
      text: 'KVM capabilities to check beside the usual ones, or not to check (`!`).',
      default: '[]',
      since: '1.5',
    },
    cpuid_modifiers: modifiers(
      {
        leaf: { shape: NUMBER, text: 'The leaf, EAX.', required: true },
        subleaf: { shape: NUMBER, text: 'The subleaf, ECX.', required: true },
        flags: { shape: U32, text: 'KVM’s flags: 1 where the subleaf counts, else 0.', required: true },
        modifiers: {
          ...modifiers(
            {
              register: {
                shape: {
                  kind: 'string',
                  values: ['eax', 'ebx', 'ecx', 'edx'].map((value) => ({ value, text: 'A register.' })),
                },
                text: 'The register of the answer.',
                required: true,
              },
              bitmap: bitmap(32),
            },
            'The registers that change.',
          ),
          required: true,
        },
      },
      'Changes to CPUID answers.',
    ),
    msr_modifiers: modifiers({ addr: address, bitmap: bitmap(64) }, 'Changes to MSRs.'),
    reg_modifiers: modifiers({ addr: address, bitmap: bitmap(128) }, 'Changes to registers, aarch64 only.'),
    vcpu_features: modifiers(
      {
        index: { shape: U32, text: 'Index of the feature word.', required: true },
        bitmap: bitmap(32),
      },
      'Features of KVM_ARM_VCPU_INIT, aarch64 only.',
    ),
  },
};

/** A path up to 1.12, a path or the template itself since. */
export function cpuConfig(has: InVersion): Shape {
  return has({ since: '1.13' }) ? { kind: 'either', of: [STRING, CPU_TEMPLATE] } : STRING;
}

export function balloon(): ObjectShape {
  const source = 'vmm_config/balloon.rs, BalloonDeviceConfig';
  return {
    kind: 'object',
    others: 'refused',
    members: {
      amount_mib: {
        shape: bounded(U32, { unit: 'MiB' }),
        text: 'MiB that the balloon takes from the guest; no more than it has.',
        required: true,
        formerly: ['amount_mb'],
        source,
      },
      deflate_on_oom: {
        shape: BOOLEAN,
        text: 'The guest takes memory back when it has none left.',
        required: true,
        formerly: ['must_tell_host'],
        source,
      },
      stats_polling_interval_s: {
        shape: bounded(U16, { unit: 's' }),
        text: 'Seconds between statistics; 0 turns them off.',
        default: '0',
        source,
      },
      free_page_hinting: {
        shape: BOOLEAN,
        text: 'The guest tells of free pages when it is asked.',
        default: 'false',
        since: '1.14',
        source,
      },
      free_page_reporting: {
        shape: BOOLEAN,
        text: 'The guest tells of free pages by itself.',
        default: 'false',
        since: '1.14',
        source,
      },
    },
  };
}

/** The rules on the sizes among each other are a check of their own. */
export function memoryHotplug(has: InVersion): ObjectShape {
  const source = 'vmm_config/memory_hotplug.rs, MemoryHotplugConfig';
  const size = bounded(has({ since: 'main-2026-08' }) ? U32 : U64, { unit: 'MiB' });
  return {
    kind: 'object',
    others: 'refused',
    members: {
      total_size_mib: {
        shape: size,
        text: 'MiB that can be plugged: a multiple of the slot size.',
        required: true,
        source,
      },
      block_size_mib: {
        shape: size,
        text: 'MiB that the guest plugs at once: a power of two, 2 at least.',
        default: '2',
        source,
      },
      slot_size_mib: {
        shape: size,
        text: 'MiB that the host maps at once: a multiple of the block size, 128 at least.',
        default: '128',
        source,
      },
    },
  };
}
