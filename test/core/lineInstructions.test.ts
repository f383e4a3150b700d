/** MONITOR, MWAIT and CLZERO: the operand in rAX and its segment, what RCX may ask for (SDM vol. 2; APM vol. 3). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DATA, Lab, outcomeText, type LabMode } from './lab';
import { testProfile } from './oracle/profile';

const profile = testProfile({ vendor: 'amd', with: ['MONITOR', 'CLZERO'] });
const machine = (mode: LabMode, rax: bigint, rcx = 0n): Lab => new Lab({ mode, profile }).set({ rax, rcx });
const MONITOR = '0f01c8';
const MWAIT = '0f01c9';
const CLZERO = '0f01fc';

for (const [title, mode, segment, limit, code, expected] of [
  ['MONITOR looks at DS', 'protected-32', 'ds', 0xfff, MONITOR, '#GP(0)'],
  ['MONITOR does not look at ES', 'protected-32', 'es', 0xfff, MONITOR, 'ok'],
  ['MONITOR obeys a prefix', 'protected-32', 'fs', 0xfff, `64${MONITOR}`, '#GP(0)'],
  ['MONITOR through SS', 'protected-32', 'ss', 0xfff, `36${MONITOR}`, '#SS(0)'],
  ['CLZERO looks at DS', 'protected-32', 'ds', 0xfff, CLZERO, '#GP(0)'],
  ['CLZERO does not look at ES', 'protected-32', 'es', 0xfff, CLZERO, 'ok'],
] as const)
  test(`${title}: ${expected}`, () => {
    assert.equal(outcomeText(machine(mode, DATA).segment(segment, { limit }).run(code)), expected);
  });

for (const [title, name, code, zeroed] of [
  ['ignores the base of ES', 'es', CLZERO, DATA],
  ['adds the base of GS', 'gs', `65${CLZERO}`, DATA + 0x1000n],
] as const)
  test(`CLZERO in 64-bit mode ${title}`, () => {
    const lab = machine('long', DATA + 5n).segment(name, { base: 0x1000n });
    for (const at of [DATA, DATA + 0x1000n]) for (let i = 0n; i < 128n; i += 8n) lab.put(at + i, -1n, 8);
    lab.run(code);
    for (const at of [DATA, DATA + 0x1000n])
      for (let i = 0n; i < 128n; i += 8n)
        assert.equal(lab.get(at + i, 8), at === zeroed && i < 64n ? 0n : 0xffffffffffffffffn);
  });

test('CLZERO zeros a line of linear memory, whatever the base of its segment is', () => {
  const lab = machine('paging-32', DATA + 0xfe0n).segment('ds', { base: 0x10n });
  for (let i = 0n; i < 0x80n; i += 8n) lab.put(DATA + 0xfc0n + i, -1n, 8);
  // The next page is not present: the line does not reach into it.
  lab.put(lab.entryOf(DATA + 0x1000n), 0, 4);
  assert.equal(outcomeText(lab.set({}).run(CLZERO)), 'ok');
  for (let i = 0n; i < 0x80n; i += 8n)
    assert.equal(lab.get(DATA + 0xfc0n + i, 8), i < 0x40n ? 0n : 0xffffffffffffffffn);
});

for (const [name, code] of [
  ['MONITOR', MONITOR],
  ['MWAIT', MWAIT],
] as const)
  test(`${name}: all of RCX counts in 64-bit mode, elsewhere ECX`, () => {
    const high = 0x100000000n;
    assert.equal(outcomeText(machine('long', DATA, high).run(code)), '#GP(0)');
    assert.equal(outcomeText(machine('compatibility', DATA, high).run(code)), 'ok');
    assert.equal(outcomeText(machine('long', DATA, 2n).run(code)), '#GP(0)');
  });
