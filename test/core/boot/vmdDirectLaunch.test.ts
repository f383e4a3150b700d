/** The known issue vmd-direct-launch: kernels with OpenBSD's mode path in each of vmd's entry states. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { vmdDirectLaunch } from '../../../server/src/vmm/vmd/knownIssues/vmdDirectLaunch';
import { bootVmd } from './bootVmd';

const { cells } = vmdDirectLaunch.simulation!;
const boot = (cell: number) => bootVmd(cells[cell]!.version, { knownIssue: 'vmd-direct-launch', cell });

const COMPATIBILITY = /cr0 0x80000011 cr3 0x11000 cr4 0x30 efer 0x500\nmode compatibility/;
const DIRECTORY = /cr0 0x80000011 cr3 0x12000 cr4 0x10 efer 0x0\nmode protected-32 with 32-bit paging/;
const PROPOSED = /cr0 0x11 cr3 0x12000 cr4 0x10 efer 0x0\nmode protected-32 without paging/;
const COMMITTED = /cr0 0x11 cr3 0x0 cr4 0x0 efer 0x0\nmode protected-32 without paging/;

// Vectors and error codes of the faults; null where the kernel comes to 64-bit mode.
for (const [name, entry, faults, reached] of [
  ['amd64 kernel up to rev 1.51: compatibility mode', COMPATIBILITY, null, /legal, and came to 64-bit mode/],
  [
    'amd64 kernel up to rev 1.51, vector 29 with a 32-bit gate',
    COMPATIBILITY,
    // Nothing at IDT + 16 * 29, then nothing for #GP, then nothing for #DF: vector * 8, and the bit that says IDT.
    [
      [13, 0xea],
      [13, 13 * 8 + 3],
      [13, 8 * 8 + 3],
    ],
    /gate at IDT \+ 0x1d0, where nothing is, and not at IDT \+ 0xe8/,
  ],
  [
    'amd64 kernel up to rev 1.51, vector 29 with a 64-bit gate',
    COMPATIBILITY,
    null,
    /through the 64-bit gate at IDT \+ 0x1d0/,
  ],
  [
    'amd64 code in the i386 state of rev 1.51, Intel',
    DIRECTORY,
    [
      [13, 0],
      [13, 13 * 8 + 3],
      [13, 8 * 8 + 3],
    ],
    /#GP\(0x0\) at the MOV to CR4 itself/,
  ],
  [
    'amd64 code in the i386 state of rev 1.51, AMD',
    DIRECTORY,
    [
      [14, 9],
      [14, 9],
      [14, 9],
    ],
    /#PF\(0x9\) at the first fetch after the MOV to CR4/,
  ],
  ['amd64 kernel as proposed, vector 29 with a 32-bit gate', PROPOSED, null, null],
  ['amd64 kernel as committed, vector 29 with a 32-bit gate', COMMITTED, null, null],
  ['ELF32 kernel as committed, vector 29 with a 32-bit gate', COMMITTED, null, null],
] as const) {
  test(name, () => {
    const cell = cells.findIndex((candidate) => candidate.name === name);
    const report = boot(cell);
    assert.match(report.console, entry);
    assert.match(report.console, /boot arguments at 0x2000 size 0xb4/);
    assert.deepEqual(
      report.faultChain.map(({ vector, errorCode }) => [vector, errorCode]),
      faults ?? [],
    );
    assert.equal(report.outcome, faults ? 'triple-fault' : 'halted');
    assert.equal(/status long-mode\n/.test(report.console), !faults);
    assert.equal(report.vcpus[0]!.mode === 'long', !faults);
    if (reached) assert.match(report.shown!.reached ?? '', reached);
    else assert.equal(report.shown!.reached, null);
    if (cells[cell]!.parameters['gate'] === 1 && !faults) {
      assert.match(report.console, /vector 29 through a 32-bit gate: eip 0x\w+ cs 0x8\nreturned/);
    }
  });
}

test('each run has its place, and the first one is the state of an affected version', () => {
  assert.equal(cells.length, 8);
  assert.deepEqual(vmdDirectLaunch.affected, ['loadfile-1.7', 'loadfile-1.11', '7.6', '7.8', '2026-01']);
  const report = boot(0);
  assert.equal(report.evidence, 'mechanism');
  assert.ok(report.findings.some(({ code }) => code === 'vmd-direct-launch'));
});

test('a frame of 64-bit mode under a 32-bit kernel: five slots of 8 bytes below RSP', () => {
  const report = boot(2);
  // The kernel's stack ends at 0x208000, and nothing was pushed before INT 29.
  assert.match(report.console, /rip 0x002\w+ cs 0x00000008 rsp 0x00208000/);
});
