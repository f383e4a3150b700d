/**
 * Plain data as JSON and blobs: what structured clone can copy and JSON cannot say. Numbers beyond 2^53 become
 * `{"$n": "0x…"}`, bytes `{"$b": INDEX}`, other typed arrays `{"$a": [TYPE, INDEX]}`, maps `{"$m": [[KEY, VALUE]…]}`,
 * NaN and the infinities `{"$f": "Infinity"}`, undefined in a list `{"$u": 0}`.
 */

export interface PackedData {
  readonly json: string;
  /** Each once, however often it occurs. */
  readonly blobs: readonly Uint8Array[];
}

const ARRAYS = {
  Uint16Array,
  Uint32Array,
  Int32Array,
  Float64Array,
  BigUint64Array,
  BigInt64Array,
} as const;
type ArrayName = keyof typeof ARRAYS;

/** Keys of JSON objects that stand for something else; one of the data's own objects never has such a key alone. */
const TAG = /^\$[nbamfu]$/;

export function packData(value: unknown): PackedData {
  const blobs: Uint8Array[] = [];
  /** By buffer, then by place: views of the same bytes are one blob. */
  const known = new Map<ArrayBufferLike, Map<string, number>>();
  const blob = (view: ArrayBufferView): number => {
    const { buffer, byteOffset, byteLength } = view;
    let places = known.get(buffer);
    if (!places) known.set(buffer, (places = new Map<string, number>()));
    const key = `${byteOffset}+${byteLength}`;
    let index = places.get(key);
    if (index === undefined) {
      index = blobs.push(new Uint8Array(buffer, byteOffset, byteLength)) - 1;
      places.set(key, index);
    }
    return index;
  };
  const pack = (item: unknown): unknown => {
    switch (typeof item) {
      case 'bigint':
        return { $n: item < 0n ? `-0x${(-item).toString(16)}` : `0x${item.toString(16)}` };
      case 'number':
        return Number.isFinite(item) ? item : { $f: String(item) };
      case 'undefined':
        return { $u: 0 };
      case 'object':
        return item === null ? null : packObject(item);
      case 'string':
      case 'boolean':
        return item;
      default:
        throw new TypeError(`a ${typeof item} is no plain data`);
    }
  };
  const packObject = (item: object): unknown => {
    if (Array.isArray(item)) return item.map(pack);
    if (item instanceof Uint8Array) return { $b: blob(item) };
    if (ArrayBuffer.isView(item)) return { $a: [item.constructor.name, blob(item)] };
    if (item instanceof Map) return { $m: [...item].map(([key, one]) => [pack(key), pack(one)]) };
    const entries = Object.entries(item).filter(([, one]) => one !== undefined);
    const packed = Object.fromEntries(entries.map(([key, one]) => [key, pack(one)]));
    // An object that looks like a tag is written as a map would be, which keeps its keys apart from ours.
    return entries.length === 1 && (TAG.test(entries[0]![0]) || entries[0]![0] === '$o')
      ? { $o: Object.entries(packed) }
      : packed;
  };
  return { json: JSON.stringify(pack(value)), blobs };
}

/** The value again. Throws where the JSON is none or names a blob that is not there. */
export function unpackData({ json, blobs }: PackedData): unknown {
  const at = (index: unknown): Uint8Array => {
    const bytes = blobs[index as number];
    if (!bytes) throw new RangeError(`there is no blob ${String(index)} of ${blobs.length}`);
    return bytes;
  };
  const unpack = (item: unknown): unknown => {
    if (item === null || typeof item !== 'object') return item;
    if (Array.isArray(item)) return item.map(unpack);
    const entries = Object.entries(item);
    if (entries.length === 1) {
      const [key, value] = entries[0]! as [string, unknown];
      switch (key) {
        case '$n':
          return signed(String(value));
        case '$b':
          return at(value);
        case '$a':
          return typed(value as [string, number], at);
        case '$m':
          return new Map((value as [unknown, unknown][]).map(([k, v]) => [unpack(k), unpack(v)]));
        case '$f':
          return Number(value);
        case '$u':
          return undefined;
        case '$o':
          return Object.fromEntries((value as [string, unknown][]).map(([k, v]) => [k, unpack(v)]));
      }
    }
    return Object.fromEntries(entries.map(([key, value]) => [key, unpack(value)]));
  };
  return unpack(JSON.parse(json));
}

function signed(text: string): bigint {
  return text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
}

function typed([name, index]: [string, number], at: (index: unknown) => Uint8Array): unknown {
  const type = ARRAYS[name as ArrayName] as (typeof ARRAYS)[ArrayName] | undefined;
  if (!type) throw new TypeError(`there is no array type ${name}`);
  // A copy: the bytes may lie at any offset, the numbers may not.
  return new type(new Uint8Array(at(index)).buffer);
}
