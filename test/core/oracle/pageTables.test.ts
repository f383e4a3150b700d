/** QEMU's `info mem` and `info tlb` of a guest whose page tables are known, in each paging mode. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatRange } from '../../../server/src/address/format';
import type { Machine } from '../../../server/src/machine/machine';
import { memmap } from '../../../server/src/memory-map/language';
import { SourceText } from '../../../server/src/text/sourceText';
import { askMonitor } from './qemuMonitor';
import { assemble, missingTools } from './tools';

/** A multiboot image at 1 MiB that loads CR4, CR3, EFER and CR0 and stops; its tables begin at 2 MiB. */
const image = (enable: string, tables: string): string => `
bits 32
org 0x100000
header: dd 0x1badb002, 0x10000, -(0x1badb002 + 0x10000), header, header, end, end, start
start:  cli
        ${enable}
halt:   hlt
        jmp halt
        times 0x100000 - ($ - $$) db 0
${tables}
end:
`;
/** A table of entries at indices; QEMU shows no entry without the present bit. */
const table = (name: string, size: 4 | 8, entries: Readonly<Record<number, string>>): string => {
  let at = 0;
  const lines = Object.entries(entries).map(([index, value]) => {
    const skipped = Number(index) - at;
    at = Number(index) + 1;
    return `times ${skipped * size} db 0\n${size === 8 ? 'dq' : 'dd'} ${value}`;
  });
  return `align 4096, db 0\n${name}:\n${lines.join('\n')}\nalign 4096, db 0`;
};

const CR4 = (bits: number): string => `mov eax, ${bits}\nmov cr4, eax`;
const PAGING = 'mov eax, root\nmov cr3, eax\nmov eax, 0x80000001\nmov cr0, eax';
/** EFER with LME and NXE. */
const LONG = 'mov ecx, 0xc0000080\nmov eax, 0x900\nxor edx, edx\nwrmsr';

const IDENTITY_2MIB = { 0: '0x83', 1: '0x83 + 0x200000' };

interface Guest {
  readonly enable: string;
  readonly tables: string;
  /** Linear ranges with the rights that all levels leave; QEMU joins neighbours. Null where QEMU itself is wrong. */
  readonly mem: readonly string[] | null;
  /** Linear range, physical address, page size, rights of the leaves. */
  readonly tlb: readonly string[];
}

