/** What the in-kernel local APIC of three generations does with interrupt commands. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interprocessorInterrupt } from '../../../server/src/vmm/bhyve/interruptCommand';

const TO_1 = 1n << 56n;
const BROADCAST = 0xffn << 56n;

interface Row {
  readonly what: string;
  readonly icr: bigint;
  readonly sender?: number;
  readonly running?: number;
  /** `core`: left to the local APIC; `done`: nothing more to do; `N`: delivered to that vCPU alone. */
  readonly old: 'core' | 'done' | 'vcpu 1' | 'userland';
  readonly full: 'core' | 'done' | 'userland';
}

// Read off vlapic_icrlo_write_handler of illumos-gate 3e1c5f3a8 (old) and 2606939d9 (full).
const ROWS: readonly Row[] = [
  { what: 'INIT to all but self', icr: 0xc4500n, old: 'userland', full: 'core' },
  { what: 'SIPI to all but self', icr: 0xc4608n, old: 'userland', full: 'core' },
  { what: 'INIT to all but self, 1 in the destination', icr: TO_1 | 0xc4500n, old: 'vcpu 1', full: 'core' },
  { what: 'INIT to vCPU 1', icr: TO_1 | 0x4500n, old: 'vcpu 1', full: 'core' },
  { what: 'SIPI to vCPU 1', icr: TO_1 | 0x4608n, old: 'vcpu 1', full: 'core' },
  { what: 'INIT to vCPU 1, which runs', icr: TO_1 | 0x4500n, running: 1, old: 'done', full: 'core' },
  { what: 'INIT to vCPU 1 from vCPU 2', icr: TO_1 | 0x4500n, sender: 2, old: 'userland', full: 'core' },
  { what: 'INIT to vCPU 0', icr: 0x4500n, old: 'userland', full: 'core' },
  { what: 'INIT to every APIC ID', icr: BROADCAST | 0x4500n, old: 'userland', full: 'core' },
  { what: 'INIT to all including self', icr: 0x84500n, old: 'userland', full: 'userland' },
  { what: 'SIPI to self', icr: 0x44608n, old: 'userland', full: 'userland' },
  { what: 'INIT level de-assert to all', icr: 0x88500n, old: 'done', full: 'done' },
  { what: 'fixed to all but self', icr: 0xc4040n, old: 'core', full: 'core' },
  { what: 'NMI to all but self', icr: 0xc4400n, old: 'core', full: 'core' },
  { what: 'lowest priority', icr: TO_1 | 0x4140n, old: 'userland', full: 'done' },
  { what: 'SMI', icr: TO_1 | 0x4200n, old: 'userland', full: 'done' },
];

function outcome(support: 'panic' | 'refused' | 'full', { icr, sender = 0, running }: Row): string {
  const sent: string[] = [];
  const receivers = {
    deliver: (vector: number, destination: number, logical: boolean, mode: number, level: boolean) => {
      assert.deepEqual([logical, level], [false, false]);
      assert.deepEqual([vector, mode], [Number(icr & 0xffn), Number((icr >> 8n) & 7n)]);
      sent.push(`vcpu ${destination}`);
      return true;
    },
    waitsForStart: (vcpu: number) => vcpu !== running,
  };
  const verdict = interprocessorInterrupt(support, receivers, icr, sender);
  if (verdict === null) return 'core';
  if (verdict.kind === 'answer') return sent[0] ?? 'done';
  assert.ok(verdict.reason.includes(`0x${icr.toString(16)}`), verdict.reason);
  return verdict.kind === 'host-panic' ? 'panic' : verdict.kind;
}

for (const row of ROWS) {
  test(`${row.what}: before 13275 ${row.old}, since then ${row.full}`, () => {
    assert.equal(outcome('panic', row), row.old === 'userland' ? 'panic' : row.old);
    assert.equal(outcome('refused', row), row.old === 'userland' ? 'vmm-exit' : row.old);
    assert.equal(outcome('full', row), row.full === 'userland' ? 'vmm-exit' : row.full);
  });
}

test('the reason names the value, the panic and each function on the way', () => {
  const receivers = { deliver: () => true, waitsForStart: () => true };
  const verdict = interprocessorInterrupt('panic', receivers, 0xc4500n, 0);
  assert.equal(verdict?.kind, 'host-panic');
  const reason = verdict.kind === 'host-panic' ? verdict.reason : '';
  let at = -1;
  for (const part of [
    'ICR 0xc4500 (INIT · assert · all but self)',
    'bad pending MMIO state',
    'vlapic_icrlo_write_handler returns -1',
    'vie_mmio_write',
    'vm_handle_mmio_emul',
    'vie_exitinfo',
  ]) {
    assert.ok(reason.indexOf(part) > at, `${part} in ${reason}`);
    at = reason.indexOf(part);
  }
});
