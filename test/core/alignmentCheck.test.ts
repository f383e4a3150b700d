/**
 * #AC(0): at CPL 3 with CR0.AM and EFLAGS.AC, by the size of each access (SDM vol. 3, 6.15, interrupt 17). The rows were seen
 * to be so on a family 26 CPU, but for those of 16 bytes, where Intel names a boundary of 8.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DATA, Lab, SELECTOR, outcomeText } from './lab';

const AC = 0x40000n;
const AM = 0x40000n;
const OSFXSR = 0x200n;

function machine(offset: number, change: { cpl?: number; am?: boolean; ac?: boolean } = {}): Lab {
  const { cpl = 3, am = true, ac = true } = change;
  const lab = new Lab({ mode: 'long' });
  if (cpl === 3) {
    lab.segment('cs', { selector: SELECTOR.user32 | 3, attributes: 0xa0fb });
    lab.segment('ss', { selector: SELECTOR.userData | 3, attributes: 0xc0f3 });
  }
  const at = DATA + BigInt(offset);
  const { cr0, cr4 } = lab.core.state(0);
  return lab.set(
    { rsi: at, rdi: at, rbx: at, rcx: 1n, rax: 0n, rdx: 0n },
    { cr0: am ? cr0 | AM : cr0, cr4: cr4 | OSFXSR, rflags: ac ? AC | 2n : 2n },
  );
}

for (const [title, code, offset, expected] of [
  ['a byte', '8a06', 1, 'ok'],
  ['a word', '668b06', 1, '#AC(0)'],
  ['a doubleword', '8b06', 2, '#AC(0)'],
  ['a quadword', '488b06', 4, '#AC(0)'],
  ['a quadword on its boundary', '488b06', 8, 'ok'],
  ['PUSH', '4889f4 50', 4, '#AC(0)'],
  ['POP of a word', '4889f4 6658', 1, '#AC(0)'],
  ['ENTER', '4889f4 c8000000', 4, '#AC(0)'],
  ['BT m32, r32', '0fa30e', 2, '#AC(0)'],
  ['BT m32, imm8', '0fba2601', 2, '#AC(0)'],
  ['BT m64, r64', '480fa30e', 4, '#AC(0)'],
  ['MOVSW', '66a5', 1, '#AC(0)'],
  ['MOVSD', 'a5', 2, '#AC(0)'],
  ['XCHG', '8706', 2, '#AC(0)'],
  ['CMPXCHG8B', '0fc70e', 4, '#AC(0)'],
  ['CMPXCHG16B: #GP first', '480fc70e', 8, '#GP(0)'],
  ['LGS m16:32', '0fb506', 2, '#AC(0)'],
  ['LGS m16:16', '660fb506', 1, '#AC(0)'],
  ['LGS m16:16 on a word boundary', '660fb506', 2, 'ok'],
  ['MOV m16, DS', '8c1e', 1, '#AC(0)'],
  ['JMP m64', 'ff26', 4, '#AC(0)'],
  ['XLAT', 'd7', 1, 'ok'],
  ['FLD m32', 'd906', 2, '#AC(0)'],
  ['FLD m64', 'dd06', 4, '#AC(0)'],
  ['FLD m80', 'db2e', 4, '#AC(0)'],
  ['FLD m80 on a boundary of 8', 'db2e', 8, 'ok'],
  ['FBSTP', 'dbe3 d9ee df36', 4, '#AC(0)'],
  ['FILD m16', 'df06', 1, '#AC(0)'],
  ['FILD m64', 'df2e', 4, '#AC(0)'],
  ['FNSTCW', 'd93e', 1, '#AC(0)'],
  ['FNSTENV', 'd936', 2, '#AC(0)'],
  ['FNSAVE', 'dd36', 2, '#AC(0)'],
  ['FXSAVE: #GP', '0fae06', 8, '#GP(0)'],
  ['MOVUPS', '0f1006', 4, '#AC(0)'],
  ['MOVAPS: #GP', '0f2806', 8, '#GP(0)'],
  ['MOVQ xmm', 'f30f7e06', 4, '#AC(0)'],
  ['MOVD xmm', '660f6e06', 2, '#AC(0)'],
  ['MOVSS', 'f30f1006', 2, '#AC(0)'],
  ['MOVSD xmm', 'f20f1006', 4, '#AC(0)'],
  ['MOVQ mm', '0f6f06', 4, '#AC(0)'],
  ['STMXCSR', '0fae1e', 2, '#AC(0)'],
] as const)
  test(`${title} at offset ${offset}: ${expected}`, () => {
    // UD2 behind it: HLT would be #GP(0) at CPL 3.
    const text = outcomeText(machine(offset).run(`${code} 0f0b`));
    assert.equal(text, expected === 'ok' ? '#UD' : expected);
  });

for (const [title, change] of [
  ['at CPL 0', { cpl: 0 }],
  ['without CR0.AM', { am: false }],
  ['without EFLAGS.AC', { ac: false }],
] as const)
  test(`${title} nothing is checked`, () => {
    assert.equal(outcomeText(machine(2, change).run('8b06 0f0b')), '#UD');
  });

test('accesses of the CPU itself are not checked: a GDT at an odd address', () => {
  const lab = machine(0);
  const { gdtr } = lab.core.state(0);
  const bytes = lab.core.read(gdtr.base, gdtr.limit + 1);
  assert.ok(bytes);
  lab.core.write(0x5003n, bytes);
  lab.set({ rax: BigInt(SELECTOR.userData | 3) }, { gdtr: { ...gdtr, base: 0x5003n } });
  assert.equal(outcomeText(lab.run('8ed8 0f0b')), '#UD');
});
