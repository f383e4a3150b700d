/** What a model says of a machine's start is what it writes: its boot state against a core that it has powered on. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { Core, CoreOptions } from '../../../server/emulator/face';
import type { BootState } from '../../../server/src/machine/bootState';
import type { Machine } from '../../../server/src/machine/machine';
import { simulate } from '../../../server/src/simulation/simulate';
import { VMM_MODELS, vmmModel } from '../../../server/src/vmm/models';
import { mappedRanges } from '../../../server/src/x86/pageWalk';
import { linuxFile } from '../image/linuxFile';
import { elfFile } from '../simulation/elfFile';
import { ScriptedCore } from '../simulation/scriptedCore';
import { vmdMachine } from '../simulation/vmdMachine';
import { bhyveMachine } from './bhyveMachine';
import { PVH_KERNEL, sized } from './cloudHypervisorGuest';
import { firecrackerMachine } from './firecrackerMachine';
import { libkrunMachine } from './libkrunMachine';

interface Images {
  readonly kernel?: Uint8Array;
  readonly firmware?: Uint8Array;
}

const elfAt = (entry: bigint): Uint8Array =>
  elfFile({ entry, segments: [{ physical: entry, virtual: entry, bytes: new Uint8Array(16).fill(0xf4) }] });

interface Powered {
  readonly core: ScriptedCore;
  /** `address:length` of every write before the first instruction. */
  readonly writes: ReadonlySet<string>;
}

function powered(machine: Machine, { kernel, firmware }: Images): Powered {
  let core: ScriptedCore | null = null;
  const writes = new Set<string>();
  const model = vmmModel(machine.vmm!)!;
  const report = simulate(
    machine,
    model,
    machine.version!,
    {
      machine: null,
      firmware: firmware ?? null,
      kernel: kernel ?? null,
      probe: null,
      taps: [],
      maxInstructions: 1000,
      reboots: 0,
    },
    {
      createCore: (options: CoreOptions): Core => {
        const made = new ScriptedCore(options, function* () {});
        const write = made.write.bind(made);
        made.write = (at, bytes) => {
          writes.add(`${at}:${bytes.length}`);
          return write(at, bytes);
        };
        core = made;
        return made;
      },
      cancelled: () => false,
      progress: () => undefined,
    },
  );
  assert.ok(core, report.reason);
  return { core, writes };
}

function stateOf(machine: Machine): BootState {
  const state = vmmModel(machine.vmm!)!.bootState!(machine, machine.version!);
  assert.ok(state);
  return state;
}

/** Every register, descriptor and mapping that the state names is as the core has it, and every structure is written so. */
function holds(machine: Machine, images: Images): BootState {
  const said = stateOf(machine);
  const { core, writes } = powered(machine, images);
  const real = core.state(0);
  for (const { index, state } of said.vcpus)
    for (const [name, value] of Object.entries(state))
      assert.deepEqual(value, core.state(index)[name as keyof typeof real], `${said.method}: ${name}`);
  const quad = (at: bigint) => new DataView(core.read(at, 8)!.slice().buffer).getBigUint64(0, true);
  for (const { base, entries, which } of said.tables)
    for (const { index, value } of entries)
      assert.equal(quad(base + BigInt(index) * 8n), value, `${which} entry ${index}`);
  const walked = mappedRanges(real, (address, length) => core.read(address, length));
  if (said.mappings.length > 0)
    assert.deepEqual(
      said.mappings.map(({ linear, physical, writable }) => ({ linear, physical, writable })),
      walked.map(({ linear, physical, writable }) => ({ linear, physical, writable })),
    );
  for (const { name, range } of said.structures.filter((one) => one.range.end > one.range.start))
    assert.ok(writes.has(`${range.start}:${range.end - range.start}`), `${name} is written so`);
  return said;
}

const names = ({ structures }: BootState) => structures.map(({ name }) => name);
const rom = new Uint8Array(0x10000).fill(0x90);

