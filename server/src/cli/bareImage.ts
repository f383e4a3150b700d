/** An image that `simulate` is given without a config: it boots on the plain PC. */
import { basename } from 'node:path';
import { parseAddress } from '../address/parse';
import { KIB, MIB, PAGE, GIB } from '../address/range';
import { coreKeeps } from '../../emulator/coreFeatures';
import { MAX_VCPUS } from '../../emulator/face';
import { CPUID_FEATURES, type CpuidFeatureName } from '../x86/cpuid/features';
import { isLinuxImage } from '../machine/image/linuxImage';
import { bzImagePayload, unpackedKernel } from '../packedKernel';
import { BOOT_PROTOCOLS } from '../vmm/loaders/protocols';
import { imageKind } from '../vmm/pc/imageKind';
import { defaultCommandLine } from '../vmm/loaders/defaultCommandLine';
import { DEFAULT_MEMORY } from '../vmm/pc/layout';
import { pcMachine } from '../vmm/pc/machine';
import { PC } from '../vmm/pc/model';
import type { BootModule, CpuChoice } from '../vmm/model';
import type { SimulationJob } from '../workerHost';
import { FIRMWARE_OPTIONS, firmwareChoice, firmwareExtras, ROM_PROTOCOL } from './bareFirmware';
import { listOption, numberOption, stringOption, UsageError, type Command, type Options } from './command';
import { readBytes } from './inputs';
import type { Limits } from './runLimits';

const LARGEST_MEMORY = 512n * GIB;
/** Options that are about a config, which there is none of. */
const OF_CONFIGS = ['vm', 'image', 'probe', 'known-issue', 'compare', 'set'] as const;

const PROTOCOLS: readonly string[] = [...BOOT_PROTOCOLS.map(({ name }) => name), ROM_PROTOCOL];

/** Options that go for a machine of a config too. */
const OF_BOTH: ReadonlySet<string> = new Set(['append', 'initrd', 'vendor', 'feature']);

export const IMAGE_OPTIONS: Command['options'] = {
  cpus: { type: 'string', help: 'an image without a config: vCPUs (1 otherwise)' },
  memory: {
    type: 'string',
    help: 'an image without a config: its memory, for example 512M (128M otherwise)',
  },
  append: {
    type: 'string',
    help: 'the kernel’s command line, instead of the config’s or the VMM’s; of an image without a config, with multiboot after its name (Linux without it: console=ttyS0 earlyprintk=ttyS0)',
  },
  ...FIRMWARE_OPTIONS,
  initrd: { type: 'string', help: 'the initial RAM disk; of an image without a config the first module' },
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
    help: 'a CPUID feature that the CPU has (LA57), or lacks (no-x2APIC) (repeatable)',
  },
  vendor: { type: 'string', help: 'the CPU is of intel or amd (without a config: intel)' },
};

/** True for what boots without a config: an ELF file, a ROM, or what a boot protocol recognises, as it is or packed. */
export function isBareImage(bytes: Uint8Array, options: Options): boolean {
  if (stringOption(options, 'protocol') !== undefined) return true;
  return imageKind(orUsage(() => unpackedKernel(bytes))) !== null;
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
  if (vcpus < 1 || vcpus > MAX_VCPUS) throw new UsageError(`--cpus takes 1 to ${MAX_VCPUS}, not ${vcpus}`);
  const protocol = protocolOption(stringOption(options, 'protocol'));
  const size = stringOption(options, 'memory');
  const memory = size === undefined ? DEFAULT_MEMORY : memoryOption(size);
  const machine = pcMachine({ name: file, memory, vcpus });
  const image = bootedImage(bytes, protocol);
  const choice = firmwareChoice(file, image, options);
  return {
    machine,
    vmm: PC.name,
    version: PC.versions.at(-1)!.id,
    request: {
      machine: null,
      ...choice,
      probe: null,
      ...limits,
      cpu: {
        vendor: vendorOption(stringOption(options, 'vendor')),
        ...featureOptions(listOption(options, 'feature')),
      },
      boot: {
        protocol,
        imageName: file === '-' ? 'image' : basename(file),
        commandLine: stringOption(options, 'append') ?? defaultCommandLine(image),
        modules: modulesOption(options),
        ...firmwareExtras(options, choice.firmware),
      },
    },
  };
}

/** An initrd is the first module, or all of them one behind the other: that is the boot protocol's affair. */
function modulesOption(options: Options): BootModule[] {
  const initrd = stringOption(options, 'initrd');
  const modules = listOption(options, 'module').map((text) => {
    const [path = '', ...more] = text.split(' ');
    return { bytes: readBytes(path), commandLine: [basename(path), ...more].join(' ') };
  });
  if (initrd === undefined) return modules;
  return [{ bytes: readBytes(initrd), commandLine: basename(initrd) }, ...modules];
}

/** Options for images do not change what a config says. */
export function refuseImageOptions(options: Options, file: string): void {
  const wrong = Object.keys(IMAGE_OPTIONS).find(
    (name) => !OF_BOTH.has(name) && options.values[name] !== undefined,
  );
  if (wrong)
    throw new UsageError(`--${wrong} goes with an image; ${file} is a config, which says that itself`);
}

/** What is booted: the file unpacked, and for the loaders of ELF files the payload of a bzImage. */
function bootedImage(bytes: Uint8Array, protocol: string | null): Uint8Array {
  const image = orUsage(() => unpackedKernel(bytes));
  const elfOnly = BOOT_PROTOCOLS.some(({ name, elfOnly: only }) => name === protocol && only);
  return elfOnly && isLinuxImage(image) ? orUsage(() => bzImagePayload(image)) : image;
}

/** An error's message is a sentence for the user. */
function orUsage<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** `--memory`; UsageError for what is no size. */
export function memoryOption(text: string): bigint {
  const size = parseAddress(text);
  if ('problem' in size) throw new UsageError(`--memory: ${size.problem}`);
  const { value } = size;
  if (value < 2n * MIB || value > LARGEST_MEMORY || value % PAGE !== 0n) {
    throw new UsageError(`--memory ${text}: 2M to 512G in whole pages of ${PAGE / KIB} KiB`);
  }
  return value;
}

export function vendorOption(text: string | undefined): 'intel' | 'amd' {
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
export function featureOptions(
  texts: readonly string[],
): Record<'added' | 'removed', readonly CpuidFeatureName[]> {
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

/** The CPU that `--vendor` and `--feature` ask for; null where neither is there, so that the model's own is taken. */
export function cpuOption(options: Options): CpuChoice | null {
  const vendor = stringOption(options, 'vendor');
  const features = listOption(options, 'feature');
  if (vendor === undefined && features.length === 0) return null;
  return { vendor: vendorOption(vendor), ...featureOptions(features) };
}
