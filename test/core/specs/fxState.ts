/** The part of the specification language that is about x87 and SSE: assignments to an FXSAVE image. */
import { fxDifferences, fxPart, type FxPart } from '../oracle/fuzz/compare';

const TOKEN = /^(st[0-7]|xmm\d+|push|pop|fcw|mxcsr|ie|de|ze|oe|ue|pe|sf|es|c[0-3])=(\S+)$/;
const STATUS: Readonly<Record<string, number>> = {
  ...{ ie: 1, de: 2, ze: 4, oe: 8, ue: 0x10, pe: 0x20, sf: 0x40, es: 0x8080 },
  ...{ c0: 0x100, c1: 0x200, c2: 0x400, c3: 0x4000 },
};
const FCW = 0;
const FSW = 2;
const FTW = 4;
const MXCSR = 24;
const ST = 32;
const XMM = 160;
/** Pointers are the CPU's business, and what MXCSR has. */
const NOT_COMPARED: readonly FxPart[] = ['FOP', 'FIP', 'FDP', 'MXCSR_MASK'];

export const namesFx = (text: string): boolean => text.split(/\s+/).some((token) => TOKEN.test(token));

/** As FNINIT and RESET leave it. */
export function initialFx(): Uint8Array {
  const image = new Uint8Array(512);
  const view = new DataView(image.buffer);
  view.setUint16(FCW, 0x37f, true);
  view.setUint32(MXCSR, 0x1f80, true);
  return image;
}

/** A double as an extended number: sign and exponent, and significand. */
function extended(value: number): readonly [head: number, significand: bigint] {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const sign = Number(bits >> 63n) << 15;
  const exponent = Number((bits >> 52n) & 0x7ffn);
  const fraction = (bits & ((1n << 52n) - 1n)) << 11n;
  if (exponent === 0 && fraction === 0n) return [sign, 0n];
  if (exponent === 0) throw new Error(`${value} is denormal: write its bits`);
  if (exponent === 0x7ff) return [sign | 0x7fff, (1n << 63n) | fraction];
  return [sign | (exponent - 1023 + 16383), (1n << 63n) | fraction];
}

const NUMBERS: Readonly<Record<string, number>> = { inf: Infinity, '-inf': -Infinity, nan: NaN };
function numberOf(text: string): number {
  const value = NUMBERS[text] ?? Number(text);
  if (Number.isNaN(value) && text !== 'nan') throw new Error(`${text} is no number`);
  return value;
}

function setRegister(view: DataView, at: number, text: string): void {
  const digits = /^[0-9a-f]{20}$/.test(text);
  const [head, significand] = digits
    ? [parseInt(text.slice(0, 4), 16), BigInt(`0x${text.slice(4)}`)]
    : extended(numberOf(text));
  view.setBigUint64(at, significand, true);
  view.setUint16(at + 8, head, true);
}

function setVector(view: DataView, at: number, text: string): void {
  const elements = /^p([sd])\((.*)\)$/.exec(text);
  if (elements) {
    const values = (elements[2] ?? '').split(',').reverse().map(numberOf);
    values.forEach((value, i) => {
      if (elements[1] === 's') view.setFloat32(at + 4 * i, value, true);
      else view.setFloat64(at + 8 * i, value, true);
    });
  } else if (/^[0-9a-f]{32}$/.test(text)) {
    view.setBigUint64(at, BigInt(`0x${text.slice(16)}`), true);
    view.setBigUint64(at + 8, BigInt(`0x${text.slice(0, 16)}`), true);
  } else throw new Error(`${text} is neither a vector nor 32 digits`);
}

const top = (view: DataView): number => (view.getUint16(FSW, true) >> 11) & 7;
const setValid = (view: DataView, register: number, valid: boolean): void => {
  const bit = 1 << register;
  view.setUint8(FTW, valid ? view.getUint8(FTW) | bit : view.getUint8(FTW) & ~bit);
};

/** Moves TOP by one; the image has the registers in the order of the stack. */
function rotate(image: Uint8Array, view: DataView, by: 1 | -1): void {
  const registers = Array.from({ length: 8 }, (_, i) => image.slice(ST + 16 * i, ST + 16 * i + 16));
  registers.forEach((bytes, i) => image.set(bytes, ST + 16 * ((i - by + 8) & 7)));
  const status = view.getUint16(FSW, true) & ~0x3800;
  view.setUint16(FSW, status | (((top(view) + by + 8) & 7) << 11), true);
}

/** Whether the token is about x87 or SSE; then it is done. */
export function applyFx(token: string, { fx }: { readonly fx: Uint8Array | null }): boolean {
  const match = TOKEN.exec(token);
  if (!match || fx === null) return false;
  const [, name = '', value = ''] = match;
  const view = new DataView(fx.buffer, fx.byteOffset, fx.length);
  const number = Number(/\d+$/.exec(name)?.[0] ?? 0);
  const status = STATUS[name];
  if (name.startsWith('st')) {
    setRegister(view, ST + 16 * number, value);
    setValid(view, (top(view) + number) & 7, true);
  } else if (name === 'push') {
    rotate(fx, view, -1);
    setRegister(view, ST, value);
    setValid(view, top(view), true);
  } else if (name === 'pop') {
    for (let i = 0; i < Number(value); i++) {
      setValid(view, top(view), false);
      rotate(fx, view, 1);
    }
  } else if (name.startsWith('xmm')) setVector(view, XMM + 16 * number, value);
  else if (name === 'fcw') view.setUint16(FCW, parseInt(value, 16), true);
  else if (name === 'mxcsr') view.setUint32(MXCSR, parseInt(value, 16), true);
  else if (status !== undefined)
    view.setUint16(
      FSW,
      value === '1' ? view.getUint16(FSW, true) | status : view.getUint16(FSW, true) & ~status,
      true,
    );
  return true;
}

const text = (image: Uint8Array, part: FxPart): string =>
  Buffer.from(fxPart(image, part).slice().reverse()).toString('hex');

/** What is wrong with an image, in words. */
export function fxErrors(got: Uint8Array, expected: Uint8Array): readonly string[] {
  return fxDifferences(got, expected)
    .filter((part) => !NOT_COMPARED.includes(part))
    .map((part) => `${part} ${text(got, part)}, not ${text(expected, part)}`);
}
