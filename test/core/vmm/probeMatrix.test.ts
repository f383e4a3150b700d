/** Every probe guest on every version of every VMM model; `npm run vmm:matrix` prints the same runs as a page. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { VMM_MODELS, vmmModel } from '../../../server/src/vmm/models';
import { runVersion, type Cell } from '../../vmm-matrix/matrix';

const runs = new Map<string, readonly Cell[]>();
for (const model of VMM_MODELS) {
  for (const version of model.versions) {
    const cells = runVersion(model, version);
    runs.set(`${model.name}@${version.id}`, cells);
    test(`${model.name}@${version.id}: no probe meets an exception that it does not expect, none runs for ever`, () => {
      const bad = cells.filter(({ text }) => /: fault$|^budget|^invalid-entry/.test(text));
      assert.deepEqual(
        bad.map(({ probe, text }) => `${probe}: ${text}`),
        [],
      );
    });
  }
}

/** The newest version where none is named. */
function cell(vmm: string, probe: string): string | undefined {
  const name = vmm.includes('@') ? vmm : `${vmm}@${vmmModel(vmm)!.versions.at(-1)!.id}`;
  return runs.get(name)?.find((found) => found.probe === probe)?.text;
}

for (const [vmm, probe, expected] of [
  // vmd answers 0xFE at port 0x64 and 6 at 0xCF9 from x86_vm.c rev 1.24 on; before, a triple fault alone restarts.
  ['vmd@7.8', 'reset-i8042', 'halted: still-running'],
  ['vmd@x86_vm-1.24', 'reset-i8042', 'reset'],
  ['vmd@x86_vm-1.24', 'reset-cf9', 'reset'],
  ['vmd@7.8', 'ap-start', 'halted: no-local-apic'],
  ['vmd', 'ap-start', 'halted: complete'],
  // libkrun takes the reset command for the end of the process, with status 0; Cloud Hypervisor restarts the guest.
  ['libkrun', 'reset-i8042', 'vmm-exit 0'],
  ['cloud-hypervisor', 'reset-i8042', 'reset'],
  // Nothing clears kvm_run's buffer in libkrun, nor in the other two before 1.16 and v53.0.
  ['firecracker@1.15', 'unanswered-read', 'halted: leftover'],
  ['firecracker', 'unanswered-read', 'halted: zero'],
  ['cloud-hypervisor@v52.0', 'unanswered-read', 'halted: leftover'],
  ['cloud-hypervisor', 'unanswered-read', 'halted: all-ones'],
  ['libkrun@1.8.0', 'unanswered-read', 'halted: leftover'],
  ['libkrun', 'unanswered-read', 'halted: leftover'],
  // Kernel starters have no firmware to go through.
  ['cloud-hypervisor', 'reset-bios', 'no firmware'],
  ['vmd', 'reset-bios', 'halted: restarted'],
] as const) {
  test(`${vmm}: ${probe} ends as ${expected}`, () => assert.equal(cell(vmm, probe), expected));
}
