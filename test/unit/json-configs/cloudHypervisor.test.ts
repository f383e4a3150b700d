/** What the rules on Cloud Hypervisor configs must say, and what they must not; facts by the release that is read. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { cloudHypervisorShape } from '../../../server/src/vmm/cloud-hypervisor/shape';
import { CLOUD_HYPERVISOR_VERSIONS } from '../../../server/src/vmm/cloud-hypervisor/versions';
import { cloudHypervisor } from '../../../server/src/vmm/cloud-hypervisor/language';
import { findingsOf, fixed, saidOf } from './read';
import { keysOf, pathsOf } from './shapePaths';

const MIB = 1 << 20;
const CPUS = { boot_vcpus: 2, max_vcpus: 2 };
const MEMORY = { size: 512 * MIB };
const SHARED = { ...MEMORY, shared: true };
const ZONE = { id: 'mem0', size: 512 * MIB };
const config = (sections: object) => ({
  cpus: CPUS,
  memory: MEMORY,
  payload: { kernel: 'vmlinux' },
  ...sections,
});
/** As releases up to v25.0 take it. */
const OLD = { payload: undefined, kernel: { path: 'vmlinux' } };
const bucket = { size: 1000, one_time_burst: 1, refill_time: 100 };
const limiter = { bandwidth: bucket, ops: bucket };
const pci = (id: string) => ({ id, iommu: false, pci_segment: 0, pci_device_id: null });

/** Every key that the newest release has and that can stand beside the others. */
const EVERYTHING = config({
  cpus: {
    ...CPUS,
    topology: { threads_per_core: 2, cores_per_die: 1, dies_per_package: 1, packages: 1 },
    kvm_hyperv: false,
    max_phys_bits: 46,
    affinity: [{ vcpu: 0, host_cpus: [0, 1] }],
    features: { amx: false },
    nested: true,
    core_scheduling: 'Vm',
    profile: 'Host',
  },
  memory: {
    size: 0,
    mergeable: false,
    hotplug_method: 'VirtioMem',
    hotplug_size: null,
    hotplugged_size: null,
    shared: true,
    hugepages: true,
    hugepage_size: 2 * MIB,
    prefault: false,
    reserve: false,
    zones: [
      {
        ...ZONE,
        file: '/dev/hugepages',
        shared: true,
        hugepages: true,
        hugepage_size: 2 * MIB,
        host_numa_node: null,
        hotplug_size: 128 * MIB,
        hotplugged_size: 0,
        prefault: false,
        reserve: false,
        mergeable: false,
      },
    ],
    thp: true,
  },
  payload: {
    firmware: null,
    kernel: 'vmlinux',
    cmdline: 'console=hvc0',
    initramfs: 'initrd',
    igvm: null,
    host_data: null,
    fw_cfg_config: {
      e820: true,
      kernel: true,
      cmdline: true,
      initramfs: true,
      acpi_tables: true,
      items: { item_list: [{ name: 'opt/a', file: null, string: 'x' }] },
    },
  },
  rate_limit_groups: [{ id: 'slow', rate_limiter_config: limiter }],
  disks: [
    {
      ...pci('d0'),
      path: 'disk.raw',
      readonly: false,
      direct: true,
      num_queues: 2,
      queue_size: 128,
      rate_limit_group: 'slow',
      disable_io_uring: false,
      disable_aio: false,
      serial: 'A',
      queue_affinity: [{ queue_index: 0, host_cpus: [0] }],
      backing_files: false,
      sparse: true,
      image_type: 'Raw',
      lock_granularity: 'Full',
    },
    { path: 'b.raw', rate_limiter_config: limiter },
    { vhost_user: true, vhost_socket: '/run/blk.sock' },
  ],
  net: [
    {
      ...pci('n0'),
      tap: 'tap0',
      ip: '192.168.249.1',
      mask: '255.255.255.0',
      mac: '02:00:00:00:00:01',
      host_mac: null,
      mtu: 1500,
      num_queues: 4,
      queue_size: 256,
      vhost_user: false,
      vhost_socket: null,
      vhost_mode: 'Client',
      fds: null,
      rate_limiter_config: limiter,
      offload_tso: true,
      offload_ufo: true,
      offload_csum: true,
    },
  ],
  rng: { ...pci('r'), src: '/dev/urandom' },
  balloon: { ...pci('b'), size: 256 * MIB, deflate_on_oom: true, free_page_reporting: true },
  generic_vhost_user: [{ ...pci('g'), socket: 's', queue_sizes: [256], device_type: 26 }],
  fs: [{ ...pci('f'), tag: 'home', socket: 's', num_queues: 1, queue_size: 1024 }],
  pmem: [{ ...pci('p'), file: 'pmem.img', size: null, discard_writes: true }],
  serial: { mode: 'File', file: 'serial.log', socket: null },
  console: { ...pci('c'), mode: 'Off', file: null, socket: null },
  debug_console: { mode: 'Off', file: null, iobase: 233 },
  devices: [
    {
      ...pci('v'),
      path: '/sys/bus/pci/devices/0000:01:00.0',
      fd: null,
      x_nv_gpudirect_clique: 0,
      x_exclude_mmap_bars: [1],
    },
  ],
  user_devices: [{ ...pci('u'), socket: 's' }],
  vdpa: [{ ...pci('w'), path: '/dev/vhost-vdpa-0', num_queues: 1 }],
  vsock: { ...pci('s'), cid: 3, socket: 's' },
  pvmemcontrol: null,
  pvpanic: true,
  iommu: false,
  numa: [
    {
      guest_numa_id: 0,
      cpus: [0, 1],
      distances: [{ destination: 0, distance: 10 }],
      memory_zones: ['mem0'],
      pci_segments: [0],
    },
    { guest_numa_id: 1, device_id: 'v' },
  ],
  watchdog: true,
  rtc: pci('t'),
  gdb: false,
  pci_segments: [{ pci_segment: 0, mmio32_aperture_weight: 1, mmio64_aperture_weight: 1 }],
  platform: {
    num_pci_segments: 2,
    iommu_segments: [1],
    iommu_address_width_bits: 48,
    system_serial_number: 'x',
    system_uuid: 'x',
    oem_strings: ['x'],
    system_manufacturer: 'x',
    system_product_name: 'x',
    system_version: 'x',
    system_family: 'x',
    system_sku_number: 'x',
    chassis_asset_tag: 'x',
    tdx: false,
    sev_snp: false,
    iommufd: true,
    iommufd_fd: null,
    vfio_p2p_dma: true,
  },
  tpm: { socket: 's' },
  landlock_enable: true,
  landlock_rules: [{ path: '/dev/null', access: 'rw' }],
  ivshmem: { ...pci('i'), path: 's', size: MIB },
});

