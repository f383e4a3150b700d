/**
 * What Xen prints on x86, with `(XEN)` and maybe a time stamp before each line. Its e820 maps (xen/arch/x86/e820.c,
 * print_e820_memory_map) have the last byte in brackets since 4.14 (commit 1f68bfb381 of 2020-02-06), and the end with a dash
 * before. Its EFI map (xen/common/efi/boot.c, efi_init_memory) has the last byte. Where Dom0 went (pv/dom0_build.c, "PHYSICAL
 * MEMORY ARRANGEMENT") is half-open.
 */
import { fromClosed } from '../address/range';
import type { RegionKind } from '../machine/machine';
import { efiMeaning, attributeNames } from './efiTypes';
import { firmwareType } from './firmwareTypes';
import { half, rowDialect, type RowFact, type RowForm } from './rows';

const KINDS: Readonly<Record<string, RegionKind>> = {
  usable: 'ram',
  reserved: 'reserved',
  'ACPI data': 'acpi',
  'ACPI NVS': 'nvs',
  unusable: 'unusable',
};
const TYPE = '(?:\\((usable|reserved|ACPI data|ACPI NVS|unusable)\\)|type (\\d{1,10}))';
/** The time stamp is in brackets as well. */
const PREFIX = '\\(XEN\\)(?: \\[[^\\]\\n]{0,40}\\])?[ \\t]{1,8}';

function e820Fact(range: RowFact['range'], words: string | undefined, number: string | undefined): RowFact {
  const { kind, name } =
    words === undefined ? firmwareType(Number(number)) : { kind: KINDS[words]!, name: words };
  return { range, kind, name, reason: `Xen's e820 map calls this ${name}.` };
}

const HEADING = /(?<![\w-])((?:Initial )?(?!physical|provided)[\w-]{1,30} RAM map|Dom\d{1,5} memory map):/g;

const E820: readonly RowForm[] = [
  {
    name: 'Xen e820',
    anchor: '] ',
    heading: HEADING,
    row: new RegExp(`\\[([0-9a-f]{16}), ([0-9a-f]{16})\\] ${TYPE}`, 'g'),
    fact: ([, start, last, words, number]) =>
      e820Fact(fromClosed(BigInt(`0x${start}`), BigInt(`0x${last}`)), words, number),
  },
  {
    name: 'Xen e820',
    anchor: '(XEN)',
    heading: HEADING,
    row: new RegExp(`(?<=${PREFIX})([0-9a-f]{16}) - ([0-9a-f]{16}) ${TYPE}`, 'g'),
    fact: ([, start, end, words, number]) => e820Fact(half(start!, end!), words, number),
  },
];

const EFI: RowForm = {
  name: 'Xen EFI',
  anchor: ' attr=',
  heading: /EFI memory map:/g,
  row: /(?<![\w-])([0-9a-f]{13,16})-([0-9a-f]{13,16}) type=(\d{1,10}) attr=([0-9a-f]{16})(?!\w)/g,
  fact: ([, start, last, type, attributes]) => ({
    range: fromClosed(BigInt(`0x${start}`), BigInt(`0x${last}`)),
    name: `EFI type ${type}`,
    ...efiMeaning(Number(type), attributeNames(BigInt(`0x${attributes}`))),
  }),
};

/** The first address that no x86 machine has. */
const PHYSICAL_END = 1n << 52n;

const DOM0: RowForm = {
  name: 'Xen Dom0',
  anchor: '->',
  heading: /PHYSICAL MEMORY ARRANGEMENT:/g,
  row: /(Dom0 alloc\.|Init\. ramdisk):[ \t]{1,8}([0-9a-f]{16})->([0-9a-f]{16})(?= |\r?\n|$)/g,
  fact([, what, start, end]) {
    const range = half(start!, end!);
    // The virtual arrangement below has lines of the same names; a ramdisk that Dom0 maps itself is 0 there.
    if (range.start >= PHYSICAL_END || range.end === 0n) return null;
    return { range, kind: 'ram', name: what!, reason: 'Xen puts this part of Dom0 at these host addresses.' };
  },
};

export const xenE820Dialect = rowDialect('Xen e820', E820);
export const xenEfiDialect = rowDialect('Xen EFI', [EFI]);
export const xenDom0Dialect = rowDialect('Xen Dom0', [DOM0]);
