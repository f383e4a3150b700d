/** What the rules on Firecracker configs must say, and what they must not; facts by the release that is read. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { firecrackerShape } from '../../../server/src/vmm/firecracker/shape';
import { FIRECRACKER_VERSIONS } from '../../../server/src/vmm/firecracker/versions';
import { firecracker } from '../../../server/src/vmm/firecracker/language';
import { fixed, saidOf } from './read';
import { keysOf, pathsOf } from './shapePaths';

const BOOT = { kernel_image_path: 'vmlinux' };
const ROOT = { drive_id: 'rootfs', path_on_host: 'rootfs.ext4', is_root_device: true, is_read_only: false };
const NET = { iface_id: 'eth0', host_dev_name: 'tap0' };
const MACHINE = { vcpu_count: 2, mem_size_mib: 512 };
const config = (sections: object) => ({
  'boot-source': BOOT,
  drives: [],
  'machine-config': MACHINE,
  ...sections,
});
test('a key that was probably meant is no fix where it is there already, or takes no such value', () => {
  for (const [sections, fix] of [
    [{ network_interfaces: [] }, '"network-interfaces"'],
    [{ network_interfaces: null }, null],
    [{ network_interfaces: [], 'network-interfaces': [NET] }, null],
  ] as const) {
    const result = fixed('firecracker', JSON.stringify(config(sections)), 'firecracker-unknown-key');
    assert.equal(result?.match(/"network[-_]interfaces"/)?.[0] ?? null, fix, JSON.stringify(sections));
  }
});

const bucket = { size: 1000, one_time_burst: 10, refill_time: 100 };
const limiter = { bandwidth: bucket, ops: bucket };

/** Every key that the newest release has, but for gdb's, which plain builds refuse. */
const EVERYTHING = config({
  'boot-source': { ...BOOT, initrd_path: 'initrd', boot_args: 'console=ttyS0 reboot=k panic=1' },
  drives: [
    { ...ROOT, partuuid: '0eaa91a0-01', cache_type: 'Writeback', rate_limiter: limiter, io_engine: 'Async' },
    { drive_id: 'data', is_root_device: false, socket: '/run/blk.sock' },
  ],
  'machine-config': {
    ...MACHINE,
    smt: true,
    cpu_template: null,
    track_dirty_pages: true,
    huge_pages: 'Transparent',
  },
  'cpu-config': {
    kvm_capabilities: ['!56', '171'],
    cpuid_modifiers: [
      {
        leaf: '0x1',
        subleaf: '0x0',
        flags: 0,
        modifiers: [{ register: 'ecx', bitmap: '0bxxxx_0001' }],
      },
    ],
    msr_modifiers: [{ addr: '0x10a', bitmap: '0b00x1' }],
    reg_modifiers: [],
    vcpu_features: [],
  },
  'network-interfaces': [
    {
      ...NET,
      guest_mac: '06:00:AC:10:00:02',
      mtu: 1500,
      rx_rate_limiter: limiter,
      tx_rate_limiter: limiter,
    },
  ],
  vsock: { guest_cid: 3, uds_path: 'v.sock', vsock_id: null },
  balloon: {
    amount_mib: 512,
    deflate_on_oom: true,
    stats_polling_interval_s: 1,
    free_page_hinting: true,
    free_page_reporting: true,
  },
  entropy: { rate_limiter: limiter },
  pmem: [{ id: 'pmem0', path_on_host: 'pmem.img', root_device: false, read_only: true, rate_limiter: null }],
  'memory-hotplug': { total_size_mib: 1024, block_size_mib: 4, slot_size_mib: 256 },
  logger: { log_path: 'fc.log', level: 'WARNING', show_level: true, show_log_origin: false, module: 'vmm' },
  metrics: { metrics_path: 'fc.metrics', emit_id: true, properties: { host: 'a' } },
  'mmds-config': {
    network_interfaces: ['eth0'],
    version: 'V2',
    ipv4_address: '169.254.170.2',
    imds_compat: true,
  },
});

