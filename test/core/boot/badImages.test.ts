import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { bootVmd } from './bootVmd';

test('a ROM of random bytes always ends in an outcome', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 64, maxLength: 4096 }), (bytes) => {
      const report = bootVmd('7.8', { firmware: bytes, maxInstructions: 20_000 });
      return report.reason.length > 0 && report.instructions <= 20_000;
    }),
    { numRuns: 60 },
  );
});

test('an endless loop with interrupts off spends the budget', () => {
  const rom = new Uint8Array(0x10000);
  rom.set([0xfa, 0xeb, 0xfe], 0xfff0);
  const report = bootVmd('7.8', { firmware: rom, maxInstructions: 3_000_000 });
  assert.equal(report.outcome, 'budget');
  assert.match(report.reason, /vCPU 0 is at 0xffff1 \(real mode, in .*\)/);
});

test('HLT with interrupts off halts', () => {
  const rom = new Uint8Array(0x10000);
  rom.set([0xfa, 0xf4], 0xfff0);
  assert.equal(bootVmd('7.8', { firmware: rom }).outcome, 'halted');
});
