/** An image that `simulate` is given without a config: it boots on the plain PC. */
import { basename } from 'node:path';
import { parseAddress } from '../address/parse';
import { KIB, MIB, PAGE, GIB } from '../address/range';
import { coreKeeps } from '../../emulator/coreFeatures';
import { CPUID_FEATURES, type CpuidFeatureName } from '../x86/cpuid/features';
import { unpackedKernel } from '../hostFiles';
import { isElf } from '../machine/image/elf';
import type { SimulationRequest } from '../simulation/report';
import { BOOT_PROTOCOLS, protocolFor } from '../vmm/loaders/protocols';
import { pcMachine } from '../vmm/pc/machine';
import { PC } from '../vmm/pc/model';
import type { SimulationJob } from '../worker';
import { firmwareChoice, isFirmwareImage, ROM_PROTOCOL } from './bareFirmware';
import { listOption, numberOption, stringOption, UsageError, type Command, type Options } from './command';
import { readBytes } from './inputs';

const DEFAULT_MEMORY = 128n * MIB;
const LARGEST_MEMORY = 512n * GIB;
/** The core's limit. */
const LARGEST_CPUS = 32;
/** Options that are about a config, which there is none of. */
const OF_CONFIGS = ['vm', 'image', 'probe', 'known-issue', 'compare', 'set'] as const;

const PROTOCOLS: readonly string[] = [...BOOT_PROTOCOLS.map(({ name }) => name), ROM_PROTOCOL];

export const IMAGE_OPTIONS: Command['options'] = {
  cpus: { type: 'string', help: 'an image without a config: vCPUs (1 otherwise)' },
  memory: {
    type: 'string',
    help: 'an image without a config: its memory, for example 512M (128M otherwise)',
  },
  append: { type: 'string', help: 'an image without a config: its command line, after its name' },
  module: {
    type: 'string',
    multiple: true,
    help: 'an image without a config: a boot module, FILE or "FILE WORDS…" (repeatable)',
  },
  protocol: {
    type: 'string',
    help: `an image without a config: how it is booted (${PROTOCOLS.join(', ')}); the first that knows it otherwise`,
  },
  feature: {
    type: 'string',
    multiple: true,
    help: 'an image without a config: a CPUID feature that the CPU has (LA57), or lacks (no-x2APIC) (repeatable)',
  },
  vendor: { type: 'string', help: 'an image without a config: the CPU is of intel or amd (intel otherwise)' },
};

/** What goes for configs and images alike. */
export type Limits = Pick<
  SimulationRequest,
  'taps' | 'maxInstructions' | 'reboots' | 'quantum' | 'until' | 'answers'
>;

/** True for what boots without a config: an ELF file, a ROM, or what a boot protocol recognises, gzip's wrapping aside. */
export function isBareImage(bytes: Uint8Array, options: Options): boolean {
  const image = unpacked(bytes);
  if (stringOption(options, 'protocol') !== undefined) return true;
  return isElf(image) || protocolFor(image, null) !== null || isFirmwareImage(image);
}

/** The job for an image; UsageError where an option does not go with it. */
export function imageJob(file: string, bytes: Uint8Array, options: Options, limits: Limits): SimulationJob {
  const wrong = OF_CONFIGS.find((name) => options.values[name] !== undefined);
  if (wrong)
    throw new UsageError(`--${wrong} goes with a config; ${file} is an image, which boots on the plain PC`);
  const asked = stringOption(options, 'as')?.split('@')[0] ?? PC.name;
  if (asked !== PC.name)
    throw new UsageError(`--as ${asked}: an image without a config boots on the plain PC only`);
  const vcpus = numberOption(options, 'cpus') ?? 1;
  if (vcpus < 1 || vcpus > LARGEST_CPUS)
    throw new UsageError(`--cpus takes 1 to ${LARGEST_CPUS}, not ${vcpus}`);
  const machine = pcMachine({ name: file, memory: memoryOption(stringOption(options, 'memory')), vcpus });
  return {
    machine,
    vmm: PC.name,
    version: PC.versions.at(-1)!.id,
    request: {
      machine: null,
      ...firmwareChoice(file, unpacked(bytes), options),
      probe: null,
      ...limits,
      boot: {
        cpu: {
          vendor: vendorOption(stringOption(options, 'vendor')),
          ...featureOptions(listOption(options, 'feature')),
        },
        protocol: protocolOption(stringOption(options, 'protocol')),
        imageName: file === '-' ? 'image' : basename(file),
        commandLine: stringOption(options, 'append') ?? '',
        modules: listOption(options, 'module').map((text) => {
          const [path = '', ...more] = text.split(' ');
          return { bytes: readBytes(path), commandLine: [basename(path), ...more].join(' ') };
        }),
      },
    },
  };
}

/** Options for images do not change what a config says. */
export function refuseImageOptions(options: Options, file: string): void {
  const wrong = Object.keys(IMAGE_OPTIONS).find((name) => options.values[name] !== undefined);
  if (wrong)
    throw new UsageError(`--${wrong} goes with an image; ${file} is a config, which says that itself`);
}

function unpacked(bytes: Uint8Array): Uint8Array {
  try {
    return unpackedKernel(bytes);
  } catch {
    return bytes;
  }
}

function memoryOption(text: string | undefined): bigint {
  if (text === undefined) return DEFAULT_MEMORY;
  const size = parseAddress(text);
  if ('problem' in size) throw new UsageError(`--memory: ${size.problem}`);
  const { value } = size;
  if (value < 2n * MIB || value > LARGEST_MEMORY || value % PAGE !== 0n) {
    throw new UsageError(`--memory ${text}: 2M to 512G in whole pages of ${PAGE / KIB} KiB`);
  }
  return value;
}

function vendorOption(text: string | undefined): 'intel' | 'amd' {
  if (text === undefined || text === 'intel') return 'intel';
  if (text === 'amd') return 'amd';
  throw new UsageError(`--vendor takes intel or amd, not "${text}"`);
}

function protocolOption(name: string | undefined): string | null {
  if (name === undefined) return null;
  if (PROTOCOLS.includes(name)) return name;
  throw new UsageError(
    `--protocol ${name}: there is no such boot protocol (there are ${PROTOCOLS.join(', ')})`,
  );
}

/** Names are the manuals'; their case does not matter. */
function featureOptions(texts: readonly string[]): Record<'added' | 'removed', readonly CpuidFeatureName[]> {
  const named = (text: string): CpuidFeatureName => {
    const found = [...CPUID_FEATURES.keys()].find((name) => name.toLowerCase() === text.toLowerCase());
    if (!found) throw new UsageError(`--feature: there is no CPUID feature "${text}"`);
    return found;
  };
  const offered = (text: string): CpuidFeatureName => {
    const name = named(text);
    if (!coreKeeps(name))
      throw new UsageError(`--feature ${text}: the emulated CPU has nothing behind ${name}`);
    return name;
  };
  const removed = texts.filter((text) => text.startsWith('no-'));
  return {
    added: texts.filter((text) => !text.startsWith('no-')).map(offered),
    removed: removed.map((text) => named(text.slice('no-'.length))),
  };
}