test('a config with every key gives no finding', () => {
  assert.deepEqual(saidOf('cloud-hypervisor', EVERYTHING), []);
});

test('the shape has every key of that config, and else what is gone', () => {
  const written = keysOf(EVERYTHING);
  const rest = [...pathsOf(cloudHypervisorShape('2026-08'))].filter((path) => !written.has(path)).sort();
  assert.deepEqual(rest, [
    'cmdline',
    'cmdline.args',
    'disks.poll_queue',
    'fs.cache_size',
    'fs.dax',
    'initramfs',
    'initramfs.path',
    'kernel',
    'kernel.path',
    'numa.sgx_epc_sections',
    'pmem.mergeable',
    'serial.iommu',
    'sgx_epc',
    'sgx_epc.id',
    'sgx_epc.prefault',
    'sgx_epc.size',
    'tdx',
  ]);
});

test('a plain config is one for every release', () => {
  for (const { id } of CLOUD_HYPERVISOR_VERSIONS) {
    const image =
      Number.parseInt(id.slice(1)) < 26 && id.startsWith('v')
        ? { payload: undefined, kernel: { path: 'vmlinux' }, cmdline: { args: 'x' } }
        : {};
    const plain = config({
      ...image,
      disks: [{ path: 'disk.raw', id: 'disk0' }],
      net: [{ tap: 'tap0', mac: '02:00:00:00:00:01' }],
      serial: { mode: 'Tty' },
      console: { mode: 'Off' },
    });
    assert.deepEqual(saidOf('cloud-hypervisor', plain, id), [], id);
  }
});

