/** A20 off: bit 20 of every address that the CPU puts out is 0 (SDM vol. 3, 20.1.1, A20M#). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CODE, DATA, Lab, SELECTOR, TABLES, type LabMode } from './lab';

const HIGH = 0x100000n;
const MODES: readonly LabMode[] = ['real', 'protected-32', 'paging-32', 'pae', 'long'];

for (const mode of MODES)
  test(`${mode}: data and code at 1 MiB are those at 0 with A20 off, and of their own with A20 on`, () => {
    const lab = new Lab({ mode }).set({ rsi: DATA, rbx: 0n });
    // In real mode FFFF:9010 is linear 109000.
    if (mode === 'real') lab.segment('ds', { selector: 0xffff, base: 0xffff0n }).set({ rsi: 0x9010n });
    else lab.set({ rsi: HIGH + DATA });
    lab.put(DATA, 0x11, 1);
    lab.put(HIGH + DATA, 0x22, 1);
    lab.core.setA20(false);
    assert.equal(lab.run(mode === 'real' ? '8a1c' : '8a1e').state.general.rbx, 0x11n);
    lab.core.setA20(true);
    lab.core.setActivity(0, 'running');
    assert.equal(lab.set({}, { rip: CODE }).go().state.general.rbx, 0x22n, 'no stale translation');
  });

test('a write with A20 off lands below, and the devices’ view of memory is not masked', () => {
  const lab = new Lab().set({ rsi: HIGH + DATA });
  lab.core.setA20(false);
  lab.run('c60633');
  assert.equal(lab.get(DATA, 1), 0x33n);
  assert.equal(lab.get(HIGH + DATA, 1), 0n);
});

for (const mode of ['paging-32', 'pae', 'long'] as const)
  test(`${mode}: page tables at odd megabytes are read below with A20 off`, () => {
    const lab = new Lab({ mode });
    // CR3 with bit 20: the tables lie at TABLES all the same.
    lab.core.setA20(false);
    lab.set({ rsi: DATA, rbx: 0n }, { cr3: HIGH + TABLES });
    lab.put(DATA, 0x44, 1);
    assert.equal(lab.run('8a1e').state.general.rbx, 0x44n);
  });

test('descriptor tables are reached through the mask too', () => {
  const lab = new Lab({ mode: 'protected-32' });
  const { gdtr } = lab.core.state(0);
  lab.core.setA20(false);
  lab.set({ rax: BigInt(SELECTOR.data) }, { gdtr: { ...gdtr, base: HIGH + gdtr.base } });
  assert.equal(lab.run('8ed8').exit.reason, 'idle');
});

test('RESET switches A20 on: the first fetch is at FFFFFFF0', () => {
  const lab = new Lab();
  lab.core.map(0xfffff000n, 0x100000000n, 'rom');
  lab.core.write(0xfffffff0n, Uint8Array.from([0xf4]));
  lab.core.setA20(false);
  lab.core.reset();
  lab.go();
  assert.equal(lab.core.state(0).rip, 0xfff1n);
  assert.equal(lab.core.activity(0), 'halted');
});
