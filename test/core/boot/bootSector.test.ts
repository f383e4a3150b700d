/** Raw disk images on the plain PC: the services of its BIOS as a boot sector finds them. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createCore } from '../../../server/emulator/core';
import type { Core, CoreOptions } from '../../../server/emulator/face';
import type { BootReport, SimulationRequest } from '../../../server/src/simulation/report';
import { simulate } from '../../../server/src/simulation/simulate';
import { protocolFor } from '../../../server/src/vmm/loaders/protocols';
import { pcMachine } from '../../../server/src/vmm/pc/machine';
import { PC } from '../../../server/src/vmm/pc/model';
import { multibootFile } from '../../unit/simulation/multibootFile';
import { assemble, missingTools } from '../oracle/tools';

const missing = missingTools('nasm');
const options = missing ? { skip: missing } : {};
const HLT = 'cli\nhlt\n';

function boot(
  disk: Uint8Array,
  memory = 64n << 20n,
  more: Partial<SimulationRequest> = {},
): { report: BootReport; core: Core } {
  let core: Core | null = null;
  const report = simulate(
    pcMachine({ name: 'disk', memory, vcpus: 1 }),
    PC,
    'i440fx',
    {
      machine: null,
      firmware: null,
      kernel: disk,
      probe: null,
      taps: [],
      maxInstructions: 20_000_000,
      reboots: 0,
      boot: {
        protocol: 'boot-sector',
        imageName: 'disk',
        commandLine: '',
        modules: [],
      },
      ...more,
    },
    {
      createCore: (asked: CoreOptions) => (core = createCore(asked)),
      cancelled: () => false,
      progress: () => undefined,
    },
  );
  return { report, core: core as unknown as Core };
}

/** A disk of `size` bytes whose first sector runs `code`, at 0000:7C00 in 16-bit mode. */
function disk(code: string, size = 512): Uint8Array {
  const bytes = new Uint8Array(size);
  bytes.set(assemble(`bits 16\norg 0x7c00\n${code}\n`));
  bytes.set([0x55, 0xaa], 510);
  return bytes;
}

/** The general registers where `code` ends, which HLT does. */
function registers(code: string, size?: number, memory?: bigint) {
  const { report, core } = boot(disk(code + '\n' + HLT, size), memory);
  assert.equal(report.outcome, 'halted', report.reason);
  const { general, rflags } = report.vcpus[0]!.registers;
  const low = (name: keyof typeof general) => Number(general[name] & 0xffffn);
  return {
    ...{ ax: low('rax'), bx: low('rbx'), cx: low('rcx'), dx: low('rdx') },
    carry: (rflags & 1n) !== 0n,
    zero: (rflags & 0x40n) !== 0n,
    console: report.console,
    core,
  };
}

test('a boot sector reads its later stages and reaches long mode', options, () => {
  const file = join(process.env['BOOTPATH_ROOT'] ?? '.', 'test/fixtures/boot/two-stage.asm');
  const { report, core } = boot(Uint8Array.from(assemble(readFileSync(file, 'utf8'))));
  assert.equal(report.console, 'sector one\r\nsector two\r\nprotected mode\r\nlong mode\r\n');
  assert.equal(report.outcome, 'halted', report.reason);
  const word = (at: number) => {
    const [low, high] = core.read(BigInt(at), 2)!;
    return low! | (high! << 8);
  };
  assert.equal(word(0x9000), 63 * 1024, 'INT 15h 88h: KiB from 1 MiB');
  assert.deepEqual([word(0x9002), word(0x9004)], [15 * 1024, 48 * 16], 'INT 15h E801h');
  assert.equal((word(0x9010) - 0x9100) / 20, 4, 'entries of INT 15h E820h');
  assert.equal(word(0x9012), 2, 'ticks of two HLTs');
});

for (const [name, size, drive] of [
  ['512 bytes are a hard disk', 512, 0x80],
  ['1.44 MB are a floppy', 1440 * 1024, 0x00],
  ['any other size is a hard disk', 1441 * 1024, 0x80],
] as const) {
  test(`${name}: DL is ${drive.toString(16)}h`, options, () => {
    assert.equal(registers('', size).dx & 0xff, drive);
  });
}

