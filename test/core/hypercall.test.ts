/** VMCALL and VMMCALL: #UD without a hypervisor; with one, its answer is in rAX (SDM vol. 2; APM vol. 3). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kvmHypercall } from '../../server/src/vmm/kvm/hypercalls';
import { Lab, outcomeText, type LabMode } from './lab';

const VMCALL = '0f01c1';
const VMMCALL = '0f01d9';
const CLOCK_PAIRING = 9n;

const answered = (mode: LabMode, code: string, rax: bigint) => {
  const asked: { number: bigint; cpl: number }[] = [];
  const hypercall = (number: bigint, cpl: number) => {
    asked.push({ number, cpl });
    return kvmHypercall(number, cpl);
  };
  const lab = new Lab({ mode, bus: { hypercall } }).set({ rax });
  const { state, fault } = lab.run(code);
  return { asked, fault, rax: state.general.rax };
};

for (const [name, code] of Object.entries({ VMCALL, VMMCALL })) {
  test(`${name} is #UD where nobody answers`, () => {
    assert.equal(outcomeText(new Lab({ mode: 'long' }).run(code)), '#UD');
    const deaf = new Lab({ mode: 'long', bus: { hypercall: () => null } });
    assert.equal(outcomeText(deaf.run(code)), '#UD');
  });

  test(`${name} takes its number from rAX and leaves the answer there`, () => {
    const { asked, fault, rax } = answered('long', code, CLOCK_PAIRING);
    assert.equal(fault, null);
    assert.deepEqual(asked, [{ number: CLOCK_PAIRING, cpl: 0 }]);
    assert.equal(BigInt.asIntN(64, rax), -95n);
  });

  test(`${name} outside 64-bit mode knows 32 bits`, () => {
    const { asked, rax } = answered('protected-32', code, 0x7_0000_0000n + CLOCK_PAIRING);
    assert.equal(asked[0]?.number, CLOCK_PAIRING);
    assert.equal(rax, 0xffffffa1n);
  });

  test(`${name} with an operand-size or repeat prefix is #UD`, () => {
    for (const prefix of ['66', 'f2', 'f3']) {
      const { asked, fault } = answered('long', prefix + code, CLOCK_PAIRING);
      assert.equal(fault?.vector, 6, prefix);
      assert.equal(asked.length, 0);
    }
  });
}

test('KVM refuses what it does not offer, and everything to user code', () => {
  assert.equal(kvmHypercall(1n, 0), 0n);
  assert.equal(kvmHypercall(5n, 0), -1000n);
  assert.equal(kvmHypercall(CLOCK_PAIRING, 3), -1n);
});
