import { strict as assert } from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
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

const SEABIOS = '/usr/share/seabios/bios-256k.bin';
const seabios = existsSync(SEABIOS) ? {} : { skip: `${SEABIOS} is not there (Debian package seabios)` };
const rom = (probe: string) => probeRom(probeNamed(probe)!);

function power(version: string, firmware: Uint8Array, taps: number[] = []) {
  const recorder = new Recorder();
  const powered = new PoweredMachine(
    {
      machine: vmdMachine(version),
      model: VMD,
      version,
      firmware,
      kernel: null,
      taps,
      passOver: taps.length > 0,
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
    const first = power(version, rom(probe));
    assert.equal(first.go(at).kind, 'budget');
    const snapshot = structuredClone(saveMachine(first.powered));
    const soFar = first.recorder.console.text;
    const ending = first.go(50_000_000);
    const second = power(version, rom(probe));
    assert.equal(restoreMachine(second.powered, snapshot), true);
    assert.deepEqual(second.go(50_000_000), ending);
    assert.equal(soFar + second.recorder.console.text, first.recorder.console.text);
    assert.deepEqual(second.powered.core.state(0), first.powered.core.state(0));
    assert.equal(second.powered.core.instructions, first.powered.core.instructions);
  });
}

test('SeaBIOS saved in the middle goes on the same', seabios, () => {
  const image = () => power('7.8', readFileSync(SEABIOS), [0x402]);
  const first = image();
  first.go(4_000_000);
  const snapshot = structuredClone(saveMachine(first.powered));
  const logged = first.recorder.firmwareLog.text;
  const ending = first.go(50_000_000);
  const second = image();
  assert.equal(restoreMachine(second.powered, snapshot), true);
  assert.deepEqual(second.go(50_000_000), ending);
  assert.equal(logged + second.recorder.firmwareLog.text, first.recorder.firmwareLog.text);
  assert.deepEqual(second.powered.core.state(0), first.powered.core.state(0));
});

test('a snapshot of another board is refused', () => {
  const snapshot = saveMachine(power('7.8', rom('boot-path')).powered);
  assert.equal(restoreMachine(power('x86_vm-1.27', rom('boot-path')).powered, snapshot), false);
});
