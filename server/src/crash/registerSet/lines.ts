/**
 * Lines of registers without any header: QEMU's `info registers`, vmm(4)'s VMM_DEBUG dump, `name value` lists, and what
 * `bootpath simulate` prints as text and as JSON. A line counts where it is nothing but registers.
 */
import { segmentOf } from '../../machine/captured/capturedState';
import { GENERAL_REGISTERS } from '../../x86/state';
import type { SegmentValue } from '../registerBlock';

/** The two bits of CS that decide the size of code. */
export interface CodeSize {
  /** CS.L */
  readonly long: boolean;
  /** CS.D; null where it is not told. */
  readonly wide: boolean | null;
}

export interface LineReading {
  readonly values: readonly (readonly [string, bigint])[];
  readonly segments: readonly (readonly [string, SegmentValue])[];
  /** In words beside the selector, instead of attributes. */
  readonly codeSize: CodeSize | null;
}

const NAMES: ReadonlyMap<string, string> = new Map([
  ...GENERAL_REGISTERS.map((name) => [name, name] as const),
  ...GENERAL_REGISTERS.filter((name) => !/\d/.test(name)).map((name) => [`e${name.slice(1)}`, name] as const),
  ...['rip', 'rflags', 'cr0', 'cr2', 'cr3', 'cr4', 'cr8', 'efer'].map((name) => [name, name] as const),
  ['eip', 'rip'],
  ['eflags', 'rflags'],
  ['rfl', 'rflags'],
  ['efl', 'rflags'],
  ['ia32_efer', 'efer'],
]);
const SEGMENT_NAMES: ReadonlyMap<string, string> = new Map([
  ...['es', 'cs', 'ss', 'ds', 'fs', 'gs', 'tr', 'ldtr'].map((name) => [name, name] as const),
  ['ldt', 'ldtr'],
]);

/** `CS =0008 00000000 ffffffff 00cf9a00 DPL=0 CS32 [-R-]`: the last number is the upper half of a descriptor. */
const QEMU_SEGMENT =
  /^(ES|CS|SS|DS|FS|GS|LDT|TR) ?= ?([0-9a-f]{4}) ([0-9a-f]{8,16}) ([0-9a-f]{8}) ([0-9a-f]{8})(?![0-9a-f])/;
/** `cs 0008 base 0x0 limit 0xffffffff attributes 0xc09f` (ours), `cs=0x8 rpl=0 base=0x0 limit=0xffffffff a/r=0xc09f` (vmm). */
const SEGMENT =
  /^%?(es|cs|ss|ds|fs|gs|ldtr?|tr)[ =:]{1,4}(?:sel(?:ector)?[ =]{1,3})?(?:0x)?([0-9a-f]{1,4})[ ,]{1,8}(?:rpl ?= ?\S{1,8}[ ,]{1,8})?base[ =:]{1,4}(?:0x)?([0-9a-f]{1,16})[ ,]{1,8}limit[ =:]{1,4}(?:0x)?([0-9a-f]{1,16})(?:[ ,]{1,8}(?:attributes?|attr|access|ar|a\/r)[ =:]{1,4}(?:0x)?([0-9a-f]{1,5})(?![0-9a-f]))?/i;
/** `GDT=     00010000 0000ffff`, `gdtr base 0x10000 limit 0xffff`. */
const TABLE =
  /^[,; ]{0,8}(gdt|idt)r?[ =:]{1,12}(?:base[ =]{1,3})?(?:0x)?([0-9a-f]{1,16})[ ,]{1,8}(?:limit[ =]{1,3})?(?:0x)?([0-9a-f]{1,8})(?![0-9a-f])/i;
/** `RAX=0000…`, `R8 =0`, `cr0 0x80000011`, `cr0[0]  0x80000011`; other names than registers' only with an equals sign. */
const TOKEN =
  /[ \t,;]{0,16}%?([A-Za-z][A-Za-z0-9_]{0,9})(?:\[\d{1,3}\])?([ \t]{0,16}=[ \t]{0,8}|[ \t]{1,32})(?:0x)?([0-9a-fA-F]{1,16})(?![0-9A-Za-z_])/y;
/** What may follow the registers of a line: flags in words, notes in brackets. */
const NOTES =
  /^[ \t,;]{0,64}(?:(?:\[[^\]]{0,64}\]|\([^)]{0,200}\)|<[^>]{0,200}>|[A-Z][A-Za-z0-9]{0,5}=[\w-]{1,16})[ \t,;]{0,64}){0,16}$/;
/** CS.L and CS.D where a line says them in words: `CS=0008 L=0 D=1`. */
const CODE_SIZE = /\bL ?= ?([01])\b(?:[ ,]{0,4}D(?:\/?B)? ?= ?([01])\b)?/;
/** `"cr0": "0x80000011"`, `"cs": {`, `}`. */
const JSON_TOKEN = /"([a-z][a-z0-9]{1,10})": ?(?:"0x([0-9a-f]{1,16})"|(\{))|(\})/g;