/** What a service leaves in AX and whether it refuses. */
for (const [name, code, expected] of [
  ['INT 10h 0Fh: 80 columns, mode 3', 'mov ah, 0x0f\nint 0x10', { ax: 0x5003 }],
  ['INT 10h 4F00h (VBE) is refused', 'clc\nmov ax, 0x4f00\nint 0x10', { ax: 0x8600, carry: true }],
  ['INT 11h: FPU, 80x25, one serial port', 'int 0x11', { ax: 0x0222 }],
  ['INT 12h: 639 KiB', 'int 0x12', { ax: 639 }],
  [
    'INT 13h 08h of a hard disk',
    'mov ah, 8\nmov dl, 0x80\nint 0x13',
    { cx: 0x003f, dx: 0x0f01, carry: false },
  ],
  ['INT 13h 15h: a hard disk, CX:DX sectors', 'mov ah, 0x15\nmov dl, 0x80\nint 0x13', { ax: 0x0300, dx: 1 }],
  [
    'INT 13h 41h: the packet structure',
    'mov ah, 0x41\nmov bx, 0x55aa\nmov dl, 0x80\nint 0x13',
    { bx: 0xaa55, cx: 1, carry: false },
  ],
  ['INT 13h: there is one drive', 'mov ax, 0x0201\nmov dl, 0x81\nint 0x13', { ax: 0x0101, carry: true }],
  [
    'INT 13h 02h behind the end of the disk',
    'mov ax, 0x0201\nmov cx, 2\nmov dx, 0x80\nmov bx, 0x8000\nint 0x13',
    { ax: 0x0400, carry: true },
  ],
  [
    'INT 13h 02h of sector 0',
    'mov ax, 0x0201\nmov cx, 0\nmov dx, 0x80\nmov bx, 0x8000\nint 0x13',
    { ax: 0x0400, carry: true },
  ],
  ['INT 13h 43h: writes are refused', 'mov ah, 0x43\nmov dl, 0x80\nint 0x13', { ax: 0x0300, carry: true }],
  ['INT 14h 03h: the transmitter is empty', 'mov ah, 3\nmov dx, 0\nint 0x14\nand ax, 0x6000', { ax: 0x6000 }],
  ['INT 15h 2403h: A20 by port 92h', 'mov ax, 0x2403\nint 0x15', { ax: 0x0003, bx: 2, carry: false }],
  ['INT 15h 2402h: A20 is on', 'mov ax, 0x2402\nint 0x15', { ax: 0x0001, carry: false }],
  ['INT 15h C0h: model FC', 'mov ah, 0xc0\nint 0x15\nmov ax, [es:bx + 2]', { ax: 0x01fc, carry: false }],
  ['INT 15h C1h: the EBDA', 'mov ah, 0xc1\nint 0x15\nmov bx, es', { bx: 0x9fc0, carry: false }],
  ['INT 15h 53h (APM) is refused', 'mov ax, 0x5300\nint 0x15', { ax: 0x8600, carry: true }],
  [
    'INT 15h E820h with another signature',
    'mov eax, 0xe820\nxor edx, edx\nint 0x15',
    { ax: 0x8620, carry: true },
  ],
  ['INT 16h 01h: no key', 'mov ah, 1\nint 0x16', { zero: true }],
  [
    'INT 16h 05h puts a key into the buffer, 00h takes it out',
    'mov ah, 5\nmov cx, 0x1e61\nint 0x16\nmov ah, 0\nint 0x16',
    { ax: 0x1e61 },
  ],
  ['INT 17h: no printer', 'mov ah, 2\nmov dx, 0\nint 0x17', { ax: 0x0100 }],
  ['INT 1Ah 04h: the date', 'mov ah, 4\nint 0x1a', { cx: 0x2026, dx: 0x0101, carry: false }],
  ['INT 1Ah 02h: the time', 'mov ah, 2\nint 0x1a', { cx: 0x0000, carry: false }],
  ['INT 1Ah B101h (PCI) is refused', 'mov ax, 0xb101\nint 0x1a', { ax: 0x8601, carry: true }],
] as const) {
  test(name, options, () => {
    const found = registers(`xor eax, eax\nmov ds, ax\n${code}`);
    for (const [key, value] of Object.entries(expected)) {
      assert.equal(found[key as keyof typeof expected], value, key);
    }
  });
}