for (const [what, sections, version, said] of [
  ['max_vcpus must be there', { cpus: { boot_vcpus: 1 } }, '', ['error missing-key {']],
  [
    '256 vCPUs',
    { cpus: { boot_vcpus: 256, max_vcpus: 256 } },
    'v39.0',
    ['error value 256', 'error value 256'],
  ],
  ['256 vCPUs since v48.0', { cpus: { boot_vcpus: 256, max_vcpus: 256 } }, 'v48.0', []],
  ['8193 vCPUs', { cpus: { boot_vcpus: 1, max_vcpus: 8193 } }, '', ['error vcpus 8193']],
  ['a size in a template', { memory: { size: '${SIZE}' } }, '', []],
  ['a size of 2 MiB', { memory: { size: 2 * MIB } }, '', []],
  [
    'a size that is no multiple of a page',
    { memory: { size: 512 * MIB + 1 } },
    'v34.0',
    ['error memory-alignment 536870913'],
  ],
  ['… which older releases did not check here', { memory: { size: 512 * MIB + 1 } }, 'v31.0', []],
  ['huge pages of the host’s size', { memory: { size: 3 * MIB, hugepages: true } }, '', []],
  ['zones without a size', { memory: { size: 0, zones: [ZONE] } }, '', []],
  ['no zones', { memory: { size: 0 } }, '', ['error memory-zones 0']],
  ['empty zones', { memory: { size: 0, zones: [] } }, '', ['error memory-zones 0']],
  ['null zones beside a size', { memory: { ...MEMORY, zones: null } }, '', []],
  [
    'a zone that ACPI cannot plug',
    { memory: { size: 0, zones: [{ ...ZONE, hotplug_size: 4096 }] } },
    '',
    ['error hotplug 4096'],
  ],
  ['memory that ACPI plugs', { memory: { ...MEMORY, hotplug_size: 4096 } }, '', []],
  ['nothing to plug', { memory: { ...MEMORY, hotplug_size: 0 } }, '', ['error hotplug 0']],
  [
    'more plugged than can be',
    { memory: { ...MEMORY, hotplug_method: 'VirtioMem', hotplug_size: 1, hotplugged_size: 2 } },
    '',
    ['error hotplug 2'],
  ],
  ['shared and mergeable before v52.0', { memory: { ...SHARED, mergeable: true } }, 'v48.0', []],
  ['no payload', { payload: undefined }, '', ['error payload {']],
  ['payload null', { payload: null }, '', ['error payload "payload"']],
  ['an empty payload', { payload: {} }, '', ['error payload "payload"']],
  ['igvm', { payload: { igvm: 'x' } }, '', []],
  ['kernel at the top level', { payload: undefined, kernel: { path: 'x' } }, '', ['error payload "kernel"']],
  ['kernel at the top level beside a payload', { kernel: { path: 'x' } }, '', ['warning version "kernel"']],
  ['… up to v27.0', { payload: undefined, kernel: { path: 'x' } }, 'v26.0', []],
  ['payload before it came', {}, 'v23.0', ['error payload {', 'warning version "payload"']],
  [
    'a command line for a firmware up to v47.0',
    { payload: { firmware: 'f', cmdline: 'x' } },
    'v39.0',
    ['error firmware-arguments "cmdline"'],
  ],
  [
    'a product of 4',
    {
      cpus: {
        ...CPUS,
        topology: { threads_per_core: 4, cores_per_die: 1, dies_per_package: 1, packages: 1 },
      },
    },
    'v48.0',
    ['error topology {"threads_per_core":4,"cores_per_die":1,"dies_per_package":1,"packages":1}'],
  ],
  ['both consoles on the terminal up to v37.0', { serial: { mode: 'Tty' } }, 'v34.0', ['error tty "Tty"']],
  ['the console on the terminal alone', { serial: { mode: 'Null' } }, '', []],
  [
    'a console as a socket',
    { console: { mode: 'Socket', socket: 's' } },
    '',
    ['error console-target "Socket"'],
  ],
  ['a serial port as a socket', { serial: { mode: 'Socket', socket: 's' } }, '', []],
  [
    'a mode of later releases',
    { serial: { mode: 'Socket', socket: 's' } },
    'v34.0',
    ['error version "Socket"', 'warning version "socket"'],
  ],
  ['a disk from nowhere', { disks: [{}] }, '', ['error disk-backend {']],
  ['a disk from a template', { disks: [{ vhost_user: '${VHOST}' }] }, '', []],
  [
    'a shared folder in huge pages',
    { memory: { ...MEMORY, hugepages: true }, fs: [{ tag: 'a', socket: 'b' }] },
    '',
    [],
  ],
  [
    '… which v26.0 does not take',
    { memory: { ...MEMORY, hugepages: true }, fs: [{ tag: 'a', socket: 'b' }] },
    'v26.0',
    ['error shared-memory {'],
  ],
  ['a device twice', { ...OLD, devices: [{ path: 'a' }, { path: 'a' }] }, 'v23.0', []],
  ['a device from nowhere', { devices: [{}] }, '', ['error device-path {']],
  ['a device from nowhere, before fd came', { devices: [{}] }, 'v52.0', ['error missing-key {']],
  ['4 queues of a network device', { net: [{ tap: 'a', num_queues: 4 }] }, '', []],
  ['6 queues of a network device', { net: [{ tap: 'a', num_queues: 6 }] }, '', ['error queues 6']],
  ['1 queue of a network device', { net: [{ tap: 'a', num_queues: 1 }] }, '', ['error queues 1']],
  [
    '2 queues for one vCPU by default',
    { cpus: undefined, disks: [{ path: 'a', num_queues: 2 }] },
    '',
    ['error queues 2'],
  ],
  ['100 entries before v53.0', { disks: [{ path: 'a', queue_size: 100 }] }, 'v52.0', []],
  ['a disk’s queue of 2', { disks: [{ path: 'a', queue_size: 2 }] }, '', ['error queue-size 2']],
  [
    'one name in two lists',
    { disks: [{ path: 'a', id: 'x' }], net: [{ tap: 'b', id: 'x' }] },
    '',
    ['error device-id "x"'],
  ],
  [
    '… before names were checked',
    { ...OLD, disks: [{ path: 'a', id: 'x' }], net: [{ tap: 'b', id: 'x' }] },
    'v23.0',
    [],
  ],
  ['a name of Cloud Hypervisor’s own', { disks: [{ path: 'a', id: '__x' }] }, '', ['error device-id "__x"']],
  ['a segment without a platform up to v52.0', { disks: [{ path: 'a', pci_segment: 1 }] }, 'v52.0', []],
  ['a segment without a platform', { disks: [{ path: 'a', pci_segment: 1 }] }, '', ['error pci-segment 1']],
  ['97 segments', { platform: { num_pci_segments: 97 } }, '', ['error value 97']],
  ['17 segments in v34.0', { platform: { num_pci_segments: 17 } }, 'v34.0', ['error value 17']],
  [
    'a vhost-user disk behind the IOMMU',
    { memory: SHARED, disks: [{ vhost_user: true, vhost_socket: 's', iommu: true }] },
    '',
    ['error iommu "iommu"'],
  ],
  ['context ID 1 up to v37.0', { vsock: { cid: 1, socket: 's' } }, 'v34.0', ['warning vsock-cid 1']],
  [
    'a balloon of the zones’ size',
    { memory: { size: 0, zones: [ZONE] }, balloon: { size: 512 * MIB } },
    '',
    ['error balloon-size 536870912'],
  ],
  ['a balloon before it was checked', { ...OLD, balloon: { size: 512 * MIB } }, 'v21.0', []],
  [
    'a node twice',
    {
      numa: [
        { guest_numa_id: 0, cpus: [0] },
        { guest_numa_id: 0, cpus: [1] },
      ],
    },
    '',
    ['error numa 0'],
  ],
  ['a node of nothing', { numa: [{ guest_numa_id: 0 }] }, '', ['error numa {']],
  ['… before that was checked', { numa: [{ guest_numa_id: 0 }] }, 'v48.0', []],
  [
    'a node without zones up to v35.0',
    { numa: [{ guest_numa_id: 0, cpus: [0] }] },
    'v28.0',
    ['error numa {'],
  ],
  [
    'memory that a template shares',
    { memory: { ...MEMORY, shared: '${SHARED}' }, fs: [{ tag: 'a', socket: 'b' }] },
    '',
    [],
  ],
  ['open taps up to v31.0', { net: [{ fds: [3] }] }, 'v31.0', []],
  ['no open taps', { net: [{ fds: [] }] }, '', []],
  ['an open device', { devices: [{ fd: 3 }] }, '', ['error fds 3']],
  ['no CPUs', { numa: [{ guest_numa_id: 0, cpus: [] }] }, '', ['error numa []']],
  [
    'a distance to nowhere',
    { numa: [{ guest_numa_id: 0, cpus: [0], distances: [{ destination: 1, distance: 20 }] }] },
    '',
    ['error numa 1'],
  ],
  [
    'segment 0 away from node 0',
    { numa: [{ guest_numa_id: 1, cpus: [0], pci_segments: [0] }] },
    '',
    ['error numa 0'],
  ],
  [
    'a group without limits',
    { rate_limit_groups: [{ id: 'a', rate_limiter_config: {} }] },
    '',
    ['error rate-limit {'],
  ],
  ['an address without a mask in v48.0', { net: [{ tap: 'a', ip: '10.0.0.1' }] }, 'v48.0', []],
  [
    'TSO without checksums',
    { net: [{ tap: 'a', offload_csum: false, offload_ufo: false }] },
    '',
    ['error net false'],
  ],
  [
    'no offloads at all',
    { net: [{ tap: 'a', offload_csum: false, offload_ufo: false, offload_tso: false }] },
    '',
    [],
  ],
  ['an MTU of 1279', { net: [{ tap: 'a', mtu: 1279 }] }, '', ['error net 1279']],
  ['a serial number of 20 bytes', { disks: [{ path: 'a', serial: 'a'.repeat(20) }] }, '', []],
  ['what vm.info of an older release writes', { serial: { mode: 'Null', file: null, iommu: false } }, '', []],
  [
    '… with an effect that is lost',
    { serial: { mode: 'Null', iommu: true } },
    '',
    ['warning version "iommu"'],
  ],
  ['the serial number under its older name', { platform: { serial_number: 'x' } }, 'v39.0', []],
  ['… and as an alias', { platform: { serial_number: 'x' } }, '', []],
] as const) {
  test(`${what}${version ? `, ${version}` : ''}`, () => {
    assert.deepEqual(saidOf('cloud-hypervisor', config(sections), version || undefined), said);
  });
}

