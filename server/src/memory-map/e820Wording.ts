/** How Linux words its e820 maps, since 2.6 (`arch/x86/kernel/e820.c`): headings, ranges, types, and the lines of changes. */
import type { RegionKind } from '../machine/machine';

/** Who prints a map, and the heading that announces it. */
export const HEADINGS: Readonly<Record<string, string>> = {
  'BIOS-provided': 'BIOS-e820',
  'user-defined': 'user',
  extended: 'extended',
  modified: 'modified',
};

/** The extended map's lines carry another name than its heading. */
export const ALIASES: Readonly<Record<string, string>> = { 'reserve setup_data': 'extended' };

/** Maps that a kernel prints later in its boot, of the table that its changes have led to. */
export const LATER: ReadonlySet<string> = new Set(['user', 'extended', 'modified']);

/** `dmesg --color=always` stops a colour after the first colon. */
const COLOUR = '(?:\\u001b\\[[0-9;]{0,12}m)?';
const WHO = 'BIOS-e820|BIOS-e801|BIOS-88|user|modified|extended|reserve setup_data|Xen|e820';
const CHANGE = 'update|remove|reserve RAM buffer|register RAM buffer resource';
/**
 * Wherever something of a map may start. Every quantifier is bounded, so one long line costs no more than many. The last two are
 * the words of kernels before 3.5, and the note after a change that it was one of a copy (`e820__memblock_alloc_reserved`).
 */
export const MARK = new RegExp(
  [
    `(?:(?<![\\w-])|(?<=\\u001b\\[[0-9;]{1,12}m))(?:(BIOS-provided|user-defined|extended|modified) physical RAM map:`,
    `(${WHO})[ \\t]{0,4}:${COLOUR}[ \\t]{0,8}${COLOUR}(?=\\[(?:mem|gap) |[0-9a-fA-F]{8})`,
    `e820:${COLOUR}[ \\t]{0,4}${COLOUR}(${CHANGE})[ \\t]{1,4}(?=\\[mem )`,
    `(?:e820 (update|remove) range|(reserve RAM buffer)):[ \\t]{1,4}(?=[0-9a-fA-F]{8})`,
    `update (e820_saved|e820_table_kexec|e820_table_firmware) )`,
  ].join('|'),
  'g',
);
export const BRACKETS = /\[(mem|gap) 0x([0-9a-f]{1,40})-0x([0-9a-f]{1,40})\]/iy;
/** Before 3.5 (`e820_print_map`): address - address + size. */
export const DASH = /([0-9a-f]{8,40}) - ([0-9a-f]{8,40})(?![\w-])/iy;
/** Kernel patches of 2025 print a size between range and type: `  639   KB`, ` 1.9 GB`. */
export const SIZE_COLUMN = /[ \t]{0,8}\d{1,5}(?:\.\d{1,4})?[ \t]{1,4}(?:B|KB|MB|GB|TB)(?!\w)/iy;
const TYPES =
  'kernel usable RAM|System RAM|usable|(?:device |soft )?reserved|ACPI (?:data|tables|NVS|non-volatile storage)|unusable(?: memory)?|persistent(?: RAM| memory)?(?: \\(type \\d{1,10}\\))?|type \\d{1,10}|unknown E820 type';
/** In parentheses before 3.5. */
export const TYPE = new RegExp(`[ \\t]{0,8}\\(?(${TYPES})(?!\\w)\\)?`, 'iy');
/** Mail programs break the long lines of 2026 at the two blanks before the type. */
export const WRAPPED_TYPE = new RegExp(`[ \\t]{0,8}\\r?\\n[ \\t>]{0,20}\\(?(${TYPES})(?!\\w)\\)?`, 'iy');
export const ARROW = /[ \t]{0,4}==>/y;

/** Kinds by the first words of a type, in any wording since 2.6. */
const KINDS: readonly (readonly [RegExp, RegionKind])[] = [
  [/^(?:kernel usable|system ram|usable)/, 'ram'],
  [/^acpi (?:data|tables)/, 'acpi'],
  [/^acpi/, 'nvs'],
  [/^unusable/, 'unusable'],
  [/^persistent/, 'persistent'],
];

export function kindOf(type: string): RegionKind {
  const words = type.toLowerCase();
  // Types without a name of their own are kept from the allocator like reserved ones.
  return KINDS.find(([pattern]) => pattern.test(words))?.[1] ?? 'reserved';
}

/** The match of a sticky pattern at an offset, or null. */
export function at(pattern: RegExp, text: string, offset: number): RegExpExecArray | null {
  pattern.lastIndex = offset;
  return pattern.exec(text);
}
