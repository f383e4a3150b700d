/** Runs from captured registers and memory, on the command line. */
import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { coreFile } from '../unit/simulation/coreFile';
import { buildCommandLine, type CommandLine } from './bundledCommandLine';

const TICKER = join(process.env.BOOTPATH_ROOT!, 'test/fixtures/state/ticker.bin');
let cli: CommandLine;

before(async () => {
  cli = await buildCommandLine();
});

after(() => cli.remove());

interface ReportJson {
  outcome: string;
  console: string;
  vcpus: { registers: Record<string, unknown>; symbol: string | null }[];
  notModelled: string[];
}

const run = (...args: readonly string[]) => cli.run(['simulate', ...args]);
const json = (...args: readonly string[]): ReportJson =>
  JSON.parse(run(...args, '--format', 'json').stdout) as ReportJson;

/** `out dx, al; inc eax; cmp al, 'F'; jb back; cli; hlt`. */
const LETTERS = Uint8Array.of(0xee, 0x40, 0x3c, 0x46, 0x72, 0xfa, 0xfa, 0xf4);
const REGISTERS = `EAX=00000041 EBX=00000000 ECX=00000000 EDX=000003f8
ESI=00000000 EDI=00000000 EBP=00000000 ESP=00007000
EIP=00100000 EFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=0
ES =0010 00000000 ffffffff 00cf9300 DPL=0 DS   [-WA]
CS =0008 00000000 ffffffff 00cf9a00 DPL=0 CS32 [-R-]
SS =0010 00000000 ffffffff 00cf9300 DPL=0 DS   [-WA]
DS =0010 00000000 ffffffff 00cf9300 DPL=0 DS   [-WA]
FS =0010 00000000 ffffffff 00cf9300 DPL=0 DS   [-WA]
GS =0010 00000000 ffffffff 00cf9300 DPL=0 DS   [-WA]
LDT=0000 00000000 0000ffff 00008200 DPL=0 LDT
TR =0000 00000000 0000ffff 00008b00 DPL=0 TSS32-busy
GDT=     00000000 00000000
IDT=     00000000 000003ff
CR0=00000011 CR2=00000000 CR3=00000000 CR4=00000000
DR6=ffff0ff0 DR7=00000400
EFER=0000000000000000
`;
const memory = (): Uint8Array => {
  const bytes = new Uint8Array(0x200000);
  bytes.set(LETTERS, 0x100000);
  return bytes;
};
const core = () =>
  coreFile({
    machine: 3,
    vcpus: [
      {
        rip: 0x100000n,
        cr0: 0x11n,
        general: { rax: 0x41n, rdx: 0x3f8n },
        cs: [8, 0n, 0xffffffff, 0x00cf9a00],
      },
    ],
    memory: [{ physical: 0n, bytes: memory() }],
  });

test('a core of QEMU is recognised by its content, and its gaps are told', () => {
  const file = cli.write('guest.core', core());
  const report = json(file);
  assert.equal(report.outcome, 'halted');
  assert.equal(report.console, 'ABCDE');
  assert.match(report.notModelled.join('\n'), /EFER, which the dump does not have/);
  assert.doesNotMatch(report.notModelled.join('\n'), /the loader writes/);
});

test('registers as QEMU prints them, and memory images at their addresses', () => {
  const registers = cli.write('registers.txt', REGISTERS);
  const code = cli.write('code.bin', LETTERS);
  assert.equal(json('--registers', registers, '--memory-image', `${code}@1M`).console, 'ABCDE');
  assert.equal(json(cli.write('guest.core', core()), '--registers', registers).console, 'ABCDE');
});

test('the registers of a report start a run', () => {
  const half = json(cli.write('guest.core', core()), '--max-instructions', '10');
  assert.equal(half.console, 'ABC');
  const registers = cli.write('report.json', JSON.stringify(half));
  const image = cli.write('memory.bin', memory());
  assert.equal(json('--registers', registers, '--memory-image', `${image}@0`).console, 'DE');
});

test('a captured run can be saved and continued', () => {
  const state = join(cli.folder, 'captured.state');
  const file = cli.write('guest.core', core());
  run(file, '--save', state, '--save-at', '9');
  assert.deepEqual(json(state), json(file));
});

test('bad usage is told with the reason', () => {
  const registers = cli.write('registers.txt', REGISTERS);
  const code = cli.write('code.bin', LETTERS);
  const file = cli.write('guest.core', core());
  for (const [args, message] of [
    [[file, '--cpus', '2'], /--cpus does not go with a captured state/],
    [[file, '--memory-image', `${code}@0`], /--memory-image goes with --registers alone/],
    [['--memory-image', `${code}@0`], /--memory-image goes with --registers FILE/],
    [[TICKER, '--registers', registers], /--registers goes with a core of QEMU or with --memory-image/],
    [['--registers', registers, '--memory-image', code], /FILE@ADDRESS is needed/],
    [
      ['--registers', registers, '--memory-image', `${code}@0`, '--memory-image', `${code}@4`],
      /\[0x0, 0x8\) and \[0x4, 0xc\) overlap/,
    ],
    [['--registers', code], /neither JSON nor what QEMU prints/],
    [[cli.write('kdump', 'KDUMP   ...')], /kdump: it is a kdump-compressed dump/],
    [[cli.write('cut.core', core().subarray(0, 6000))], /cut\.core: .* the dump is truncated/],
  ] as const) {
    const { code: exit, stderr } = run(...args);
    assert.equal(exit, 2, stderr);
    assert.match(stderr, message);
  }
});