for (const [what, sections, version, message] of [
  [
    'a key that went',
    { kernel: { path: 'x' } },
    'v53.0',
    /^Cloud Hypervisor v53\.0 has no `kernel`, which v26\.0 and earlier have: it ignores it /,
  ],
  [
    'a key that is to come',
    { landlock_enable: true },
    'v38.0',
    /^Cloud Hypervisor v38\.0 has no `landlock_enable`, which v48\.0 and later have: it ignores it /,
  ],
] as const) {
  test(`${what} is told by versions that have it, not by the release that brought it`, () => {
    const text = JSON.stringify(config(sections));
    const found = findingsOf('cloud-hypervisor', text, version);
    assert.match(found.find(({ code }) => code === 'cloud-hypervisor-version')!.message, message);
  });
}

test('a config that vm.info gives, or another program’s, is not judged as a request', () => {
  const info = { config: config({}), state: 'Running', memory_actual_size: 512 * MIB };
  assert.deepEqual(saidOf('cloud-hypervisor', info), []);
  const job = { driver: 'ch', config: { cpus: { boot_vcpus: 1 }, payload: { kernel: 'k' }, serial: 'tty' } };
  assert.deepEqual(saidOf('cloud-hypervisor', job), []);
  assert.deepEqual(saidOf('cloud-hypervisor', { vm_config: config({}) }), ['warning wrapper "vm_config"']);
});

