/** SeaBIOS on the plain PC takes the ACPI tables from fw_cfg, sets the chip set up and finds the keyboard. */
import { strict as assert } from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createCore } from '../../../server/emulator/core';
import { PoweredMachine } from '../../../server/src/simulation/poweredMachine';
import { Recorder } from '../../../server/src/simulation/recorder';
import { run } from '../../../server/src/simulation/runLoop';
import { pcMachine } from '../../../server/src/vmm/pc/machine';
import { PC } from '../../../server/src/vmm/pc/model';

const SEABIOS = '/usr/share/seabios/bios.bin';
const skip = existsSync(SEABIOS) ? false : `${SEABIOS} is not there (Debian package seabios)`;

function bootSeabios() {
  const recorder = new Recorder();
  const powered = new PoweredMachine(
    {
      machine: pcMachine({ name: 'rom', memory: 128n << 20n, vcpus: 2 }),
      model: PC,
      version: 'i440fx',
      firmware: readFileSync(SEABIOS),
      kernel: null,
      taps: [0x402],
      passOver: false,
      createCore,
    },
    recorder,
  );
  assert.equal(powered.problem, null);
  const ending = run(powered, recorder, {
    maxInstructions: 100_000_000,
    idleSeconds: 1,
    cancelled: () => false,
    progress: () => undefined,
  });
  assert.equal(ending.kind, 'idle');
  return { core: powered.core, log: recorder.firmwareLog.text };
}

const sum = (bytes: Uint8Array) => bytes.reduce((total, byte) => (total + byte) & 0xff, 0);

test('SeaBIOS installs the tables of fw_cfg, and they are whole', { skip }, () => {
  const { core, log } = bootSeabios();
  assert.match(log, /Moving pm_base to 0x600/);
  assert.match(log, /Found 2 cpu\(s\) max supported 2 cpu\(s\)/);
  assert.match(log, /PS2 keyboard initialized/);
  const view = (at: bigint, length: number) => {
    const bytes = core.read(at, length)!;
    return { bytes, data: new DataView(bytes.buffer, bytes.byteOffset, length) };
  };
  const segment = view(0xf0000n, 0x10000);
  const at = Buffer.from(segment.bytes).indexOf('RSD PTR ');
  assert.ok(at >= 0 && at % 16 === 0);
  const table = (address: bigint) => {
    const found = view(address, view(address, 8).data.getUint32(4, true));
    assert.equal(sum(found.bytes), 0);
    return found;
  };
  assert.equal(sum(segment.bytes.subarray(at, at + 36)), 0);
  const xsdt = table(segment.data.getBigUint64(at + 24, true));
  const listed = [36, 44, 52].map((offset) => table(xsdt.data.getBigUint64(offset, true)));
  const signatures = listed.map(({ bytes }) => String.fromCharCode(...bytes.subarray(0, 4)));
  assert.deepEqual(signatures, ['FACP', 'APIC', 'HPET']);
  // The PM timer, where SeaBIOS has put it.
  assert.equal(listed[0]!.data.getUint32(76, true), 0x608);
});
