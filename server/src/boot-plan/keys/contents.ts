/** `[boot]`, `[[load]]`, `[linux]` and `[captured]`: what is in memory besides tables. */
import type { Member, ObjectShape, VariantShape } from '../../text/shape/shape';
import { LOAD_KINDS, type LoadKind } from '../plan';
import { NUMBER, oneOf, STRING } from './values';

const path = (text: string): Member => ({
  shape: STRING,
  text: `${text} A path is relative to the plan.`,
  example: '"FILE"',
});

export const BOOT: ObjectShape = {
  kind: 'object',
  others: 'refused',
  members: {
    kernel: path('A kernel that the VMM starts, by its own boot protocol.'),
    firmware: path('A firmware image that the VMM starts at the reset vector.'),
    initrd: path('The initial RAM disk that goes with `kernel`.'),
    'command-line': {
      shape: STRING,
      text: 'The kernel’s command line.',
      default: 'the VMM’s own',
      example: '"console=ttyS0 reboot=t"',
    },
    probe: {
      shape: STRING,
      text: 'A [probe guest](https://github.com/bootpath/bootpath/blob/main/docs/probes.md) instead of an image, by its name.',
      example: '"boot-path"',
    },
  },
};

const KINDS: Readonly<Record<LoadKind, string>> = {
  elf: 'An ELF image, by the physical addresses of its program headers.',
  bzimage: 'A Linux bzImage: its protected-mode part goes to `at`.',
  rom: 'A ROM image, which ends at 4 GiB where there is no `at`.',
  flat: 'Bytes as they are, at `at`: a memory image, code, a table.',
  initrd: 'An initial RAM disk at `at`; `[linux]` tells the kernel of it.',
  'command-line': 'A command line at `at`, ended by a zero byte; `[linux]` tells the kernel of it.',
};

const FILE: Readonly<Record<string, Member>> = { file: path('The file.') };
const BYTES: Readonly<Record<string, Member>> = {
  bytes: {
    shape: {
      kind: 'string',
      pattern: /^\s*(?:[0-9a-fA-F]{2}\s*)*$/,
      expected: 'pairs of hexadecimal digits like `b8 2a 00 f4`',
    },
    text: 'The bytes themselves, in hexadecimal, instead of a file.',
    example: '"f4"',
  },
};
const TEXT: Readonly<Record<string, Member>> = {
  text: { shape: STRING, text: 'The text itself, as UTF-8, instead of a file.', example: '"console=ttyS0"' },
};

const BY_KIND: Readonly<Record<LoadKind, Readonly<Record<string, Member>>>> = {
  elf: FILE,
  bzimage: FILE,
  rom: { ...FILE, ...BYTES },
  flat: { ...FILE, ...BYTES, ...TEXT },
  initrd: { ...FILE, ...BYTES },
  'command-line': { ...FILE, ...TEXT },
};

export const LOAD: VariantShape = {
  kind: 'variant',
  by: 'kind',
  common: {
    kind: 'object',
    others: 'refused',
    members: {
      kind: {
        shape: oneOf(LOAD_KINDS.map((value) => ({ value, text: KINDS[value] }))),
        required: true,
        text: 'What it is, and so how it gets into memory.',
        example: '"flat"',
      },
    },
  },
  variants: Object.fromEntries(
    LOAD_KINDS.map((kind) => [
      kind,
      kind === 'elf'
        ? BY_KIND[kind]
        : {
            ...BY_KIND[kind],
            at: {
              shape: NUMBER,
              text: 'Guest-physical address of its first byte.',
              ...(kind === 'bzimage' ? { default: '0x100000' } : {}),
              ...(kind === 'rom' ? { default: 'so that it ends at 4 GiB' } : {}),
              ...(kind === 'bzimage' || kind === 'rom' ? {} : { required: true }),
              example: '0x1000',
            },
          },
    ]),
  ),
};

export const LINUX: ObjectShape = {
  kind: 'object',
  others: 'refused',
  members: {
    'boot-params': {
      shape: NUMBER,
      required: true,
      text: 'Where `boot_params` (the zero page) is put, filled in with the setup header of the kernel, an E820 map made of the regions, and the places of `initrd` and `command-line`. RSI is not set: `rsi` of the vCPU does.',
      example: '0x7000',
    },
  },
};

export const CAPTURED: ObjectShape = {
  kind: 'object',
  others: 'refused',
  members: {
    core: path('A core of QEMU’s `dump-guest-memory`, from which the run starts.'),
    registers: path(
      'Registers as text: what QEMU prints for `info registers -a`, or a report of `bootpath simulate --format json`. Memory images beside it are `[[load]]` of the kind `flat`.',
    ),
  },
};
