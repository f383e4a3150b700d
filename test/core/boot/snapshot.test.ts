import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { createCore } from '../../../server/emulator/core';
import { PoweredMachine } from '../../../server/src/simulation/poweredMachine';
import { probeNamed } from '../../../server/src/simulation/probes/probes';
import { probeRom } from '../../../server/src/simulation/probes/rom';
import { Recorder } from '../../../server/src/simulation/recorder';
import { run } from '../../../server/src/simulation/runLoop';
import { restoreMachine, saveMachine } from '../../../server/src/simulation/snapshot';
import { VMD } from '../../../server/src/vmm/vmd/model';
import { vmdMachine } from '../../unit/simulation/vmdMachine';

function power(version: string, probe: string) {
  const recorder = new Recorder();
  const powered = new PoweredMachine(
    {
      machine: vmdMachine(version),
      model: VMD,
      version,
      firmware: probeRom(probeNamed(probe)!),
      kernel: null,
      taps: [],
      passOver: false,
      createCore,
    },
    recorder,
  );
  assert.equal(powered.problem, null);
  const go = (maxInstructions: number) =>
    run(powered, recorder, {
      maxInstructions,
      idleSeconds: 5,
      cancelled: () => false,
      progress: () => undefined,
    });
  return { recorder, powered, go };
}

for (const [version, probe, at] of [
  ['7.8', 'boot-path', 1],
  ['7.8', 'boot-path', 5_000],
  ['7.8', 'boot-path', 20_000],
  ['x86_vm-1.27', 'ap-start', 20_000],
] as const) {
  test(`a ${probe} machine saved after ${at} instructions goes on the same elsewhere`, () => {
    const first = power(version, probe);
    assert.equal(first.go(at).kind, 'budget');
    const snapshot = structuredClone(saveMachine(first.powered));
    const soFar = first.recorder.console.text;
    const ending = first.go(50_000_000);
    const second = power(version, probe);
    assert.equal(restoreMachine(second.powered, snapshot), true);
    assert.deepEqual(second.go(50_000_000), ending);
    assert.equal(soFar + second.recorder.console.text, first.recorder.console.text);
    assert.deepEqual(second.powered.core.state(0), first.powered.core.state(0));
    assert.equal(second.powered.core.instructions, first.powered.core.instructions);
  });
}

test('a snapshot of another board is refused', () => {
  const snapshot = saveMachine(power('7.8', 'boot-path').powered);
  assert.equal(restoreMachine(power('x86_vm-1.27', 'boot-path').powered, snapshot), false);
});
