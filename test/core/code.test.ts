/** Decoded code is never stale: the guest and the host may write it at any time (SDM vol. 3, 8.1.3). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HEAP_TOP, MEMORY_END } from '../../server/emulator/assembly/layout';
import { CODE, DATA, Lab, bytesOf, outcomeText } from './lab';

test('an instruction that overwrites the next one', () => {
  // mov byte [next], 0x40 (inc eax in place of dec eax); next: dec eax
  const lab = new Lab({ mode: 'protected-32' }).set({ rax: 5n });
  assert.equal(lab.run('c605 07800000 40 48').state.general.rax, 6n);
});

test('a loop that changes itself on each turn', () => {
  // add [imm of mov], 1; mov eax, imm; dec ecx; jnz
  const lab = new Lab({ mode: 'protected-32' }).set({ rcx: 50n });
  const { state } = lab.run('8305 08800000 01 b8 00000000 49 75f1', 1000);
  assert.equal(state.general.rax, 50n);
});

test('code written through another linear address', () => {
  const lab = new Lab({ mode: 'paging-32' }).set({ rax: 5n, rsi: 0x20000n });
  lab.put(lab.entryOf(0x20000n), CODE | 7n, 4);
  assert.equal(lab.run('c646 04 40 48').state.general.rax, 6n);
});

test('a string store over the code', () => {
  const lab = new Lab({ mode: 'protected-32' }).set({ rax: 0x40n, rcx: 3n, rdi: CODE + 2n });
  // rep stosb over the three DECs that follow
  assert.equal(lab.run('f3aa 48 48 48').state.general.rax, 0x43n);
});

test('the host writes code between two runs', () => {
  const lab = new Lab({ mode: 'protected-32' });
  assert.equal(lab.run('40').state.general.rax, 1n);
  lab.core.setActivity(0, 'running');
  lab.core.write(CODE, Uint8Array.from(bytesOf('40404040f4')));
  lab.set({}, { rip: CODE });
  assert.equal(lab.go().state.general.rax, 5n);
});

test('the same bytes as 16, 32 and 64-bit code', () => {
  // 40 48 b8 …: inc ax, dec ax, mov ax in 16 bits; in 64 bits REX prefixes and a 64-bit immediate.
  const bytes = '48b8 1122334455667788';
  assert.equal(new Lab({ mode: 'long' }).run(bytes).state.general.rax, 0x8877665544332211n);
  assert.equal(new Lab({ mode: 'protected-32' }).run('48b811223344').state.general.rax, 0x44332211n);
  assert.equal(new Lab({ mode: 'protected-16' }).run('48b81122').state.general.rax & 0xffffn, 0x2211n);
});

test('a page that no longer holds code is written at full speed again', () => {
  const lab = new Lab({ mode: 'protected-32' }).set({ rdi: DATA, rcx: 1024n, rax: 0x90909090n });
  lab.put(DATA, 0xc3, 1);
  // call the page, then fill it, then call it again (its first byte is NOP now, RET at its end)
  const { state } = lab.run(`e8fb0f0000 f3ab c605 ff9f0000 c3 e8ed0f0000`, 10000);
  assert.equal(state.general.rdi, 0xa000n);
  assert.equal(state.general.rsp, 0x7000n);
});

test('code fetched from MMIO comes byte by byte from the bus', () => {
  const code = bytesOf('b878563412f4');
  const reads: bigint[] = [];
  const lab = new Lab({
    mode: 'protected-32',
    bus: {
      readMmio(address, size) {
        assert.equal(size, 1);
        reads.push(address);
        return BigInt(code[Number(address - 0x800000n)] ?? 0xff);
      },
    },
  }).set({}, { rip: 0x800000n });
  assert.equal(lab.go().state.general.rax, 0x12345678n);
  assert.ok(
    reads.every((address) => address < 0x800006n),
    'no further than the instructions go',
  );
});

test('ROM can be executed, not written: the write goes to the bus', () => {
  const writes: bigint[] = [];
  const lab = new Lab({ bus: { writeMmio: (address) => void writes.push(address) } });
  lab.core.map(0x100000n, 0x101000n, 'rom');
  lab.core.write(0x100000n, Uint8Array.from(bytesOf('c605 00001000 90 f4')));
  assert.equal(outcomeText(lab.set({}, { rip: 0x100000n }).go()), 'ok');
  assert.deepEqual(writes, [0x100000n]);
  assert.equal(lab.get(0x100000n, 1), 0xc6n);
});

test('a page keeps its content while its slot is away', () => {
  const lab = new Lab({ mode: 'protected-32' }).set({ rsi: 0x200000n });
  lab.put(0x200000n, 0x1234, 2);
  lab.core.map(0x200000n, 0x201000n, 'mmio');
  assert.equal(lab.core.read(0x200000n, 2), null);
  assert.equal(lab.run('8b06').state.general.rax, 0xffffffffn, 'the bus answers');
  lab.core.map(0x200000n, 0x201000n, 'ram');
  assert.equal(lab.get(0x200000n, 2), 0x1234n);
});

test('guest memory beyond what one WebAssembly memory holds ends the run, and can be tried again', () => {
  const lab = new Lab({ mode: 'protected-32' }).set({ rdi: 0x100000n });
  lab.put(CODE, 0, 1);
  // As if nearly all of it were in use already.
  const { memory } = Reflect.get(lab.core, 'wasm') as { memory: WebAssembly.Memory };
  const view = new DataView(memory.buffer);
  const used = view.getUint32(HEAP_TOP, true);
  view.setUint32(HEAP_TOP, MEMORY_END, true);
  const outcome = lab.run('8807');
  assert.equal(outcome.exit.reason, 'memory');
  assert.equal(outcome.state.rip, CODE);
  assert.equal(lab.core.write(0x100000n, Uint8Array.of(1)), false);
  view.setUint32(HEAP_TOP, used, true);
  assert.equal(outcomeText(lab.go()), 'ok');
});

test('RAM costs what is touched, wherever it lies', () => {
  const lab = new Lab({ mode: 'long' });
  const before = lab.core.touchedPages;
  lab.core.map(1n << 32n, (1n << 32n) + (5n << 30n), 'ram');
  lab.put((1n << 32n) + 0x12345678n, 0xabcdn, 2);
  assert.equal(lab.core.touchedPages, before + 1);
  assert.deepEqual([...(lab.core.read((1n << 33n) - 2n, 4) ?? [])], [0, 0, 0, 0]);
  assert.equal(lab.core.touchedPages, before + 1, 'reading as the host touches nothing');
});
