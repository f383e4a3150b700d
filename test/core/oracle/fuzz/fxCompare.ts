/** When parts of two FXSAVE images are as good as equal. */
import { fxPart, same } from './compare';

export const ST_NAMES = Array.from({ length: 8 }, (_, i): `ST${number}` => `ST${i}`);
export const XMM_NAMES = Array.from({ length: 16 }, (_, i): `XMM${number}` => `XMM${i}`);
const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
export const fxWord = (image: Uint8Array, at: number): number => viewOf(image).getUint16(at, true);

/** Whether the x87 registers are the same where TOP is not. */
export function sameRegisters(a: Uint8Array, b: Uint8Array): boolean {
  const top = (image: Uint8Array): number => (fxWord(image, 2) >> 11) & 7;
  const register = (image: Uint8Array, i: number): Uint8Array =>
    fxPart(image, `ST${(i + 8 - top(image)) & 7}`);
  return ST_NAMES.every((_, i) => same(register(a, i), register(b, i)));
}

/** Four floats each, equal or near enough to be estimates of the same number. */
export function areEstimates(a: Uint8Array, b: Uint8Array): boolean {
  const [x, y] = [viewOf(a), viewOf(b)];
  return [0, 4, 8, 12].every((at) => {
    if (x.getUint32(at, true) === y.getUint32(at, true)) return true;
    // At the smallest normal number the result may also count as tiny.
    if ([x, y].every((view) => (view.getUint32(at, true) & 0x7f7fffff) === 0))
      return Math.sign(1 / x.getFloat32(at, true)) === Math.sign(1 / y.getFloat32(at, true));
    const [one, other] = [x.getFloat32(at, true), y.getFloat32(at, true)];
    return Math.abs(one / other - 1) < 3 * 2 ** -12;
  });
}

/** Extended numbers that differ by one unit in the last place. */
export function areNeighbours(a: Uint8Array, b: Uint8Array): boolean {
  const [x, y] = [viewOf(a), viewOf(b)];
  const number = (view: DataView): bigint =>
    (BigInt(view.getUint16(8, true)) << 63n) | BigInt.asUintN(63, view.getBigUint64(0, true));
  const distance = number(x) - number(y);
  return distance === 1n || distance === -1n;
}
