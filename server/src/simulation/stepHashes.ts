/** The steps of a run as 64-bit hashes, eight bytes each: what millions of them must fit in. */
import type { TraceEvent } from '../../emulator/face';
import type { Access } from './runObserver';

/** Hashes a piece. */
const PIECE = 1 << 16;
const FNV_PRIME = 0x01000193;
const FNV_BASIS = 0x811c9dc5;
/** Makes the second half another function of the same text. */
const OTHER_BASIS = 0x9dc5811c;

export class StepHashes {
  length = 0;
  private readonly pieces: Uint32Array[] = [];

  push(step: Access | TraceEvent): void {
    const piece = this.length >>> 16;
    this.pieces[piece] ??= new Uint32Array(2 * PIECE);
    const text = textOf(step);
    const at = 2 * (this.length % PIECE);
    this.pieces[piece][at] = hash(text, FNV_BASIS);
    this.pieces[piece][at + 1] = hash(text, OTHER_BASIS);
    this.length++;
  }

  /** False beyond the last one. */
  matches(index: number, step: Access | TraceEvent): boolean {
    if (index >= this.length) return false;
    const piece = this.pieces[index >>> 16]!;
    const at = 2 * (index % PIECE);
    const text = textOf(step);
    return piece[at] === hash(text, FNV_BASIS) && piece[at + 1] === hash(text, OTHER_BASIS);
  }
}

/** All that a step says but its time, and who answered: the same answer of another device is no other step. */
function textOf(step: Access | TraceEvent): string {
  let text = '';
  for (const [name, value] of Object.entries(step)) {
    if (name !== 'at' && name !== 'device') text += `${String(value)},`;
  }
  return text;
}

function hash(text: string, basis: number): number {
  let value = basis;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), FNV_PRIME);
  return value >>> 0;
}