test('a description of an API that has such names is no config', () => {
  const text =
    '{"swagger": "2.0", "definitions": {"CpusConfig": {"properties": {"boot_vcpus": {"type": "integer"}}}}}';
  assert.equal(cloudHypervisor.recognise(text, 'swagger.json'), false);
  const named =
    '{"$schema": "vm.schema.json", "cpus": {"boot_vcpus": 1, "max_vcpus": 1}, "payload": {"kernel": "k"}}';
  assert.equal(cloudHypervisor.recognise(named, 'vm.json'), true);
  assert.deepEqual(saidOf('cloud-hypervisor', named), []);
});

for (const [code, before, after] of [
  ['size-text', '"memory": {"size": "512M"}', '"memory": {"size": 536870912}'],
  ['size-text', '"memory": {"size": "1GiB"}', '"memory": {"size": 1073741824}'],
  ['memory-tiny', '"memory": {"size": 512}', '"memory": {"size": 536870912}'],
  ['memory-alignment', '"memory": {"size": 536870913}', '"memory": {"size": 536875008}'],
  ['vcpus', '"cpus": {"boot_vcpus": 2, "max_vcpus": 1}', '"cpus": {"boot_vcpus": 2, "max_vcpus": 2}'],
  ['value', '"serial": {"mode": "tty"}', '"serial": {"mode": "Tty"}'],
  [
    'unknown-key',
    '"disks": [{"path": "a", "read_only": true}]',
    '"disks": [{"path": "a", "readonly": true}]',
  ],
] as const) {
  test(`the fix of ${before}`, () => {
    const whole = (member: string) => `{"payload": {"kernel": "a"}, ${member}}`;
    assert.equal(fixed('cloud-hypervisor', whole(before), `cloud-hypervisor-${code}`), whole(after));
  });
}
