/** A probe that is a firmware image, started as a kernel: on VMMs that have no firmware. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { createCore } from '../../../server/emulator/core';
import { simulate } from '../../../server/src/simulation/simulate';
import { romAsProbeKernel } from '../../../server/src/simulation/probes/kernel';
import { probeNamed } from '../../../server/src/simulation/probes/probes';
import { pcMachine } from '../../../server/src/vmm/pc/machine';
import { PC } from '../../../server/src/vmm/pc/model';

function boot(probe: string, protocol: string, vcpus = 1) {
  const kernel = romAsProbeKernel(probeNamed(probe)!);
  return simulate(
    pcMachine({ name: 'pc', memory: 64n << 20n, vcpus }),
    PC,
    'i440fx',
    {
      machine: null,
      firmware: null,
      kernel,
      boot: { protocol, imageName: 'probe', commandLine: '', modules: [] },
      probe: null,
      taps: [],
      maxInstructions: 20_000_000,
      reboots: 0,
    },
    { createCore, cancelled: () => false, progress: () => undefined },
  );
}

for (const [protocol, source] of [
  ['linux-elf64', 'the boot parameters'],
  ['pvh', 'the PVH start info'],
] as const) {
  test(`by ${protocol} the boot path is taken with the memory map of ${source}`, () => {
    const { console, outcome } = boot('boot-path', protocol);
    assert.match(console, new RegExp(`e820 from ${source}, entries 0x4`));
    assert.match(console, /e820 0x100000 length 0x3f00000 type 0x1/);
    assert.match(console, /status complete\n/);
    assert.equal(outcome, 'halted');
  });

  test(`by ${protocol} the keyboard controller resets the machine`, () => {
    assert.equal(boot('reset-i8042', protocol).outcome, 'reset');
  });

  test(`by ${protocol} the other CPUs are started`, () => {
    assert.match(boot('ap-start', protocol, 2).console, /status complete\n/);
  });
}
