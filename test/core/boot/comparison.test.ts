/** Two boots of one guest, and the first access at which they part. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { createCore } from '../../../server/emulator/core';
import { compareBoots, type Boot } from '../../../server/src/simulation/comparison';
import type { SimulationRequest } from '../../../server/src/simulation/report';
import { vmmModel } from '../../../server/src/vmm/models';
import { underModel } from '../../../server/src/vmm/relayout';
import { vmdMachine } from '../../unit/simulation/vmdMachine';

function boot(vmm: string, version: string, asked: Partial<SimulationRequest>): Boot {
  const model = vmmModel(vmm)!;
  const request = {
    machine: null,
    firmware: null,
    kernel: null,
    probe: null,
    taps: [],
    reboots: 0,
    ...asked,
  };
  return {
    machine: underModel(vmdMachine('7.8', '512M'), model, version),
    model,
    version,
    request: { maxInstructions: 20_000_000, ...request },
  };
}

const host = { createCore, cancelled: () => false, progress: () => undefined };
const compare = (left: Boot, right: Boot) => compareBoots(left, right, host);

test('the same boot twice does not part', () => {
  const it = boot('vmd', '7.8', { probe: 'boot-path' });
  const { divergence, start, report } = compare(it, it);
  assert.equal(divergence, null);
  assert.deepEqual(start, []);
  assert.equal(report.outcome, 'halted');
});

test('a reset port that one version lacks: one run has ended where the other goes on', () => {
  const asked = { probe: 'reset-i8042' };
  const { divergence } = compare(boot('vmd', '7.8', asked), boot('vmd', 'x86_vm-1.24', asked));
  assert.ok(divergence?.left.step);
  assert.equal(divergence.right.step, null);
  assert.equal(divergence.right.step === null && divergence.right.outcome, 'reset');
});

test('another value read from a port: both states are those of the same instruction', () => {
  const asked = { probe: 'boot-path' };
  const { divergence } = compare(boot('vmd', '7.8', asked), boot('vmd', 'x86_vm-1.27', asked));
  const [left, right] = [divergence?.left, divergence?.right];
  assert.ok(left?.step && right?.step);
  assert.equal(left.registers.rip, right.registers.rip);
  assert.equal(left.step.at, right.step.at);
});

test('another VMM: the registers that it sets otherwise before the first instruction are named', () => {
  const { start } = compare(
    boot('vmd', '7.8', { probe: 'boot-path' }),
    boot('pc', 'i440fx', { probe: 'boot-path' }),
  );
  const base = start.find(({ register }) => register === 'cs.base');
  assert.deepEqual([base?.left, base?.right], [0xf0000n, 0xffff0000n]);
});
