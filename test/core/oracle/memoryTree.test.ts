/**
 * What Bootpath makes of QEMU's `info mtree`, held against QEMU's own `info mtree -f` of the same stopped machine: every
 * span of every address space of a CPU, with its name, its offset and what it is.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatRange } from '../../../server/src/address/format';
import { runChecks } from '../../../server/src/checks/catalogue';
import type { Machine } from '../../../server/src/machine/machine';
import { memmap } from '../../../server/src/memory-map/language';
import { SourceText } from '../../../server/src/text/sourceText';
import { askMonitor } from './qemuMonitor';
import { missingTools } from './tools';

/** Devices of all kinds: BARs in containers, ROMs, MSI-X tables, bridges, memory that is plugged, ports. */
const DEVICES = [
  ['-device', 'virtio-net-pci'],
  ['-device', 'virtio-gpu-pci'],
  ['-device', 'nvme,serial=a'],
  ['-device', 'qemu-xhci'],
  ['-device', 'ich9-ahci'],
  ['-device', 'e1000'],
  ['-device', 'ivshmem-plain,memdev=shared'],
  ['-object', 'memory-backend-ram,id=shared,size=1M'],
  ['-device', 'pci-bridge,id=bridge,chassis_nr=1'],
  ['-device', 'rtl8139,bus=bridge,addr=1'],
].flat();

const MACHINES: Readonly<Record<string, readonly string[]>> = {
  'a PC of 1996': ['-M', 'pc', '-m', '256'],
  'a PC of 1996 with 5 GiB': ['-M', 'pc', '-m', '5G', '-smp', '3'],
  'an ISA PC': ['-M', 'isapc', '-m', '64'],
  'a Q35 with 3 GiB': ['-M', 'q35', '-m', '3G', '-smp', '2'],
  'a Q35 without SMM': ['-M', 'q35,smm=off', '-m', '512'],
  'a Q35 with devices': ['-M', 'q35', '-m', '1G', ...DEVICES],
  'a PC of 1996 with devices': ['-M', 'pc', '-m', '1G', ...DEVICES],
  'plugged memory': [
    ...['-M', 'pc', '-m', '512M,slots=4,maxmem=8G'],
    ...['-object', 'memory-backend-ram,id=dimm,size=1G', '-device', 'pc-dimm,memdev=dimm'],
  ],
  'two nodes of memory': [
    ...['-M', 'q35', '-m', '4G', '-smp', '2'],
    ...['-object', 'memory-backend-ram,id=low,size=1G', '-numa', 'node,memdev=low'],
    ...['-object', 'memory-backend-ram,id=high,size=3G', '-numa', 'node,memdev=high'],
  ],
  'a micro machine': ['-M', 'microvm', '-m', '128'],
  'several displays': ['-M', 'q35', '-vga', 'none', '-device', 'bochs-display', '-device', 'secondary-vga'],
  'an IOMMU': ['-M', 'q35', '-device', 'intel-iommu', '-device', 'e1000e'],
};

const rowsOf = ({ regions }: Machine): string[] =>
  regions.map(
    ({ range, name, kind, permissions, backingOffset }) =>
      `${formatRange(range)} ${name} ${kind} ${permissions} ${backingOffset ?? 0n}`,
  );

for (const [name, machine] of Object.entries(MACHINES))
  for (const run of [false, true])
    test(
      `${name}, ${run ? 'after its firmware' : 'before its first instruction'}: the tree makes what QEMU shows`,
      { skip: missingTools('qemu-system-x86_64') },
      async () => {
        const text = await askMonitor(machine, ['info mtree', 'info mtree -f'], run ? 1000 : 0);
        const document = memmap.parse(new SourceText('file:///monitor.txt', text), { files: new Map() });
        const { machines, problems } = document;
        assert.deepEqual(problems, [], text.slice(0, 500));
        const own = machines.filter(({ producer }) => producer === 'QEMU info mtree');
        const shown = machines.filter(({ producer }) => producer === 'QEMU info mtree -f');
        assert.ok(
          own.some((made) => made.name === 'QEMU memory'),
          text.slice(0, 500),
        );
        for (const view of shown) {
          const made = own.find((tree) => `${tree.name} (flat view)` === view.name);
          assert.ok(made, `${view.name} among ${own.map((tree) => tree.name).join(', ')}`);
          assert.deepEqual(rowsOf(made), rowsOf(view), view.name);
        }
        assert.equal(own.length, shown.length);
        // What QEMU runs is in order.
        assert.deepEqual(runChecks(document), []);
      },
    );