test('text of INT 10h goes to COM1, and a cursor on another row starts a new line', options, () => {
  const { console } = registers(`
    mov ax, 0x0e41
    int 0x10
    mov ax, 0x0942
    mov cx, 1
    int 0x10
    mov ah, 2
    mov dx, 0x0500
    mov bh, 0
    int 0x10
    mov ax, 0x1301
    mov cx, 4
    mov dx, 0x0500
    mov bp, text
    int 0x10
    mov ah, 3
    int 0x10
    jmp over
    text: db "four"
    over:`);
  assert.equal(console, 'AB\r\nfour');
});

test('INT 15h 87h moves memory above 1 MiB and back to real mode', options, () => {
  const { core, carry } = registers(
    `
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ah, 0x87
    mov cx, 4
    mov si, table
    int 0x15
    mov ax, ds
    jmp over
    table: times 16 db 0
    dw 0xffff, text
    db 0, 0x93, 0, 0
    dw 0xffff, 0x4567
    db 0x23, 0x93, 0, 0x01
    times 16 db 0
    text: db "BootPath"
    over:`,
    512,
  );
  assert.equal(Buffer.from(core.read(0x01234567n, 8)!).toString(), 'BootPath');
  assert.ok(!carry);
});

test('INT 15h 86h waits as long as it is told to', options, () => {
  const { core } = registers('mov ah, 0x86\nmov cx, 0\nmov dx, 1000\nint 0x15');
  // One instruction is one nanosecond.
  assert.ok(core.now > 1_000_000 && core.now < 1_200_000, `${core.now} ns`);
});

for (const [name, bytes, message] of [
  ['an exception that nobody handles is named', 'ud2', /exception 06 without a handler at 0000:7C00/],
  [
    '#GP of a real-mode limit is told from IRQ 5',
    'mov bx, 0xffff\nmov ax, [bx]',
    /exception 0D .* 0000:7C03/,
  ],
  ['INT 18h ends with a message', 'int 0x18', /No bootable device\./],
] as const) {
  test(name, options, () => {
    const { report } = boot(disk(bytes));
    assert.equal(report.outcome, 'halted', report.reason);
    assert.match(report.console, message);
  });
}

test('a disk without the signature does not start', () => {
  const { report } = boot(new Uint8Array(512));
  assert.match(report.reason, /its first sector does not end in 55 AA/);
});

test('a jump to F000:FFF0 restarts the machine, as Linux asks for with reboot=b', options, () => {
  const { report } = boot(disk('mov word [0x472], 0x1234\njmp 0xf000:0xfff0'));
  assert.equal(report.outcome, 'reset');
  assert.match(report.reason, /port 0xcf9/);
});

for (const [name, reply, key] of [
  ['a letter comes without a scan code', 'x', 0x0078],
  ['carriage return is Enter', '\r', 0x1c0d],
  ['line feed is Enter', '\n', 0x1c0d],
  ['delete is Backspace', '\x7f', 0x0e08],
  ['escape', '\x1b', 0x011b],
] as const) {
  test(`what is typed on COM1 reaches INT 16h: ${name}`, options, () => {
    const code = 'mov ax, 0x0e3e\nint 0x10\nmov ax, 0x0e20\nint 0x10\nmov ah, 0\nint 0x16\n' + HLT;
    const { report } = boot(disk(code), undefined, { answers: [{ prompt: '> ', reply }] });
    assert.equal(report.outcome, 'halted', report.reason);
    assert.equal(Number(report.vcpus[0]!.registers.general.rax & 0xffffn), key);
  });
}

test('a disk with a Multiboot header behind its first sector is a disk, as GRUB’s are', () => {
  const image = new Uint8Array(1024);
  image.set(multibootFile(Uint8Array.of(0xf4)), 512);
  assert.equal(protocolFor(image, null)?.name, 'multiboot');
  image.set([0x55, 0xaa], 510);
  assert.equal(protocolFor(image, null)?.name, 'boot-sector');
});
