/** Guests of more than one vCPU, as other VMMs' configs have them, under the vmd of before it had local APICs. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { bootVmd } from './bootVmd';

const REFUSAL = /the refusal of 4 vCPUs: vmm\(4\) of that time creates VMs of one alone/;

for (const [version, told] of [
  ['7.8', true],
  ['x86_vm-1.24', false],
] as const) {
  test(`vmd@${version}: that four vCPUs are refused is ${told ? 'told' : 'not said'}`, () => {
    const { notModelled } = bootVmd(version, { probe: 'reset-i8042' }, '512M', 4);
    assert.equal(
      notModelled.some((line) => REFUSAL.test(line)),
      told,
    );
  });
}

test('a guest of one vCPU is told nothing of it', () => {
  const { notModelled } = bootVmd('7.8', { probe: 'reset-i8042' });
  assert.ok(!notModelled.some((line) => line.includes('vCPUs')));
});
