/** TOML's words without quotes: numbers, truth values, dates. */
import type { Cursor } from './cursor';
import type { TomlDateForm, TomlScalar, TomlSpan } from './tree';

const DECIMAL = /^[+-]?(?:0|[1-9](?:_?\d)*)$/;
const RADIX = /^0(?:x[0-9A-Fa-f](?:_?[0-9A-Fa-f])*|o[0-7](?:_?[0-7])*|b[01](?:_?[01])*)$/;
const FLOAT = /^[+-]?(?:0|[1-9](?:_?\d)*)(?:\.\d(?:_?\d)*(?:[eE][+-]?\d(?:_?\d)*)?|[eE][+-]?\d(?:_?\d)*)$/;
const SPECIAL_FLOAT = /^([+-]?)(inf|nan)$/;
const DATE = String.raw`(\d{4})-(\d{2})-(\d{2})`;
const TIME = String.raw`(\d{2}):(\d{2}):(\d{2})(?:\.\d+)?`;
const OFFSET = String.raw`(?:[Zz]|[+-](\d{2}):(\d{2}))`;
const LOCAL_DATE = new RegExp(`^${DATE}$`);
const LOCAL_TIME = new RegExp(`^${TIME}$`);
const DATE_TIME = new RegExp(`^${DATE}[Tt ]${TIME}(${OFFSET})?$`);
/** A word ends where the value must end. A date may have one blank before its time. */
const WORD = /\d{4}-\d{2}-\d{2} \d{2}:[^\s,\]}#=]*|[^\s,\]}#=]+/y;

/** 64 binary digits, a sign and leading zeros of a hexadecimal number: beyond it only the length is told. */
const MOST_DIGITS = 1000;
const SMALLEST = -(1n << 63n);
const LARGEST = (1n << 63n) - 1n;

/** Reads the word at the cursor. At least one character is taken where one stands there. */
export function readScalar(cursor: Cursor): TomlScalar {
  const start = cursor.at;
  const word = cursor.match(WORD);
  cursor.at += word.length;
  const span = { start, end: cursor.at };
  if (word === 'true' || word === 'false') return { ...span, kind: 'boolean', value: word === 'true' };
  if (DECIMAL.test(word) || RADIX.test(word)) return integer(cursor, span, word);
  if (FLOAT.test(word)) return { ...span, kind: 'float', value: Number(word.replaceAll('_', '')) };
  const special = SPECIAL_FLOAT.exec(word);
  if (special) {
    const size = special[2] === 'inf' ? Infinity : NaN;
    return { ...span, kind: 'float', value: special[1] === '-' ? -size : size };
  }
  const form = dateForm(word);
  if (form) return { ...span, kind: 'date', value: word, form };
  cursor.problem('syntax', span, whatIsWrong(word));
  return { ...span, kind: 'invalid', value: word };
}

function integer(cursor: Cursor, span: TomlSpan, word: string): TomlScalar {
  const digits = word.replaceAll('_', '');
  if (digits.length > MOST_DIGITS) {
    cursor.problem(
      'range',
      span,
      `A number of ${digits.length} digits is beyond the 64 bits of TOML’s integers.`,
    );
    return { ...span, kind: 'invalid', value: word };
  }
  const value = digits.startsWith('-') ? -BigInt(digits.slice(1)) : BigInt(digits.replace(/^\+/, ''));
  if (value < SMALLEST || value > LARGEST) {
    const side = value < 0n ? 'less than -2^63' : 'more than 2^63 - 1';
    cursor.problem('range', span, `${word} is ${side}, the limit of TOML’s 64-bit signed integers.`);
  }
  return { ...span, kind: 'integer', value };
}

function dateForm(word: string): TomlDateForm | null {
  const date = LOCAL_DATE.exec(word);
  if (date) return isDate(date) ? 'local date' : null;
  const time = LOCAL_TIME.exec(word);
  if (time) return isTime(time, 1) ? 'local time' : null;
  const both = DATE_TIME.exec(word);
  if (!both || !isDate(both) || !isTime(both, 4)) return null;
  if (both[7] === undefined) return 'local date-time';
  return Number(both[8] ?? 0) <= 23 && Number(both[9] ?? 0) <= 59 ? 'offset date-time' : null;
}

function isDate(match: RegExpExecArray): boolean {
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (month < 1 || month > 12) return false;
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
  return day >= 1 && day <= days;
}

/** A second 60 is a leap second of RFC 3339. */
function isTime(match: RegExpExecArray, hour: number): boolean {
  return Number(match[hour]) <= 23 && Number(match[hour + 1]) <= 59 && Number(match[hour + 2]) <= 60;
}

function whatIsWrong(word: string): string {
  const shown = word.length > 40 ? `${word.slice(0, 40)}…` : word;
  if (/^[+-]?0\d/.test(word) && /^[+-]?[\d_]+$/.test(word)) {
    return `${shown} begins with 0, which TOML takes for no decimal number; an octal one is written 0o….`;
  }
  if (/^[+-]?0[xob]/i.test(word)) {
    return `${shown} is no number of TOML: 0x, 0o or 0b in lower case, digits of that base and no sign.`;
  }
  if (/^[+-]?[\d._]+(?:[eE][+-]?[\d_]*)?$/.test(word)) {
    return `${shown} is no number of TOML: digits must stand on both sides of a point and of each underscore.`;
  }
  if (/^\d{2,4}[-:]/.test(word)) return `${shown} is no date or time of TOML.`;
  if (/^(?:true|false)$/i.test(word)) return `${shown} must be written in lower case.`;
  return `${shown} is no value of TOML; text needs quotes.`;
}