test('Firecracker before PVH: the 64-bit protocol with all its structures, tables and the first GiB mapped', () => {
  const said = holds(firecrackerMachine('1.4', 128n, 2), { kernel: elfAt(0x100000n) });
  assert.deepEqual(names(said), [
    'command line',
    'MP table',
    'GDT',
    'IDT',
    'PML4',
    'PDPT',
    'page directory',
    'zero page',
  ]);
  assert.deepEqual(
    said.mappings.map(({ linear }) => linear),
    [{ start: 0n, end: 1n << 30n }],
  );
  assert.equal(said.tables.find(({ which }) => which === 'gdt')!.entries.length, 4);
});

test('Firecracker with PVH: what both ways in have alike, and it holds for both', () => {
  for (const kernel of [elfAt(0x100000n), PVH_KERNEL]) {
    const said = holds(firecrackerMachine('1.15', 128n), { kernel });
    assert.ok(said.method.includes(', or PVH'), said.method);
    assert.ok(names(said).includes('GDT') && !names(said).includes('PML4'));
    assert.deepEqual([said.tables, said.mappings], [[], []]);
    assert.equal(said.vcpus[0]!.state.cr3, undefined);
  }
});

test('Cloud Hypervisor: PVH alone, PVH or a bzImage, and the three ways of v15.0', () => {
  const pvh = holds(sized('v16.0', 1n << 29n), { kernel: PVH_KERNEL });
  assert.equal(pvh.vcpus[0]!.state.cr0, 1n);
  assert.equal(pvh.tables.length, 2);
  for (const kernel of [PVH_KERNEL, linuxFile()]) holds(sized('v39.0', 1n << 29n, 2), { kernel });
  for (const kernel of [PVH_KERNEL, elfAt(0x100000n)]) holds(sized('v15.0', 1n << 29n), { kernel });
  holds(sized('v20.0', 1n << 29n), { kernel: PVH_KERNEL });
});

test('libkrun: the bundled kernel, an ELF kernel, and a raw one, whose entry is known', () => {
  holds(libkrunMachine({ version: '1.8.0' }), { kernel: elfAt(0x1000000n) });
  const elf = libkrunMachine({ settings: { 'krun_set_kernel.kernel_format': 'elf' }, images: ['kernel'] });
  for (const kernel of [PVH_KERNEL, elfAt(0x100000n)]) holds(elf, { kernel });
  const raw = libkrunMachine({
    memoryMib: 3000,
    settings: { 'krun_set_kernel.kernel_format': 'raw' },
    images: ['kernel'],
  });
  assert.equal(holds(raw, { kernel: new Uint8Array(64).fill(0xf4) }).vcpus[0]!.state.rip, 0x80000000n);
});

test('vmd starts its BIOS with the flat 16-bit set, from rev 1.19 with ACPI tables', () => {
  assert.deepEqual(names(holds(vmdMachine('7.8'), { firmware: rom })), []);
  const said = holds(vmdMachine('x86_vm-1.27'), { firmware: rom });
  assert.deepEqual(names(said), ['APIC', 'XSDT', 'RSDP', 'EBDA pointer']);
});

test('a boot file of vmd may be ELF64, ELF32 or a BIOS, so nothing is said of it', () => {
  const machine = vmdMachine('7.8', '512M', 'boot "/bsd"');
  assert.equal(vmmModel('vmd')!.bootState!(machine, '7.8'), null);
});

test('bhyve with a boot ROM starts at the reset vector; without one it does not say', () => {
  for (const version of ['freebsd-14', 'illumos-2025']) {
    const machine = bhyveMachine(version);
    const said = holds(machine, { firmware: rom });
    assert.equal(said.vcpus[0]!.state.rip, 0xfff0n);
  }
  const machine = { ...bhyveMachine('freebsd-14'), images: [] };
  assert.equal(vmmModel('bhyve')!.bootState!(machine, 'freebsd-14'), null);
});

test('every model but the plain PC says how its machines start', () => {
  for (const model of VMM_MODELS) assert.equal('bootState' in model, model.name !== 'pc', model.name);
});
