import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { scanScaled } from '../../../server/src/vmm/vmd/scaledSize';

// scan_scaled(3) of OpenBSD's libutil: binary suffixes in either case, fractions, nothing alphanumeric after the suffix.
for (const [word, bytes] of [
  ['512', 512n],
  ['512B', 512n],
  ['512K', 512n << 10n],
  ['512m', 512n << 20n],
  ['2G', 2n << 30n],
  ['1.5G', 3n << 29n],
  ['0.25G', 1n << 28n],
  ['1.1K', 1126n],
  ['1.', 1n],
  ['1.9', 1n],
  ['.5G', 1n << 29n],
  ['1T', 1n << 40n],
  ['7E', 7n << 60n],
  ['-1K', -1024n],
  ['+1K', 1024n],
  [' 1K', 1024n],
  ['1K-', 1024n],
  ['', 0n],
  ['1.00000000000000000000000001G', 1n << 30n],
] as const) {
  test(`"${word}" is ${bytes} bytes`, () => assert.deepEqual(scanScaled(word), { ok: true, bytes }));
}

for (const [word, reason] of [
  ['512MB', 'not a size'],
  ['2GiB', 'not a size'],
  ['1.2.3G', 'not a size'],
  ['1.2.', 'not a size'],
  ['lots', 'not a size'],
  ['--1', 'not a size'],
  ['0x10', 'not a size'],
  ['1Z', 'not a size'],
  ['8E', 'out of range'],
  ['9223372036854775808', 'out of range'],
  ['123456789012345678901', 'out of range'],
] as const) {
  test(`"${word}" is ${reason}`, () => assert.deepEqual(scanScaled(word), { ok: false, reason }));
}
