/** Guests of bhyve on the real core. */
import { strict as assert } from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createCore } from '../../../server/emulator/core';
import type { BootReport, SimulationRequest } from '../../../server/src/simulation/report';
import { simulate } from '../../../server/src/simulation/simulate';
import { BHYVE } from '../../../server/src/vmm/bhyve/model';
import { bhyveMachine, type BhyveGuest } from '../../unit/vmm/bhyveMachine';

function boot(version: string, asked: Partial<SimulationRequest>, guest: BhyveGuest = {}): BootReport {
  const request: SimulationRequest = {
    machine: null,
    firmware: null,
    kernel: null,
    probe: null,
    taps: [],
    maxInstructions: 500_000_000,
    reboots: 0,
    ...asked,
  };
  return simulate(bhyveMachine(version, guest), BHYVE, version, request, {
    createCore,
    cancelled: () => false,
    progress: () => undefined,
  });
}

const versions = BHYVE.versions.map(({ id }) => id);

/** Probe, how it ends on two vCPUs, and a part of the report's reason. */
const PROBE_RUNS: readonly (readonly [probe: string, outcome: BootReport['outcome'], reason: RegExp])[] = [
  ['reset-triple-fault', 'triple-fault', /VM_SUSPEND_TRIPLEFAULT\) and bhyve ends with status 3/],
  ['reset-i8042', 'reset', /Command 0xfe to the keyboard controller: .* status 0/],
  ['reset-cf9', 'reset', /OUT 0xcf9, 0x6: .* status 0/],
  ['reset-port92', 'halted', /still-running/],
  ['reset-bios', 'halted', /restarted/],
];

for (const version of versions) {
  test(`${version}: what resets a guest, and what does not`, () => {
    for (const [probe, outcome, reason] of PROBE_RUNS) {
      const report = boot(version, { probe }, { vcpus: 2 });
      assert.equal(report.outcome, outcome, probe);
      assert.match(report.reason, reason, probe);
    }
  });
}

test('a broadcast INIT panics illumos of autumn 2020, ends bhyve in its winter, and starts the other vCPU since', () => {
  const outcome = (version: string) => boot(version, { probe: 'ap-start' }, { vcpus: 2 }).outcome;
  assert.deepEqual(
    versions.map((version) => [version, outcome(version)]),
    versions.map((version) => [
      version,
      { 'illumos-2020-09': 'host-panic', 'illumos-2020-12': 'vmm-exit' }[version] ?? 'halted',
    ]),
  );
});

test('a write to the boot ROM ends bhyve: with status 1 on FreeBSD, by abort on illumos', () => {
  const runs = ['freebsd-15', 'illumos-2025', 'illumos-2021-08'].map((version) => {
    const { outcome, exitStatus, reason } = boot(version, { probe: 'rom-write' });
    return [outcome, exitStatus ?? null, /"([^"]+)"/.exec(reason)?.[1]];
  });
  assert.deepEqual(runs, [
    ['vmm-exit', 1, 'vm_run error -1, errno 14'],
    ['vmm-exit', null, 'vm exit[…] reason PAGING'],
    ['vmm-exit', null, 'vm exit[…] reason PAGING'],
  ]);
});

/** QEMU's firmware is not bhyve's: what becomes of it there. */
const FOREIGN: readonly (readonly [path: string, place: RegExp, ports: readonly bigint[], title: string])[] =
  [
    [
      '/usr/share/OVMF/OVMF_CODE.fd',
      /long mode, in boot ROM segment/,
      [0xcf8n, 0xcfen],
      'OVMF asks the host bridge for its ID, which it does not know, and stays in a loop in the ROM',
    ],
    [
      '/usr/share/seabios/bios-256k.bin',
      /real mode, in low memory/,
      [],
      'SeaBIOS jumps below 1 MiB, where bhyve maps no ROM: what runs there is what lies in memory',
    ],
  ];

for (const [path, place, ports, title] of FOREIGN) {
  const options = existsSync(path) ? {} : { skip: `${path} is not there (Debian packages ovmf and seabios)` };
  test(title, options, () => {
    const firmware = new Uint8Array(readFileSync(path));
    const report = boot('freebsd-15', { firmware, maxInstructions: 20_000_000 });
    assert.equal(report.outcome, 'budget', report.reason);
    assert.equal(report.console, '');
    assert.match(report.reason, place);
    const seen = new Set(report.exits.map(({ at }) => at));
    for (const port of ports) assert.ok(seen.has(port), `port ${port}`);
  });
}
