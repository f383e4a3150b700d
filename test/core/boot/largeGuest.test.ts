/** A guest of 64 GiB costs what it touches; one that touches more than the core can hold ends with a sentence. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCore } from '../../../server/emulator/core';
import * as L from '../../../server/emulator/assembly/layout';
import type { Core, CoreOptions } from '../../../server/emulator/face';
import type { BootReport } from '../../../server/src/simulation/report';
import { simulate } from '../../../server/src/simulation/simulate';
import { pcMemory } from '../../../server/src/vmm/pc/layout';
import { pcMachine } from '../../../server/src/vmm/pc/machine';
import { PC } from '../../../server/src/vmm/pc/model';
import { assemble, missingTools } from '../oracle/tools';
import { multibootFile } from '../../unit/simulation/multibootFile';

const GIB = 1n << 30n;
const RAM_END = pcMemory(64n * GIB).highEnd;
const skip = { skip: missingTools('nasm') };

/** The WebAssembly memory behind a core: not part of its face. */
const memoryOf = (core: Core): WebAssembly.Memory =>
  (core as unknown as { wasm: { memory: WebAssembly.Memory } }).wasm.memory;

function boot(
  code: string,
  memory: bigint,
  prepare: (core: Core) => void = () => undefined,
): { report: BootReport; core: Core } {
  let made: Core | null = null;
  const report = simulate(
    pcMachine({ name: 'large', memory, vcpus: 1 }),
    PC,
    'i440fx',
    {
      machine: null,
      firmware: null,
      kernel: multibootFile(assemble(`bits 32\norg 0x100020\n${code}`)),
      probe: null,
      taps: [],
      maxInstructions: 100_000_000,
      reboots: 0,
      boot: {
        protocol: null,
        imageName: 'large',
        commandLine: '',
        modules: [],
      },
    },
    {
      createCore: (options: CoreOptions) => {
        made = createCore(options);
        prepare(made);
        return made;
      },
      cancelled: () => false,
      progress: () => undefined,
    },
  );
  return { report, core: made as unknown as Core };
}

/** Long mode with pages of 1 GiB for the first 512 GiB. */
const LONG_MODE = `
        mov edi, 0x200000
        mov dword [edi], 0x201003
        mov edi, 0x201000
        xor eax, eax
        xor edx, edx
        mov ecx, 512
.map:   mov ebx, eax
        or ebx, 0x83
        mov [edi], ebx
        mov [edi + 4], edx
        add edi, 8
        add eax, 0x40000000
        adc edx, 0
        loop .map
        mov eax, 0x200000
        mov cr3, eax
        mov eax, cr4
        or eax, 0x20
        mov cr4, eax
        mov ecx, 0xc0000080
        rdmsr
        or eax, 0x100
        wrmsr
        mov eax, cr0
        or eax, 0x80000000
        mov cr0, eax
        lgdt [gdtr]
        jmp 8:.long
gdt:    dq 0, 0x00af9b000000ffff
gdtr:   dw 15
        dd gdt
bits 64
.long:`;

test('three pages high up in 64 GiB: three pages of memory more', skip, () => {
  const addresses = [5n * GIB, 32n * GIB + 0x123456n, RAM_END - 8n];
  const touches = addresses.map((at) => `mov rbx, ${at}\nmov [rbx], rbx\nadd rsi, [rbx]\n`).join('');
  const code = `${LONG_MODE}\nxor esi, esi\n${touches}\ncli\nhlt\n`;
  const without = boot(`${LONG_MODE}\nxor esi, esi\ncli\nhlt\n`, 64n * GIB);
  let before = 0;
  const { report, core } = boot(code, 64n * GIB, (made) => {
    before = memoryOf(made).buffer.byteLength;
  });
  assert.equal(report.outcome, 'halted', report.reason);
  assert.equal(
    report.vcpus[0]!.registers.general.rsi,
    addresses.reduce((sum, at) => sum + at, 0n),
  );
  assert.equal(core.touchedPages, without.core.touchedPages + 3);
  assert.ok(core.touchedPages < 100, `${core.touchedPages} pages`);
  assert.deepEqual(core.touchedIn(5n * GIB, RAM_END), [5n * GIB, 32n * GIB + 0x123000n, RAM_END - 0x1000n]);
  assert.deepEqual(core.touchedIn(5n * GIB + 1n, 32n * GIB + 0x123000n), []);
  const grown = memoryOf(core).buffer.byteLength - before;
  assert.ok(grown <= 8 << 20, `${grown} bytes`);
  for (const at of addresses)
    assert.equal(new DataView(core.read(at, 8)!.slice().buffer).getBigUint64(0, true), at);
  // What nobody touched reads as zeros, and costs nothing.
  assert.deepEqual(core.read(48n * GIB, 16), new Uint8Array(16));
  assert.equal(core.touchedPages, without.core.touchedPages + 3);
});

test('a snapshot of it holds these pages only, and goes on elsewhere', skip, () => {
  const { core } = boot(`${LONG_MODE}\nmov rbx, ${60n * GIB}\nmov [rbx], rbx\ncli\nhlt\n`, 64n * GIB);
  const snapshot = core.snapshot();
  assert.equal(snapshot.pages.length, core.touchedPages);
  const other = boot('hlt\n', 64n * GIB).core;
  other.restore(snapshot);
  assert.deepEqual(other.read(60n * GIB, 8), core.read(60n * GIB, 8));
  assert.equal(other.touchedPages, core.touchedPages);
});

test('beyond the last byte of RAM nothing is allocated: reads are all ones', skip, () => {
  const code = `${LONG_MODE}\nmov rbx, ${RAM_END}\nmov [rbx], rbx\nmov rsi, [rbx]\ncli\nhlt\n`;
  const { report, core } = boot(code, 64n * GIB);
  assert.equal(report.vcpus[0]!.registers.general.rsi, 0xffffffffffffffffn);
  assert.equal(core.read(RAM_END, 1), null);
});

test(
  'a guest that touches more than the core can hold ends with the outcome budget, which says so',
  skip,
  () => {
    // One byte of each page, on and on. All but 2 MiB of the core's memory is taken already.
    const code = `${LONG_MODE}\nmov rbx, ${4n * GIB}\n.next: mov byte [rbx], 1\nadd rbx, 4096\njmp .next\n`;
    const { report, core } = boot(code, 64n * GIB, (made) => {
      new DataView(memoryOf(made).buffer).setUint32(L.HEAP_TOP, L.MEMORY_END - (2 << 20), true);
    });
    assert.equal(report.outcome, 'budget');
    assert.match(report.reason, /memory/);
    assert.ok(core.touchedPages < 512, `${core.touchedPages} pages`);
    // The instruction that needed the page has not happened.
    const { rip, general } = report.vcpus[0]!.registers;
    assert.equal(core.read(rip, 1)![0], 0xc6);
    assert.equal(core.read(general.rbx - 4096n, 1)![0], 1);
    assert.equal(core.read(general.rbx, 1)![0], 0);
  },
);
