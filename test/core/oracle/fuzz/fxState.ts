/** A random state of x87, MMX and SSE as an FXSAVE image (SDM vol. 1, 10.5.1). */
import { pairF32, pairF64 } from '../../float/operands';
import { putState } from '../../x87/records';
import type { Random } from '../random';

export const FX_BYTES = 512;
const MXCSR = 24;
const XMM = 160;
const EXCEPTION_SUMMARY = 0x80;
const BUSY = 0x8000;
/** Flush to zero, rounding, masks, denormals are zero. */
const CONTROLS = 0xffc0;
const ALL_MASKED = 0x1f80;
/** AMD's misaligned mode. */
const MM = 0x20000;

function mxcsr(random: Random): number {
  const control = random.oneIn(3) ? random.word() & CONTROLS : ALL_MASKED | (random.word() & 0x6000);
  return control | (random.oneIn(3) ? random.below(64) : 0) | (random.oneIn(8) ? MM : 0);
}

/** Eight bytes that are two floats, a double, or anything. */
function quadword(random: Random): bigint {
  switch (random.below(4)) {
    case 0: {
      const [low, high] = pairF32(random);
      return low | (high << 32n);
    }
    case 1:
      return pairF64(random)[0];
    default:
      return random.value(64);
  }
}

export function fillFloats(random: Random, memory: Uint8Array): void {
  const view = new DataView(memory.buffer, memory.byteOffset, memory.length);
  for (let at = 0; at + 8 <= memory.length; at += 8) view.setBigUint64(at, quadword(random), true);
}

export function anyFxState(random: Random): Uint8Array {
  const image = new Uint8Array(FX_BYTES);
  const view = new DataView(image.buffer);
  putState(random, view, {});
  if (random.oneIn(10)) {
    // An exception that is pending: the summary and B say so.
    const flags = 1 << random.below(6);
    view.setUint16(0, view.getUint16(0, true) & ~flags, true);
    view.setUint16(2, view.getUint16(2, true) | flags | EXCEPTION_SUMMARY | BUSY, true);
  }
  view.setUint32(MXCSR, mxcsr(random), true);
  fillFloats(random, image.subarray(XMM, XMM + 256));
  return image;
}
