/** `bootpath simulate IMAGE`: kernels without a config on the command line. */
import { strict as assert } from 'node:assert';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { SETUP } from '../../server/src/machine/image/linuxImage';
import { linuxFile } from '../unit/image/linuxFile';
import { noteBytes, noteFile, number } from '../unit/image/noteFile';
import { buildCommandLine, type CommandLine } from './bundledCommandLine';

let cli: CommandLine;

before(async () => {
  cli = await buildCommandLine();
});
after(() => cli.remove());

const HLT = 0xf4;

interface Report {
  outcome: string;
  instructions: number;
  vcpus: { mode: string; registers: Record<string, string> }[];
}

/** A vmlinux with a PVH entry that halts. */
const VMLINUX = noteFile(noteBytes([{ owner: 'Xen', type: 18, descriptor: number(0x100000n, 4) }]), {
  code: Uint8Array.of(HLT),
});

/** A bzImage that halts at its 64-bit entry, with a payload. */
function bzImage(payload: Uint8Array): Uint8Array {
  const kernel = new Uint8Array(0x300 + payload.length);
  kernel[0x200] = HLT;
  kernel.set(payload, 0x300);
  return linuxFile({
    kernel,
    fields: [
      [SETUP.payloadOffset, 4, 0x300],
      [SETUP.payloadLength, 4, payload.length],
    ],
  });
}

function simulate(image: Uint8Array, args: readonly string[]): Report {
  const { stdout, stderr } = cli.run(['simulate', cli.write('image', image), ...args, '--format', 'json']);
  assert.equal(stderr, '');
  return JSON.parse(stdout) as Report;
}

for (const [title, image, args, mode] of [
  ['a bzImage boots by its 64-bit entry', bzImage(VMLINUX), [], 'long'],
  ['packed with gzip too', gzipSync(bzImage(VMLINUX)), [], 'long'],
  ['an ELF file with a PVH note boots by it', VMLINUX, [], 'protected-32'],
  [
    '--protocol pvh boots the payload of a bzImage',
    bzImage(gzipSync(VMLINUX)),
    ['--protocol', 'pvh'],
    'protected-32',
  ],
  ['--protocol linux-elf64 boots the payload too', bzImage(VMLINUX), ['--protocol', 'linux-elf64'], 'long'],
] as const) {
  test(title, () => {
    const { outcome, instructions, vcpus } = simulate(image, args);
    assert.deepEqual([outcome, instructions, vcpus[0]!.mode], ['halted', 1, mode]);
  });
}

test('an image comes from standard input too', () => {
  const { stdout } = cli.run(['simulate', '-', '--format', 'json'], { input: bzImage(VMLINUX) });
  assert.equal((JSON.parse(stdout) as Report).outcome, 'halted');
});

/** A bzImage that loads EAX from its command line and EBX from its initial RAM disk. */
function readingImage(): Uint8Array {
  // MOV EAX, [RSI+0x228]; MOV EAX, [RAX]; MOV EBX, [RSI+0x218]; MOV EBX, [RBX]; HLT
  const code = [
    ...[0x8b, 0x86, 0x28, 0x02, 0x00, 0x00, 0x8b, 0x00],
    ...[0x8b, 0x9e, 0x18, 0x02, 0x00, 0x00, 0x8b, 0x1b, HLT],
  ];
  const kernel = new Uint8Array(0x400);
  kernel.set(code, 0x200);
  return linuxFile({ kernel });
}

const letters = (text: string) => `0x${Buffer.from(text).readUInt32LE().toString(16)}`;

test('--append is the command line, --initrd the initial RAM disk', () => {
  const initrd = cli.write('initrd', 'disk');
  const { vcpus } = simulate(readingImage(), ['--append', 'abcd', '--initrd', initrd]);
  const { rax, rbx } = vcpus[0]!.registers;
  assert.deepEqual([rax, rbx], [letters('abcd'), letters('disk')]);
});

test('without --append Linux is told to write to the serial console', () => {
  const { vcpus } = simulate(readingImage(), []);
  assert.equal(vcpus[0]!.registers['rax'], letters('cons'));
});

test('an empty --append is an empty command line', () => {
  const { vcpus } = simulate(readingImage(), ['--append', '']);
  assert.equal(vcpus[0]!.registers['rax'], '0x0');
});

test('an image that cannot be loaded: the reason and nothing else, exit 1', () => {
  const file = cli.write('image', linuxFile({ fields: [[SETUP.initSize, 4, 0x10000000]] }));
  const { stdout, code } = cli.run(['simulate', file]);
  assert.match(
    stdout.replace(/\s+/g, ' '),
    /^Simulated boot of ".*" under pc@i440fx Outcome: vmm-exit The VM does not start: the image cannot be loaded: init_size 0x10000000 from 0x100000 on is not all RAM\. $/,
  );
  assert.equal(code, 1);
});

test('a compression that is not unpacked is told in one sentence, exit 2', () => {
  const file = cli.write('vmlinux.xz', Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00));
  const { stderr, code } = cli.run(['simulate', file]);
  assert.match(
    stderr,
    /^bootpath: The kernel image is packed with xz; only gzip and LZ4 are unpacked here\.\n$/,
  );
  assert.equal(code, 2);
});

test('a file that is no image and too long for a text is refused by its length', () => {
  const { code, stderr } = cli.run(['simulate', cli.write('zeros', new Uint8Array((64 << 20) + 1))]);
  assert.match(stderr, /zeros: no known image, and its 67108865 bytes are more than the 64 MiB/);
  assert.equal(code, 2);
});

test('an option ROM whose name does not fit into fw_cfg is refused with its length', () => {
  const rom = new Uint8Array(0x1_0000).fill(0x90);
  rom.set([0xeb, 0xfe], 0xfff0);
  const long = cli.write(`${'x'.repeat(45)}.rom`, 'rom');
  const { code, stderr } = cli.run(['simulate', cli.write('bios.rom', rom), '--option-rom', long]);
  assert.match(stderr, /genroms\/x{45}\.rom, and names in fw_cfg have 55 bytes at most/);
  assert.equal(code, 2);
});

test('a device without an end is refused by what was read of it', { skip: !existsSync('/dev/zero') }, () => {
  const { code, stderr } = cli.run(['simulate', '/dev/zero']);
  assert.match(stderr, /\/dev\/zero: it goes on after 1073741824 bytes/);
  assert.equal(code, 2);
});
