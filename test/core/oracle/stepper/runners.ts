/** The same cases on our core, on QEMU's interpreter and on the CPU of this machine. */
import { spawn } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CpuProfile } from '../../../../server/emulator/face';
import { TestBoard } from '../board';
import { runOnHost } from '../hostCpu';
import { IMAGE_LIMIT, runOnBochs } from '../onBochs';
import { testProfile } from '../profile';
import { CASE, RESULT } from './records';
import { BLOCK, CASES, MEMORY, MOST_CASES, RESULTS, stepperBlock, stepperRom, type RomOptions } from './rom';
import type { Mode } from './stage';

/** Runs encoded cases; gives the encoded results. */
export type Runner = (mode: Mode, cases: Uint8Array) => Promise<Uint8Array>;

const countOf = (cases: Uint8Array): number => cases.length / CASE.size;

/** In batches that fit the ROM's memory. */
const batched =
  (run: (mode: Mode, cases: Uint8Array) => Promise<Uint8Array> | Uint8Array, most = MOST_CASES): Runner =>
  async (mode, cases) => {
    const out = new Uint8Array(countOf(cases) * RESULT.size);
    for (let first = 0; first < countOf(cases); first += most) {
      const some = cases.subarray(first * CASE.size, (first + most) * CASE.size);
      out.set(await run(mode, some), first * RESULT.size);
    }
    return out;
  };

/** The reason why a ROM stopped early, with the case that it was in. */
class StepperStopped extends Error {}

export const onCore = (profile: CpuProfile = testProfile(), options: RomOptions = {}): Runner =>
  batched((mode, cases) => {
    const count = countOf(cases);
    const board = new TestBoard({ rom: stepperRom(mode, options), profile, resetPorts: [] });
    board.core.write(BigInt(BLOCK), stepperBlock(mode, count, false));
    board.core.write(BigInt(CASES), cases);
    const exit = board.run(count * 100_000 + 10_000_000);
    const results = board.core.read(BigInt(RESULTS), count * RESULT.size);
    if (exit.reason !== 'exit-port' || !results) {
      const chain = board.core
        .faults(0)
        .map(
          ({ vector, errorCode, reason, state }) =>
            `${vector} (${errorCode ?? 'none'}) at ${state.rip.toString(16)}: ${reason}`,
        );
      const left = board.core.read(0x630d0n, 4);
      const remaining = left ? new DataView(left.buffer).getUint32(0, true) : -1;
      throw new StepperStopped(
        `the core stopped (${exit.reason}) in ${mode.name}, case ${count - remaining} of ${count}: ${chain.join('; ')}`,
      );
    }
    return results;
  });

const QEMU = 'qemu-system-x86_64';

/** The guest's RAM is a file, so that cases and results need no port. */
export const onQemu = (cpu = 'qemu64', options: RomOptions = {}, accelerator = 'tcg'): Runner =>
  batched(async (mode, cases) => {
    const count = countOf(cases);
    const folder = mkdtempSync(join(tmpdir(), 'bootpath-stepper-'));
    const [rom, memory, text] = ['rom', 'memory', 'text'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    try {
      writeFileSync(rom, stepperRom(mode, options));
      const file = openSync(memory, 'w+');
      ftruncateSync(file, MEMORY);
      writeSync(file, stepperBlock(mode, count, false), 0, undefined, BLOCK);
      writeSync(file, cases, 0, undefined, CASES);
      const args = [
        ...['-accel', accelerator, '-cpu', cpu, '-machine', 'pc,memory-backend=ram', '-m', `${MEMORY >> 20}`],
        ...['-object', `memory-backend-file,id=ram,size=${MEMORY >> 20}M,mem-path=${memory},share=on`],
        ...['-nodefaults', '-display', 'none', '-no-reboot', '-bios', rom],
        ...['-chardev', `file,id=text,path=${text}`, '-device', 'isa-debugcon,iobase=0xe9,chardev=text'],
        ...['-device', 'isa-debug-exit,iobase=0xf4'],
      ];
      const code = await exitOf(QEMU, args);
      const results = new Uint8Array(count * RESULT.size);
      readSync(file, results, 0, results.length, RESULTS);
      const left = new DataView(new ArrayBuffer(4));
      readSync(file, left, 0, 4, 0x630d0);
      closeSync(file);
      // isa-debug-exit: (value << 1) | 1, the value being a line feed.
      if (code !== 21)
        throw new StepperStopped(
          `QEMU stopped (${code}) in ${mode.name}, case ${count - left.getUint32(0, true)} of ${count}`,
        );
      return results;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

function exitOf(program: string, args: readonly string[]): Promise<number | string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let complaints = '';
    const giveUp = setTimeout(() => child.kill('SIGKILL'), 120_000);
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (complaints += chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(giveUp);
      resolve(complaints === '' ? (code ?? signal ?? 'killed') : complaints);
    });
  });
}

/** The rules of explained.ts were found on AMD; another maker's CPU has its own quirks. */
export function rulesKnowHost(): string | false {
  const model = cpus()[0]?.model ?? 'unknown';
  return /AMD/.test(model) ? false : `NOT RUN: what differs on this CPU (${model}) has not been looked at`;
}

export const onHost: Runner = (mode, cases) => {
  if (mode.user === undefined) throw new Error(`a Linux process cannot run in ${mode.name}`);
  return Promise.resolve(runOnHost('stepper', cases, String(mode.user)));
};

/** Cases that fit three of Bochs's images; the fourth is the block. */
const BOCHS_CASES = Math.floor((3 * IMAGE_LIMIT) / CASE.size);

/** The cases are RAM images of Bochs, and the results go to the debug port. */
export const onBochs: Runner = batched(async (mode, cases) => {
  const count = countOf(cases);
  const block = stepperBlock(mode, count, true);
  if (block.subarray(IMAGE_LIMIT).some((byte) => byte !== 0)) throw new Error('the block has grown');
  const parts = Array.from({ length: Math.ceil(cases.length / IMAGE_LIMIT) }, (_, i) => ({
    bytes: cases.subarray(i * IMAGE_LIMIT, (i + 1) * IMAGE_LIMIT),
    at: CASES + i * IMAGE_LIMIT,
  }));
  const text = await runOnBochs({
    rom: stepperRom(mode),
    images: [{ bytes: block.subarray(0, IMAGE_LIMIT), at: BLOCK }, ...parts],
    until: /^S[0-9a-f]*\n/m,
  });
  const digits = /S([0-9a-f]+)\n/.exec(text)?.[1] ?? '';
  if (digits.length !== 2 * count * RESULT.size)
    throw new StepperStopped(`Bochs stopped in ${mode.name}: ${digits.length} digits of results`);
  return new Uint8Array(Buffer.from(digits, 'hex'));
}, BOCHS_CASES);
