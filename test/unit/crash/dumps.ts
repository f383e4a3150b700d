/** The dumps of these tests, and machines to look their addresses up in. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode } from '../../../server/src/crash/decode';
import type { DecodeContext } from '../../../server/src/crash/dumpFormat';
import type { Crash, CrashReport } from '../../../server/src/crash/report';
import type { Machine, Region, RegionKind } from '../../../server/src/machine/machine';
import { SourceText } from '../../../server/src/text/sourceText';

const root = process.env['BOOTPATH_ROOT']!;

export const golden = readFileSync(join(root, 'examples/vmd-alpine/reboot-crash.txt'), 'utf8');

export function fixture(name: string): string {
  return readFileSync(join(root, 'test/fixtures/crash', name), 'utf8');
}

export function report(text: string, context: Partial<DecodeContext> = {}): CrashReport {
  return decode(new SourceText('file:///dump.txt', text), { machines: [], ...context });
}

/** The first crash of a text that must have one. */
export function crashOf(text: string, context: Partial<DecodeContext> = {}): Crash {
  const [crash] = report(text, context).crashes;
  if (!crash) throw new Error('no crash was recognised');
  return crash;
}

export function codes(crash: Crash): string[] {
  return crash.findings.map(({ code }) => code);
}

export function messageOf(crash: Crash, code: string): string {
  const finding = crash.findings.find((candidate) => candidate.code === code);
  if (!finding) throw new Error(`no finding ${code} among ${codes(crash).join(', ')}`);
  return finding.message;
}

/** The line (from 1) of vm.conf that the machines below say their memory comes from. */
export const MEMORY_LINE = 4;

const memoryAt = {
  uri: 'file:///vm.conf',
  range: { start: { line: MEMORY_LINE - 1, character: 1 }, end: { line: MEMORY_LINE - 1, character: 12 } },
};

function region(start: bigint, end: bigint, kind: RegionKind, name: string): Region {
  return {
    range: { start, end },
    kind,
    name,
    permissions: null,
    reason: '',
    origin: { kind: 'text', ...memoryAt },
    at: memoryAt,
  };
}

/** A machine as vmd lays it out: low RAM up to `lowmemKb` KiB, reserved up to 1 MiB, 511 MiB of RAM. */
export function vmdMachine(version: string | null, lowmemKb: number, vmm: string | null = 'vmd'): Machine {
  const lowmem = BigInt(lowmemKb) * 1024n;
  return {
    name: 'alpine',
    vmm,
    version,
    memory: null,
    vcpus: { value: 1, origin: { kind: 'text', ...memoryAt } },
    regions: [
      region(0n, lowmem, 'ram', 'low RAM'),
      region(lowmem, 0x100000n, 'reserved', 'VGA and BIOS'),
      region(0x100000n, 0x20000000n, 'ram', 'RAM above 1 MiB'),
    ],
    images: [],
    at: memoryAt,
    nameAt: memoryAt,
  };
}