const GUESTS: Readonly<Record<string, Guest>> = {
  'long mode': {
    enable: `${CR4(0x20)}\n${LONG}\n${PAGING}`,
    tables: [
      table('root', 8, {
        0: 'low + 3',
        255: 'below + 7',
        256: 'above + 7',
        511: 'top + 3',
      }),
      table('low', 8, { 0: 'directory + 3', 1: '0x40000083', 2: '0x80000083', 4: 'readonly + 1' }),
      table('directory', 8, { ...IDENTITY_2MIB, 2: 'pages + 7', 8: '0x1000083' }),
      table('pages', 8, { 0: '0x5007', 1: '0x6007', 2: '0x7003', 5: '0x8000000000009001' }),
      table('readonly', 8, { 0: '0x83', 1: '0x200083' }),
      table('below', 8, { 511: '0x40000087' }),
      table('above', 8, { 0: '0x80000087' }),
      table('top', 8, { 511: '0x83' }),
    ].join('\n'),
    mem: [
      '[0x0, 0x403000) -rw',
      '[0x405000, 0x406000) -r-',
      '[0x1000000, 0x1200000) -rw',
      '[0x40000000, 0xc0000000) -rw',
      '[0x100000000, 0x100400000) -r-',
      '[0x7fffc0000000, 0x800000000000) urw',
      '[0xffff800000000000, 0xffff800040000000) urw',
      '[0xffffffffc0000000, 0x10000000000000000) -rw',
    ],
    tlb: [
      '[0x0, 0x400000) 0 2097152 -wx',
      '[0x400000, 0x402000) 5000 4096 uwx',
      '[0x402000, 0x403000) 7000 4096 -wx',
      '[0x405000, 0x406000) 9000 4096 ---',
      '[0x1000000, 0x1200000) 1000000 2097152 -wx',
      '[0x40000000, 0xc0000000) 40000000 1073741824 -wx',
      '[0x100000000, 0x100400000) 0 2097152 -wx',
      '[0x7fffc0000000, 0x7fffc0200000) 40000000 null uwx',
      '[0xffff800000000000, 0xffff800000200000) 80000000 null uwx',
      '[0xffffffffc0000000, 0xffffffffc0200000) 0 null -wx',
    ],
  },
  'five levels': {
    enable: `${CR4(0x1020)}\n${LONG}\n${PAGING}`,
    tables: [
      table('root', 8, { 0: 'low + 3', 255: 'below + 7', 256: 'above + 7' }),
      table('low', 8, { 0: 'pointers + 3', 256: 'pointers + 3' }),
      table('pointers', 8, { 0: 'directory + 3' }),
      table('directory', 8, { ...IDENTITY_2MIB, 2: 'pages + 7' }),
      table('pages', 8, { 0: '0x5007', 511: '0x8000000000006003' }),
      table('below', 8, { 511: 'pointers + 7' }),
      table('above', 8, { 0: 'pointers + 7' }),
    ].join('\n'),
    // mem_info_la57 skips the PDPTEs and PDEs that are present, in QEMU 7.2 at least.
    mem: null,
    tlb: [
      '[0x0, 0x400000) 0 2097152 -wx',
      '[0x400000, 0x401000) 5000 4096 uwx',
      '[0x5ff000, 0x600000) 6000 4096 -w-',
      '[0x800000000000, 0x800000400000) 0 2097152 -wx',
      '[0x800000400000, 0x800000401000) 5000 4096 uwx',
      '[0x8000005ff000, 0x800000600000) 6000 4096 -w-',
      '[0xffff8000000000, 0xffff8000400000) 0 2097152 -wx',
      '[0xffff8000400000, 0xffff8000401000) 5000 4096 uwx',
      '[0xffff80005ff000, 0xffff8000600000) 6000 4096 -w-',
      '[0xff00000000000000, 0xff00000000400000) 0 2097152 -wx',
      '[0xff00000000400000, 0xff00000000401000) 5000 4096 uwx',
      '[0xff000000005ff000, 0xff00000000600000) 6000 4096 -w-',
    ],
  },
  PAE: {
    enable: `${CR4(0x20)}\nmov ecx, 0xc0000080\nmov eax, 0x800\nxor edx, edx\nwrmsr\n${PAGING}`,
    tables: [
      table('root', 8, { 0: 'directory + 1', 3: 'last + 1' }),
      table('directory', 8, { ...IDENTITY_2MIB, 2: 'pages + 7' }),
      table('pages', 8, { 0: '0x8000000000005003', 511: '0x6001' }),
      table('last', 8, { 511: '0x83' }),
    ].join('\n'),
    mem: ['[0x0, 0x401000) -rw', '[0x5ff000, 0x600000) -r-', '[0xffe00000, 0x100000000) -rw'],
    tlb: [
      '[0x0, 0x400000) 0 2097152 -wx',
      '[0x400000, 0x401000) 5000 4096 -w-',
      '[0x5ff000, 0x600000) 6000 4096 --x',
      '[0xffe00000, 0x100000000) 0 2097152 -wx',
    ],
  },
  '32-bit paging': {
    enable: `${CR4(0x10)}\n${PAGING}`,
    tables: [
      table('root', 4, { 0: '0x83', 1: '0x400083', 2: 'pages + 7', 1023: '0x83' }),
      table('pages', 4, { 0: '0x5007', 1: '0x6003' }),
    ].join('\n'),
    mem: [
      '[0x0, 0x800000) -rw',
      '[0x800000, 0x801000) urw',
      '[0x801000, 0x802000) -rw',
      '[0xffc00000, 0x100000000) -rw',
    ],
    tlb: [
      '[0x0, 0x800000) 0 4194304 -wx',
      '[0x800000, 0x801000) 5000 4096 uwx',
      '[0x801000, 0x802000) 6000 4096 -wx',
      '[0xffc00000, 0x100000000) 0 4194304 -wx',
    ],
  },
};

const memRows = ({ mappings = [] }: Machine): string[] =>
  mappings.map(
    ({ linear, user, writable }) => `${formatRange(linear)} ${user ? 'u' : '-'}r${writable ? 'w' : '-'}`,
  );

const tlbRows = ({ mappings = [] }: Machine): string[] =>
  mappings.map(
    ({ linear, physical, pageSize, user, writable, executable }) =>
      `${formatRange(linear)} ${physical!.toString(16)} ${pageSize} ${user ? 'u' : '-'}${writable ? 'w' : '-'}${executable ? 'x' : '-'}`,
  );

for (const [name, guest] of Object.entries(GUESTS))
  test(`info mem and info tlb of ${name}`, { skip: missingTools('nasm', 'qemu-system-x86_64') }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bootpath-monitor-'));
    try {
      const kernel = join(folder, 'kernel');
      writeFileSync(kernel, assemble(image(guest.enable, guest.tables)));
      const text = await askMonitor(
        ['-M', 'pc', '-cpu', 'max', '-m', '64', '-kernel', kernel],
        ['info mem', 'info tlb'],
        2000,
      );
      const { machines, problems } = memmap.parse(new SourceText('file:///monitor.txt', text), {
        files: new Map(),
      });
      assert.deepEqual(problems, []);
      const machine = (producer: string): Machine =>
        machines.find((each) => each.producer === producer) ?? assert.fail(text);
      if (guest.mem) assert.deepEqual(memRows(machine('QEMU info mem')), guest.mem, text);
      assert.deepEqual(tlbRows(machine('QEMU info tlb')), guest.tlb, text);
      assert.deepEqual(
        machines.flatMap(({ regions }) => regions),
        [],
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