/** No line of registers begins otherwise; a cheap test before the others. */
const FIRST = /^[ \t%"}]{0,16}[A-Za-z}]/;

export function readRegisterLine(text: string): LineReading | null {
  if (!FIRST.test(text) || text.length > 2000) return null;
  const segment = readSegment(text);
  if (segment) return { values: [], segments: [segment], codeSize: null };
  const values: [string, bigint][] = [];
  const segments: [string, SegmentValue][] = [];
  let at = 0;
  for (;;) {
    const table = TABLE.exec(text.slice(at, at + 80));
    if (table) {
      const name = `${table[1]!.toLowerCase()}r`;
      segments.push([
        name,
        { ...NO_SEGMENT, base: hexNumber(table[2]!), limit: Number(hexNumber(table[3]!)) },
      ]);
      at += table[0].length;
      continue;
    }
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (!match) break;
    const [, printed = '', separator = '', digits = ''] = match;
    const lower = printed.toLowerCase();
    const name = NAMES.get(lower);
    const segmentName = SEGMENT_NAMES.get(lower);
    if (!name && !segmentName && !separator.includes('=')) break;
    if (name) values.push([name, hexNumber(digits)]);
    else if (segmentName && digits.length <= 4) {
      segments.push([segmentName, { ...NO_SEGMENT, selector: Number(hexNumber(digits)) }]);
    }
    at = TOKEN.lastIndex;
  }
  if (values.length + segments.length === 0 || !NOTES.test(text.slice(at))) return null;
  return { values, segments, codeSize: readCodeSize(text) };
}

const NO_SEGMENT: SegmentValue = { selector: null, base: null, limit: null, attributes: null };

function hexNumber(digits: string): bigint {
  return BigInt('0x' + digits);
}

function readSegment(text: string): readonly [string, SegmentValue] | null {
  const qemu = QEMU_SEGMENT.exec(text);
  if (qemu) {
    const [, name = '', selector = '', base = '', limit = '', flags = ''] = qemu;
    const [selectorValue, limitValue, flagsValue] = [selector, limit, flags].map((digits) =>
      Number(hexNumber(digits)),
    ) as [number, number, number];
    return [
      SEGMENT_NAMES.get(name.toLowerCase())!,
      segmentOf(selectorValue, hexNumber(base), limitValue, flagsValue),
    ];
  }
  const match = SEGMENT.exec(text);
  if (!match) return null;
  const [, name = '', selector = '', base = '', limit = '', attributes] = match;
  return [
    SEGMENT_NAMES.get(name.toLowerCase())!,
    {
      selector: Number(hexNumber(selector)),
      base: hexNumber(base),
      limit: Number(hexNumber(limit)),
      attributes: attributes === undefined ? null : Number(hexNumber(attributes)),
    },
  ];
}

/** L and D/B of CS where a line says them in words; null for what it does not. */
function readCodeSize(text: string): CodeSize | null {
  const words = /\bcs\b/i.test(text) ? CODE_SIZE.exec(text) : null;
  return words ? { long: words[1] === '1', wide: words[2] === undefined ? null : words[2] === '1' } : null;
}

/** The `registers` objects of `simulate --format json`, pretty or on one line; the open object is carried along. */
export class JsonRegisters {
  private segment: string | null = null;
  private fields = new Map<string, bigint>();

  /** Null where the line has nothing of them. */
  read(text: string): LineReading | null {
    const first = text.charCodeAt(0);
    // `"`, `{`, `[`, `}`
    if (first !== 34 && first !== 123 && first !== 91 && first !== 125) return null;
    const values: [string, bigint][] = [];
    const segments: [string, SegmentValue][] = [];
    for (const [, name = '', digits, opens, closes] of text.slice(0, 20_000).matchAll(JSON_TOKEN)) {
      if (opens !== undefined) {
        this.segment = SEGMENT_NAMES.get(name) ?? (/^[gi]dtr$/.test(name) ? name : null);
        this.fields = new Map();
      } else if (closes !== undefined) {
        if (this.segment !== null && this.fields.size > 0) segments.push([this.segment, this.value()]);
        this.segment = null;
      } else if (digits !== undefined) {
        if (this.segment !== null) this.fields.set(name, hexNumber(digits));
        else if (NAMES.has(name)) values.push([NAMES.get(name)!, hexNumber(digits)]);
      }
    }
    return values.length + segments.length > 0 || this.segment !== null
      ? { values, segments, codeSize: null }
      : null;
  }

  private value(): SegmentValue {
    const number = (name: string): number | null => {
      const value = this.fields.get(name);
      return value === undefined ? null : Number(value);
    };
    return {
      selector: number('selector'),
      base: this.fields.get('base') ?? null,
      limit: number('limit'),
      attributes: number('attributes'),
    };
  }
}