test('a config with every key gives no finding', () => {
  assert.deepEqual(saidOf('firecracker', EVERYTHING), []);
});

test('the shape has every key of that config and no other', () => {
  const shape = firecrackerShape('main-2026-08');
  const notWritten = [...pathsOf(shape)].filter((path) => !keysOf(EVERYTHING).has(path)).sort();
  // Below modifiers of aarch64 nothing is written above.
  assert.deepEqual(notWritten, [
    'cpu-config.reg_modifiers.addr',
    'cpu-config.reg_modifiers.bitmap',
    'cpu-config.vcpu_features.bitmap',
    'cpu-config.vcpu_features.index',
    'machine-config.gdb_socket_path',
    'pmem.rate_limiter.bandwidth',
    'pmem.rate_limiter.bandwidth.one_time_burst',
    'pmem.rate_limiter.bandwidth.refill_time',
    'pmem.rate_limiter.bandwidth.size',
    'pmem.rate_limiter.ops',
    'pmem.rate_limiter.ops.one_time_burst',
    'pmem.rate_limiter.ops.refill_time',
    'pmem.rate_limiter.ops.size',
  ]);
});

test('a config as of 1.0 is one for every release', () => {
  const old = config({
    drives: [ROOT],
    'network-interfaces': [{ ...NET, guest_mac: null }],
    logger: { log_path: 'fc.log', level: 'Info' },
  });
  for (const { id } of FIRECRACKER_VERSIONS) assert.deepEqual(saidOf('firecracker', old, id), [], id);
});

