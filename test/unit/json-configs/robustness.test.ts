/** Any damage to a config: no exception, every finding inside the text, and no time that grows with the square of its length. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { findingsOf, type Vmm } from './read';

const TEXTS: Readonly<Record<Vmm, string>> = {
  firecracker: `{
  "boot-source": {"kernel_image_path": "vmlinux", "boot_args": "root=/dev/sda"},
  "drives": [{"drive_id": "a", "is_root_device": true, "path_on_host": "a", "rate_limiter": {"ops": {"size": 0, "refill_time": 1}}}],
  "machine-config": {"vcpu_count": 3, "mem_size_mib": 513, "smt": true, "huge_pages": "2M"},
  "network-interfaces": [{"iface_id": "eth0", "host_dev_name": "tap0", "guest_mac": "01:00:00:00:00:00"}],
  "vsock": {"guest_cid": 2, "uds_path": "v"},
  "balloon": {"amount_mib": 4000, "deflate_on_oom": true},
  "memory-hotplug": {"total_size_mib": 1},
  "mmds-config": {"network_interfaces": ["eth1"], "ipv4_address": "1.2.3.4"}
}`,
  'cloud-hypervisor': `{
  "cpus": {"boot_vcpus": 2, "max_vcpus": 1, "topology": {"threads_per_core": 0, "cores_per_die": 1, "dies_per_package": 1, "packages": 1}},
  "memory": {"size": 512, "hotplugged_size": 1, "zones": [{"id": "a", "size": 1}]},
  "payload": {"kernel": "k", "firmware": "f"},
  "disks": [{"path": "a", "vhost_socket": "b", "id": "x", "num_queues": 9}, {"id": "x"}],
  "net": [{"ip": "10.0.0.1", "mac": "01:00:00:00:00:00", "mtu": 1, "num_queues": 1}],
  "platform": {"num_pci_segments": 2, "iommu_segments": [1, 7]},
  "numa": [{"guest_numa_id": 0, "memory_zones": ["b"], "distances": [{"destination": 3}]}],
  "serial": {"mode": "Tty"}
}`,
};

for (const [vmm, text] of Object.entries(TEXTS) as [Vmm, string][]) {
  test(`${vmm}: any damage is read without an exception, and findings stay inside the text`, () => {
    const damage = fc.tuple(
      fc.nat(text.length),
      fc.nat(30),
      fc.constantFrom(
        '',
        '\0',
        '"',
        '[',
        ']',
        '{',
        '}',
        ':',
        ',',
        'null',
        '${X}',
        '{{',
        '-1',
        '99999999999999999999',
        '1e400',
      ),
    );
    fc.assert(
      fc.property(fc.array(damage, { maxLength: 3 }), (cuts) => {
        let damaged = text;
        for (const [at, cut, inserted] of cuts)
          damaged = damaged.slice(0, at) + inserted + damaged.slice(at + cut);
        const lines = damaged.split('\n');
        for (const { at, related = [] } of findingsOf(vmm, damaged)) {
          for (const place of [at, ...related.map((each) => each.at)]) {
            if (!place) continue;
            const { start, end } = place.range;
            assert.ok(start.line <= end.line && end.line < lines.length);
            assert.ok(
              start.character <= lines[start.line]!.length && end.character <= lines[end.line]!.length,
            );
          }
        }
      }),
      { numRuns: 400 },
    );
  });
}

test('many devices take time that is in proportion', () => {
  const list = (count: number, item: (index: number) => object) =>
    Array.from({ length: count }, (_, index) => item(index));
  const milliseconds = (count: number): number => {
    const firecracker = JSON.stringify({
      'boot-source': { kernel_image_path: 'a' },
      drives: list(count, (index) => ({
        drive_id: `d${index}`,
        path_on_host: `p${index}`,
        is_root_device: false,
      })),
      'network-interfaces': list(count, (index) => ({ iface_id: `e${index}`, host_dev_name: `t${index}` })),
      'mmds-config': { network_interfaces: Array.from({ length: count }, (_, index) => `e${index}`) },
    });
    const cloudHypervisor = JSON.stringify({
      cpus: { boot_vcpus: 1, max_vcpus: 1 },
      disks: list(count, (index) => ({ path: `p${index}`, id: `d${index}`, rate_limit_group: `g${index}` })),
      rate_limit_groups: list(count, (index) => ({ id: `g${index}`, rate_limiter_config: {} })),
      numa: list(count, (index) => ({ guest_numa_id: index, memory_zones: [`z${index}`] })),
      memory: { size: 0, zones: list(count, (index) => ({ id: `z${index}`, size: 4096 })) },
    });
    const before = process.cpuUsage().user;
    findingsOf('firecracker', firecracker);
    findingsOf('cloud-hypervisor', cloudHypervisor);
    return (process.cpuUsage().user - before) / 1000;
  };
  milliseconds(500);
  const [few, many] = [milliseconds(1000), milliseconds(8000)];
  assert.ok(many < 40 * Math.max(few, 10), `1000: ${few} ms, 8000: ${many} ms`);
});
