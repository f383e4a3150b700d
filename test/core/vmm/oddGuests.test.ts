/** Guests that no host could give, under every model: each ends with a reason, none with an error of the emulator. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { createCore } from '../../../server/emulator/core';
import { GIB } from '../../../server/src/address/range';
import type { BootReport } from '../../../server/src/simulation/report';
import { simulate } from '../../../server/src/simulation/simulate';
import { VMM_MODELS } from '../../../server/src/vmm/models';
import type { VmmModel } from '../../../server/src/vmm/model';
import { underModel } from '../../../server/src/vmm/relayout';
import { guest } from '../../vmm-matrix/matrix';

function run(model: VmmModel, memory: bigint | null, vcpus: number): BootReport {
  const version = model.versions.at(-1)!.id;
  const plain = guest(memory ?? 0n);
  const asked = {
    ...plain,
    memory: memory === null ? null : plain.memory,
    vcpus: { ...plain.vcpus, value: vcpus },
  };
  const machine = underModel({ ...asked, vmm: null, version: null, regions: [] }, model, version);
  const request = { machine: null, firmware: null, kernel: null, probe: 'boot-path', taps: [] };
  return simulate(
    machine,
    model,
    version,
    { ...request, maxInstructions: 100_000, reboots: 0 },
    { createCore, cancelled: () => false, progress: () => undefined },
  );
}

for (const model of VMM_MODELS) {
  for (const [what, memory, vcpus, says] of [
    ['2^64 - 1 bytes', 2n ** 64n - 1n, 1, /memory|addresses|mem_size_mib|MiB|GiB/],
    ['2^64 bytes', 2n ** 64n, 1, /memory|addresses|mem_size_mib|MiB|GiB/],
    ['2^60 bytes', 2n ** 60n, 1, /memory|addresses|mem_size_mib|MiB|GiB/],
    ['no byte', 0n, 1, /memory|mem_size_mib/],
    ['no memory size', null, 1, /no memory/],
    ['no vCPU', GIB, 0, /vCPU/],
    ['65535 vCPUs', GIB, 65535, /vCPU|sockets/],
  ] as const) {
    test(`${model.name}: a guest of ${what} does not start, and the reason names it`, () => {
      const { outcome, reason, instructions } = run(model, memory, vcpus);
      assert.equal(outcome, 'vmm-exit');
      assert.equal(instructions, 0);
      assert.match(reason, says);
      assert.doesNotMatch(reason, /slot|payload cannot be loaded/);
    });
  }

  test(`${model.name}: a size that is no multiple of 4 KiB is cut to whole pages or refused`, () => {
    assert.notEqual(run(model, GIB + 1234n, 1).outcome, 'triple-fault');
  });
}