for (const [what, sections, version, said] of [
  ['vCPUs may be left out in 1.0', { 'machine-config': { mem_size_mib: 512 } }, '1.0', []],
  ['… and not in 1.1', { 'machine-config': { mem_size_mib: 512 } }, '1.1', ['error missing-key {']],
  ['32 vCPUs are the most', { 'machine-config': { ...MACHINE, vcpu_count: 33 } }, '', ['error value 33']],
  ['no memory', { 'machine-config': { ...MACHINE, mem_size_mib: 0 } }, '', ['error value 0']],
  [
    'a template is no value of a wrong kind',
    { 'machine-config': { vcpu_count: '${VCPUS}', mem_size_mib: '{{ mem }}' } },
    '',
    [],
  ],
  [
    'null where there is no Option',
    { drives: [{ ...ROOT, is_read_only: null }] },
    '1.5',
    ['error wrong-type null'],
  ],
  ['… and where there is', { drives: [{ ...ROOT, is_read_only: null }] }, '1.6', []],
  ['one vCPU with SMT', { 'machine-config': { ...MACHINE, vcpu_count: 1, smt: true } }, '', []],
  ['an even number with SMT', { 'machine-config': { ...MACHINE, smt: true } }, '', []],
  [
    'transparent huge pages before they came',
    { 'machine-config': { ...MACHINE, huge_pages: 'Transparent' } },
    '1.16',
    ['error version "Transparent"'],
  ],
  [
    'huge pages and a balloon up to 1.13',
    { 'machine-config': { ...MACHINE, huge_pages: '2M' }, balloon: { amount_mib: 1, deflate_on_oom: false } },
    '1.13',
    ['error huge-pages "2M"'],
  ],
  [
    '… and since 1.14',
    { 'machine-config': { ...MACHINE, huge_pages: '2M' }, balloon: { amount_mib: 1, deflate_on_oom: false } },
    '1.14',
    [],
  ],
  [
    'huge pages and an initial RAM disk up to 1.10',
    { 'boot-source': { ...BOOT, initrd_path: 'x' }, 'machine-config': { ...MACHINE, huge_pages: '2M' } },
    '1.10',
    ['error huge-pages "2M"'],
  ],
  [
    'the root device a second time under its name replaces it',
    { drives: [ROOT, { ...ROOT, path_on_host: 'b' }] },
    '',
    ['warning duplicate-id "rootfs"'],
  ],
  [
    'a root device that a later drive of its name replaces leaves room for another',
    {
      drives: [
        ROOT,
        { ...ROOT, is_root_device: false, path_on_host: 'b' },
        { ...ROOT, drive_id: 'c', path_on_host: 'c' },
      ],
    },
    '',
    ['warning duplicate-id "rootfs"'],
  ],
  [
    'a drive and a pmem device as root',
    { drives: [ROOT], pmem: [{ id: 'rootfs', path_on_host: 'p', root_device: true }] },
    '',
    ['error root-device true'],
  ],
  [
    'a drive and a pmem device of one name',
    { drives: [ROOT], pmem: [{ id: 'rootfs', path_on_host: 'p' }] },
    '',
    [],
  ],
  [
    'neither file nor socket',
    { drives: [{ drive_id: 'a', is_root_device: false }] },
    '',
    ['error drive-backend {'],
  ],
  [
    'both',
    { drives: [{ drive_id: 'a', is_root_device: false, path_on_host: 'a', socket: 'b' }] },
    '',
    ['error drive-backend "socket"'],
  ],
  [
    'a null is no path',
    { drives: [{ drive_id: 'a', is_root_device: false, path_on_host: null, socket: 'b' }] },
    '',
    [],
  ],
  [
    'an interface twice',
    { 'network-interfaces': [NET, { ...NET, host_dev_name: 'tap1' }] },
    '',
    ['warning duplicate-id "eth0"'],
  ],
  [
    'one MAC address under one name is an update',
    {
      'network-interfaces': [
        { ...NET, guest_mac: '02:00:00:00:00:01' },
        { ...NET, host_dev_name: 'tap1', guest_mac: '02:00:00:00:00:01' },
      ],
    },
    '',
    ['warning duplicate-id "eth0"'],
  ],
  [
    'an address that an update has freed',
    {
      'network-interfaces': [
        { ...NET, guest_mac: '02:00:00:00:00:01' },
        { ...NET, guest_mac: '02:00:00:00:00:02' },
        { iface_id: 'eth1', host_dev_name: 'tap1', guest_mac: '02:00:00:00:00:01' },
      ],
    },
    '',
    ['warning duplicate-id "eth0"'],
  ],
  [
    'a MAC address that is none',
    { 'network-interfaces': [{ ...NET, guest_mac: '02-00-00-00-00-01' }] },
    '',
    ['error value "02-00-00-00-00-01"'],
  ],
  ['a MAC address to be filled in', { 'network-interfaces': [{ ...NET, guest_mac: '$MAC' }] }, '', []],
  ['a tap of 15 bytes', { 'network-interfaces': [{ ...NET, host_dev_name: 'firecracker-tap' }] }, '', []],
  [
    'taps that the kernel numbers',
    {
      'network-interfaces': [
        { iface_id: 'a', host_dev_name: 'tap%d' },
        { iface_id: 'b', host_dev_name: 'tap%d' },
      ],
    },
    '',
    [],
  ],
  ['context ID 3', { vsock: { guest_cid: 3, uds_path: 'v' } }, '', []],
  [
    'context ID 0xffffffff',
    { vsock: { guest_cid: 4294967295, uds_path: 'v' } },
    '',
    ['warning vsock-cid 4294967295'],
  ],
  [
    'context ID beyond 32 bits',
    { vsock: { guest_cid: 4294967296, uds_path: 'v' } },
    '',
    ['error value 4294967296'],
  ],
  ['a socket of 107 bytes', { vsock: { guest_cid: 3, uds_path: 'a'.repeat(107) } }, '', []],
  [
    'a socket of 108 bytes',
    { vsock: { guest_cid: 3, uds_path: 'ä'.repeat(54) } },
    '',
    [`error socket-path "${'ä'.repeat(54)}"`],
  ],
  ['a balloon as large as memory', { balloon: { amount_mib: 512, deflate_on_oom: true } }, '', []],
  [
    'a balloon larger than the default',
    { 'machine-config': null, balloon: { amount_mib: 129, deflate_on_oom: true } },
    '',
    ['information default-machine {', 'error balloon-size 129'],
  ],
  [
    'a metadata interface of a name that is filled in',
    { 'network-interfaces': [{ ...NET, iface_id: '$ID' }], 'mmds-config': { network_interfaces: ['eth0'] } },
    '',
    [],
  ],
  [
    'no metadata interface',
    { 'network-interfaces': [NET], 'mmds-config': { network_interfaces: [] } },
    '',
    ['error mmds-interface []'],
  ],
  [
    'a block that is no power of two',
    { 'memory-hotplug': { total_size_mib: 1024, block_size_mib: 3 } },
    '',
    ['error memory-hotplug 3'],
  ],
  [
    'a slot too small',
    { 'memory-hotplug': { total_size_mib: 1024, slot_size_mib: 64 } },
    '',
    ['error memory-hotplug 64'],
  ],
  ['less than a slot', { 'memory-hotplug': { total_size_mib: 64 } }, '', ['error memory-hotplug 64']],
  [
    'no such device in 1.13',
    { 'memory-hotplug': { total_size_mib: 64 } },
    '1.13',
    ['warning version "memory-hotplug"'],
  ],
  ['no limit by two zeros', { entropy: { rate_limiter: { ops: { size: 0, refill_time: 0 } } } }, '', []],
  [
    'an unknown key of a token bucket',
    { entropy: { rate_limiter: { ops: { ...bucket, burst: 1 } } } },
    '',
    ['warning unknown-key "burst"'],
  ],
  [
    'an unknown key of a limiter',
    { entropy: { rate_limiter: { opps: bucket } } },
    '',
    ['error unknown-key "opps"'],
  ],
  ['the same root=', { 'boot-source': { ...BOOT, boot_args: 'root=/dev/vda rw' }, drives: [ROOT] }, '', []],
  [
    'root= behind --, which is init’s',
    { 'boot-source': { ...BOOT, boot_args: 'quiet -- root=/dev/x' }, drives: [ROOT] },
    '',
    [],
  ],
  [
    'root= by partition where it is added',
    { 'boot-source': { ...BOOT, boot_args: 'root=PARTUUID=AB' }, drives: [{ ...ROOT, partuuid: 'ab' }] },
    '',
    [],
  ],
  ['arguments that fit', { 'boot-source': { ...BOOT, boot_args: 'a'.repeat(2039) } }, '', []],
  [
    'arguments that pci=off makes too long',
    { 'boot-source': { ...BOOT, boot_args: 'a'.repeat(2040) } },
    '',
    [`error command-line-length "${'a'.repeat(2040)}"`],
  ],
  ['… which 1.12 does not add', { 'boot-source': { ...BOOT, boot_args: 'a'.repeat(2040) } }, '1.12', []],
  ['a path for cpu-config', { 'cpu-config': 'cpu.json' }, '1.12', []],
  ['an object for it before 1.13', { 'cpu-config': {} }, '1.12', ['error wrong-type {}']],
  ['a level of 1.4', { logger: { log_path: 'a', level: 'trace' } }, '1.4', ['error value "trace"']],
  ['no log_path in 1.4', { logger: { level: 'info' } }, '1.4', ['error missing-key {']],
  [
    'two drives that read one file',
    {
      drives: [
        { ...ROOT, is_read_only: true },
        { ...ROOT, drive_id: 'b', is_root_device: false, is_read_only: true },
      ],
    },
    '',
    [],
  ],
  ['serial', { serial: {} }, '', ['warning api-only-key "serial"']],
  ['comments where keys are ignored', { _comment: 'x', '//': 'y', '#': 'z' }, '', []],
  [
    '16 TiB of memory',
    { 'machine-config': { ...MACHINE, mem_size_mib: 16777216 } },
    '',
    ['warning memory-unit 16777216'],
  ],
  ['8 TiB of memory', { 'machine-config': { ...MACHINE, mem_size_mib: 8388608 } }, '', []],
] as const) {
  test(`${what}${version ? `, ${version}` : ''}`, () => {
    assert.deepEqual(saidOf('firecracker', config(sections), version || undefined), said);
  });
}

