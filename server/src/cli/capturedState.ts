/** A captured state in the place of an image: a core of QEMU's `dump-guest-memory`, or registers and memory images. */
import { parseAddress } from '../address/parse';
import { formatRange } from '../address/format';
import type { CapturedMemory, CapturedState } from '../machine/captured/capturedState';
import { isGuestDump, readQemuCore } from '../machine/captured/qemuCore';
import { parseRegisters, type CapturedRegisters } from '../machine/captured/registerText';
import { capturedPc } from '../vmm/pc/machine';
import { PC } from '../vmm/pc/model';
import type { SimulationJob } from '../workerHost';
import { featureOptions, IMAGE_OPTIONS, memoryOption, vendorOption } from './bareImage';
import { listOption, stringOption, UsageError, type Command, type Options } from './command';
import { readBytes } from './inputs';
import type { Limits } from './runLimits';

export const CAPTURE_OPTIONS: Command['options'] = {
  registers: {
    type: 'string',
    help: 'start from these registers: `info registers` of QEMU, or the "registers" of a JSON report',
  },
  'memory-image': {
    type: 'string',
    multiple: true,
    help: 'with --registers: memory to start from, FILE@ADDRESS (repeatable)',
  },
};

/** The CPU and the memory are the plain PC's; everything else comes from the capture. */
const OF_CAPTURES = ['memory', 'feature', 'vendor'];
const OF_CONFIGS = ['vm', 'as', 'firmware', 'image', 'probe', 'known-issue', 'compare', 'set'];

/** True where the run starts from a capture: by its file, or by `--registers`. */
export function startsFromCapture(bytes: Uint8Array | null, options: Options): boolean {
  return (
    (bytes !== null && isGuestDump(bytes)) ||
    stringOption(options, 'registers') !== undefined ||
    listOption(options, 'memory-image').length > 0
  );
}

/**
 * The job for a capture; UsageError where a file cannot be used.
 * @param file the core; null for `--registers` and `--memory-image` alone
 */
export function capturedJob(
  file: string | null,
  bytes: Uint8Array | null,
  options: Options,
  limits: Limits,
): SimulationJob {
  const others = Object.keys(IMAGE_OPTIONS).filter((name) => !OF_CAPTURES.includes(name));
  const wrong = [...OF_CONFIGS, ...others].find((name) => isGiven(options, name));
  if (wrong) throw new UsageError(`--${wrong} does not go with a captured state`);
  const captured = file !== null && bytes !== null ? coreOf(file, bytes, options) : rawState(options);
  const memory = stringOption(options, 'memory');
  const ranges = captured.memory.map(({ range }) => range);
  const name = file ?? stringOption(options, 'registers')!;
  return {
    machine: capturedPc(
      name,
      captured.vcpus.length,
      ranges,
      memory === undefined ? null : memoryOption(memory),
    ),
    vmm: PC.name,
    version: PC.versions.at(-1)!.id,
    request: {
      machine: null,
      firmware: null,
      kernel: null,
      probe: null,
      ...limits,
      captured,
      cpu: {
        vendor: vendorOption(stringOption(options, 'vendor')),
        ...featureOptions(listOption(options, 'feature')),
      },
      boot: {
        protocol: null,
        imageName: name,
        commandLine: '',
        modules: [],
      },
    },
  };
}

function isGiven({ values }: Options, name: string): boolean {
  const value = values[name];
  return value !== undefined && !(Array.isArray(value) && value.length === 0);
}

/** A core; with `--registers` its memory only, since the text has more registers than the core. */
function coreOf(file: string, bytes: Uint8Array, options: Options): CapturedState {
  if (listOption(options, 'memory-image').length > 0) {
    throw new UsageError(`--memory-image goes with --registers alone; ${file} has the memory`);
  }
  if (!isGuestDump(bytes)) {
    throw new UsageError(`--registers goes with a core of QEMU or with --memory-image; ${file} is neither`);
  }
  const core = readQemuCore(bytes);
  if ('problem' in core) throw new UsageError(`${file}: ${core.problem}`);
  const path = stringOption(options, 'registers');
  return path === undefined ? core : { ...registersOf(path), memory: core.memory };
}

function rawState(options: Options): CapturedState {
  const path = stringOption(options, 'registers');
  if (path === undefined) throw new UsageError('--memory-image goes with --registers FILE');
  const memory = listOption(options, 'memory-image')
    .map(pieceOf)
    .sort((a, b) => (a.range.start < b.range.start ? -1 : 1));
  memory.forEach(({ range }, index) => {
    const before = memory[index - 1]?.range;
    if (before && range.start < before.end) {
      throw new UsageError(`--memory-image: ${formatRange(before)} and ${formatRange(range)} overlap`);
    }
  });
  return { ...registersOf(path), memory };
}

function registersOf(path: string): CapturedRegisters {
  const read = parseRegisters(new TextDecoder().decode(readBytes(path)));
  if ('problem' in read) throw new UsageError(`--registers ${path}: ${read.problem}`);
  return read;
}

/** `FILE@ADDRESS`; the last `@` parts them. */
function pieceOf(text: string): CapturedMemory {
  const at = text.lastIndexOf('@');
  if (at < 1) throw new UsageError(`--memory-image ${text}: FILE@ADDRESS is needed, for example ram.bin@0x0`);
  const start = parseAddress(text.slice(at + 1));
  if ('problem' in start) throw new UsageError(`--memory-image ${text}: ${start.problem}`);
  const bytes = readBytes(text.slice(0, at));
  const end = start.value + BigInt(bytes.length);
  if (bytes.length === 0) throw new UsageError(`--memory-image ${text}: the file is empty`);
  if (end > 1n << 52n) throw new UsageError(`--memory-image ${text}: it ends beyond 2^52`);
  return { range: { start: start.value, end }, bytes };
}
