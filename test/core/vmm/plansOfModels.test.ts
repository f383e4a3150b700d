/**
 * Boot plans of the examples beside the models of their VMMs: what a plan says of the state before the first instruction is what
 * the model writes when it starts a kernel itself.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createCore } from '../../../server/emulator/core';
import { parseBootPlan } from '../../../server/src/boot-plan/document';
import { filesOf, planContents } from '../../../server/src/simulation/planContents';
import { PoweredMachine } from '../../../server/src/simulation/poweredMachine';
import type { PowerOptions } from '../../../server/src/simulation/powerOptions';
import { Recorder } from '../../../server/src/simulation/recorder';
import { SourceText } from '../../../server/src/text/sourceText';
import { vmmModel } from '../../../server/src/vmm/models';
import { elfFile } from '../../unit/simulation/elfFile';
import { noteBytes, noteFile, number } from '../../unit/image/noteFile';

const EXAMPLES = join(process.env.BOOTPATH_ROOT!, 'examples/boot-plans');
const ENTRY = 0x100000n;

const kernel = (bits: 32 | 64) => (bytes: Uint8Array) =>
  elfFile({ bits, entry: ENTRY, segments: [{ physical: ENTRY, virtual: ENTRY, bytes }] });

/** The plan, how a kernel of its bytes makes the VMM start it so, and versions of the VMM that do the same. */
const PLANS: readonly (readonly [string, (bytes: Uint8Array) => Uint8Array, readonly string[]])[] = [
  ['firecracker-64-bit-entry', kernel(64), ['main-2026-08', '1.0', '1.7']],
  ['firecracker-pvh-entry', pvhKernel, ['main-2026-08', '1.12']],
  ['vmd-elf64-entry-7.8', kernel(64), ['7.8']],
  ['vmd-i386-state-intel', kernel(32), ['7.8']],
  ['vmd-i386-state-amd', kernel(32), ['7.8']],
  ['vmd-elf-entry-unpaged', kernel(64), ['x86_vm-1.27', 'x86_vm-1.17']],
];

for (const [name, kernelOf, versions] of PLANS) {
  const uri = `file:///${name}.boot.toml`;
  const text = readFileSync(join(EXAMPLES, `${name}.boot.toml`), 'utf8');
  const { plan, machines, problems } = parseBootPlan(new SourceText(uri, text), { files: new Map() });
  const machine = machines[0]!;
  const model = vmmModel(plan.vmm.vmm)!;
  for (const version of versions) {
    test(`${name} is what ${model.name}@${version} writes`, () => {
      assert.deepEqual(problems, []);
      assert.deepEqual(filesOf(plan), []);
      const contents = planContents(plan, machine.regions, new Map());
      assert.ok('pieces' in contents);
      const [load] = plan.loads;
      assert.ok(load?.content.kind === 'bytes');
      const options: PowerOptions = {
        machine,
        model,
        version,
        firmware: null,
        kernel: kernelOf(load.content.bytes),
        taps: [],
        passOver: false,
        ...(plan.cpu?.vendor ? { cpu: { vendor: plan.cpu.vendor, added: [], removed: [] } } : {}),
        createCore,
      };
      const own = new PoweredMachine({ ...options, plan: contents }, new Recorder());
      const written = new PoweredMachine(options, new Recorder());
      assert.deepEqual([own.problem, written.problem], [null, null]);
      assert.deepEqual(own.core.state(0), written.core.state(0));
      assert.ok(plan.structures.length > 0);
      const parts = [
        ...plan.structures.map(({ what, address, bytes }) => ({ what, address, size: bytes.length })),
        { what: 'code', address: ENTRY, size: load.content.bytes.length },
      ];
      for (const { what, address, size } of parts) {
        const hex = ({ core }: PoweredMachine) => Buffer.from(core.read(address, size)!).toString('hex');
        assert.ok(hex(own) === hex(written), `${what} at 0x${address.toString(16)}`);
      }
    });
  }
}

/** With a note of the type XEN_ELFNOTE_PHYS32_ENTRY, 18 (Xen, public/elfnote.h). */
function pvhKernel(code: Uint8Array): Uint8Array {
  return noteFile(noteBytes([{ owner: 'Xen', type: 18, descriptor: number(ENTRY, 4) }]), { code });
}