test('what stands twice is refused, but not where nobody reads it', () => {
  const text =
    '{"boot-source": {"kernel_image_path": "a"}, "drives": [], "drives": [], "x": 1, "x": 2, "machine-config": null}';
  assert.deepEqual(saidOf('firecracker', text), [
    'information default-machine {',
    'error duplicate-key "drives"',
    'warning unknown-key "x"',
  ]);
  const properties =
    '{"boot-source": {"kernel_image_path": "a"}, "drives": [], "machine-config": {"vcpu_count": 1, "mem_size_mib": 1}, "metrics": {"metrics_path": "m", "properties": {"a": "1", "a": "2"}}}';
  assert.deepEqual(saidOf('firecracker', properties), []);
});

test('requests to the API and settings of other programs are not judged as configs', () => {
  const request = '{"kernel_image_path": "vmlinux", "boot_args": "console=ttyS0"}';
  const runtime =
    '{"firecracker_binary_path": "/bin/fc", "kernel_image_path": "vmlinux", "log_levels": ["info"]}';
  for (const text of [request, runtime]) {
    assert.equal(firecracker.recognise(text, 'x.json'), false);
    assert.deepEqual(saidOf('firecracker', text), []);
  }
  const misspelt = '{"boot_source": {"kernel_image_path": "vmlinux"}, "drives": []}';
  assert.equal(firecracker.recognise(misspelt, 'x.json'), true);
  assert.deepEqual(saidOf('firecracker', misspelt), [
    'error missing-key {',
    'warning unknown-key "boot_source"',
  ]);
});

