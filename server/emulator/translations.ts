/**
 * Cached translations as part of a snapshot. A guest may run on a stale one until it flushes, so a resumed run must have the
 * very same; host addresses are made anew from the guest pages.
 */
import * as L from './assembly/layout';

/** Words of a record: place (vCPU, set, kind, index), linear page, guest page with the global bit. */
const RECORD = 24;

const KINDS = [
  { entries: L.TLB_READ, info: L.TLB_READ_INFO, count: L.TLB_ENTRIES, size: 16 },
  { entries: L.TLB_WRITE, info: L.TLB_WRITE_INFO, count: L.TLB_ENTRIES, size: 16 },
  { entries: L.TLB_FETCH, info: null, count: L.TLB_FETCH_ENTRIES, size: L.TLB_FETCH_SIZE },
] as const;
const EMPTY = 0xffff_ffff_ffff_ffffn;

const setAt = (vcpu: number, set: number): number => L.TLBS + vcpu * L.TLB_VCPU_SIZE + set * L.TLB_SET_SIZE;

export function saveTranslations(view: DataView, vcpus: number): Uint8Array {
  const words: bigint[] = [];
  for (let vcpu = 0; vcpu < vcpus; vcpu++)
    for (let set = 0; set < 3; set++) {
      const base = setAt(vcpu, set);
      if (view.getUint32(base + L.TLB_USED, true) === 0) continue;
      KINDS.forEach(({ entries, info, count, size }, kind) => {
        for (let i = 0; i < count; i++) {
          const at = base + entries + i * size;
          const tag = view.getBigUint64(at, true);
          if (tag === EMPTY) continue;
          const guest = view.getBigUint64(info === null ? at + 16 : base + info + 8 * i, true);
          words.push(BigInt((vcpu << 16) | (set << 14) | (kind << 12) | i), tag, guest);
        }
      });
    }
  return new Uint8Array(BigUint64Array.from(words).buffer);
}

/** What the core does to put one record back. */
export interface TranslationSink {
  restoreData(vcpu: number, set: number, write: number, linear: bigint, guest: bigint): void;
  restoreFetch(vcpu: number, set: number, index: number, tag: bigint, guest: bigint): void;
}

export function restoreTranslations(bytes: Uint8Array, sink: TranslationSink): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + RECORD <= bytes.byteLength; at += RECORD) {
    const place = Number(view.getBigUint64(at, true));
    const tag = view.getBigUint64(at + 8, true);
    const guest = view.getBigUint64(at + 16, true);
    const [vcpu, set, kind] = [place >> 16, (place >> 14) & 3, (place >> 12) & 3];
    if (kind === 2) sink.restoreFetch(vcpu, set, place & 0xfff, tag, guest);
    else sink.restoreData(vcpu, set, kind, tag, guest);
  }
}