test('a text that is no JSON yet is not said to lack keys', () => {
  assert.deepEqual(saidOf('firecracker', '{"boot-source": {"kernel_image'), []);
});

for (const [code, before, after] of [
  ['firecracker-unknown-key', '"network_interfaces": []', '"network-interfaces": []'],
  [
    'firecracker-former-key',
    '"machine-config": {"vcpu_count": 1, "mem_size_mib": 2, "ht_enabled": false}',
    '"machine-config": {"vcpu_count": 1, "mem_size_mib": 2, "smt": false}',
  ],
  [
    'firecracker-memory-unit',
    '"machine-config": {"vcpu_count": 1, "mem_size_mib": 268435456}',
    '"machine-config": {"vcpu_count": 1, "mem_size_mib": 256}',
  ],
  [
    'firecracker-mac-multicast',
    '"network-interfaces": [{"iface_id": "a", "host_dev_name": "b", "guest_mac": "07:00:00:00:00:01"}]',
    '"network-interfaces": [{"iface_id": "a", "host_dev_name": "b", "guest_mac": "06:00:00:00:00:01"}]',
  ],
  [
    'firecracker-mmds-interface',
    '"network-interfaces": [{"iface_id": "eth0", "host_dev_name": "b"}], "mmds-config": {"network_interfaces": ["eth1"]}',
    '"network-interfaces": [{"iface_id": "eth0", "host_dev_name": "b"}], "mmds-config": {"network_interfaces": ["eth0"]}',
  ],
] as const) {
  test(`the fix of ${code}`, () => {
    const whole = (member: string) => `{"boot-source": {"kernel_image_path": "a"}, "drives": [], ${member}}`;
    assert.equal(fixed('firecracker', whole(before), code), whole(after));
  });
}
