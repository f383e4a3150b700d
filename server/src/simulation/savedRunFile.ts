/**
 * The file of a saved run (docs/captured-state.md): a header, and chunks that are compressed one by one. The host brings the
 * compression; everything else about the bytes is here.
 */
import { crc32 } from './crc32';
import { packData, unpackData } from './packedData';
import type { SavedRun } from './savedRun';

/** It has a line break of DOS, which a transfer as text would change. */
const MAGIC = new TextEncoder().encode('bootpath state\r\n');
/** Raised with every change of this layout. */
export const STATE_FORMAT = 1;
const FIXED_SIZE = 28;
const CHUNK_HEADER_SIZE = 12;
/** Blobs are joined to chunks of about this size before they are compressed. */
const CHUNK_SIZE = 1 << 24;

export interface Compression {
  readonly deflate: (bytes: Uint8Array) => Uint8Array;
  /** Null where the bytes are not the compressed form of that many bytes. */
  readonly inflate: (bytes: Uint8Array, length: number) => Uint8Array | null;
}

/** Who can read the rest: device states and the core's own memory have no layout that other builds know. */
export interface StateWriter {
  /** Version of Bootpath. */
  readonly program: string;
  /** Checksum of the emulator core. */
  readonly core: string;
}

interface Header extends StateWriter {
  readonly vmm: string;
  readonly version: string;
  readonly machine: string;
  readonly instructions: number;
  readonly chunks: number;
}

export interface StateProblem {
  readonly problem: string;
}

/** True where the bytes begin as a saved state does. */
export function isSavedRun(bytes: Uint8Array): boolean {
  return bytes.length >= MAGIC.length && MAGIC.every((byte, at) => bytes[at] === byte);
}

/** The file in pieces, in order; a large machine is never in memory twice as a whole. */
export function* encodeRun(
  run: SavedRun,
  writer: StateWriter,
  { deflate }: Compression,
): Generator<Uint8Array, void, void> {
  const { json, blobs } = packData(run);
  const parts = chunksOf(blobs);
  const index = JSON.stringify({ data: json, blobs: blobs.map(({ length }) => length) });
  const header: Header = {
    ...writer,
    vmm: run.vmm,
    version: run.version,
    machine: run.machine.name,
    instructions: run.instructions,
    chunks: parts.length + 1,
  };
  yield headerBytes(header);
  yield* chunk(new TextEncoder().encode(index), deflate);
  for (const part of parts) yield* chunk(joined(part), deflate);
}

/** The run again, or what is wrong with the file. */
export function decodeRun(
  bytes: Uint8Array,
  writer: StateWriter,
  compression: Compression,
): SavedRun | StateProblem {
  const header = readHeader(bytes);
  if ('problem' in header) return header;
  const strange = strangeWriter(header.fields, writer);
  if (strange) return strange;
  const chunks = readChunks(bytes, header.end, header.fields.chunks, compression);
  if ('problem' in chunks) return chunks;
  try {
    const { data, blobs } = JSON.parse(new TextDecoder().decode(chunks.list[0])) as {
      data: string;
      blobs: readonly number[];
    };
    return unpackData({ json: data, blobs: split(blobs, chunks.list.slice(1)) }) as SavedRun;
  } catch (error) {
    return { problem: `its index cannot be read: ${(error as Error).message}` };
  }
}

function headerBytes(header: Header): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(FIXED_SIZE + text.length);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(16, STATE_FORMAT, true);
  view.setUint32(20, text.length, true);
  view.setUint32(24, crc32(text), true);
  bytes.set(text, FIXED_SIZE);
  return bytes;
}

function readHeader(bytes: Uint8Array): { fields: Header; end: number } | StateProblem {
  if (!isSavedRun(bytes)) return { problem: 'it does not begin with "bootpath state"' };
  if (bytes.length < FIXED_SIZE) {
    return { problem: `it is truncated: it has ${bytes.length} bytes, its fixed header alone ${FIXED_SIZE}` };
  }
  const view = viewOf(bytes);
  const format = view.getUint32(16, true);
  if (format !== STATE_FORMAT) {
    const age = format > STATE_FORMAT ? 'a newer Bootpath wrote it' : 'there never was such a format';
    return { problem: `its format is ${format}, this Bootpath reads format ${STATE_FORMAT}: ${age}` };
  }
  const length = view.getUint32(20, true);
  const end = FIXED_SIZE + length;
  if (end > bytes.length) {
    return { problem: `it is truncated: its header ends at byte ${end}, the file at ${bytes.length}` };
  }
  const text = bytes.subarray(FIXED_SIZE, end);
  const wrong = checksum('its header', text, view.getUint32(24, true));
  if (wrong) return wrong;
  try {
    return { fields: Object(JSON.parse(new TextDecoder().decode(text))) as Header, end };
  } catch (error) {
    return { problem: `its header cannot be read: ${(error as Error).message}` };
  }
}

function strangeWriter(header: Header, { program, core }: StateWriter): StateProblem | null {
  if (header.program !== program) {
    return {
      problem: `Bootpath ${header.program} wrote it, and this is ${program}: the states of devices differ`,
    };
  }
  if (header.core !== core) {
    return {
      problem: `another build of Bootpath ${program} wrote it: its core is ${header.core}, this one's ${core}`,
    };
  }
  return null;
}

function* chunk(bytes: Uint8Array, deflate: Compression['deflate']): Generator<Uint8Array, void, void> {
  const stored = deflate(bytes);
  const header = new Uint8Array(CHUNK_HEADER_SIZE);
  const view = viewOf(header);
  view.setUint32(0, stored.length, true);
  view.setUint32(4, bytes.length, true);
  view.setUint32(8, crc32(stored), true);
  yield header;
  yield stored;
}

function readChunks(
  bytes: Uint8Array,
  start: number,
  count: number,
  { inflate }: Compression,
): { list: readonly Uint8Array[] } | StateProblem {
  const view = viewOf(bytes);
  const list: Uint8Array[] = [];
  let at = start;
  for (let index = 0; index < count; index++) {
    const title = `chunk ${index + 1} of ${count}`;
    const stored = at + CHUNK_HEADER_SIZE <= bytes.length ? view.getUint32(at, true) : 0;
    const end = at + CHUNK_HEADER_SIZE + stored;
    if (end > bytes.length) {
      return { problem: `it is truncated: ${title} ends at byte ${end}, the file at ${bytes.length}` };
    }
    const part = bytes.subarray(at + CHUNK_HEADER_SIZE, end);
    const wrong = checksum(title, part, view.getUint32(at + 8, true));
    if (wrong) return wrong;
    const length = view.getUint32(at + 4, true);
    const inflated = inflate(part, length);
    if (!inflated) return { problem: `${title} does not inflate to its ${length} bytes` };
    // Node's own class of bytes has a `slice` that does not copy.
    list.push(new Uint8Array(inflated.buffer, inflated.byteOffset, inflated.length));
    at = end;
  }
  if (at !== bytes.length) return { problem: `${bytes.length - at} bytes follow its last chunk` };
  return { list };
}

function checksum(title: string, bytes: Uint8Array, expected: number): StateProblem | null {
  const found = crc32(bytes);
  if (found === expected) return null;
  const text = (value: number) => `0x${value.toString(16).padStart(8, '0')}`;
  return {
    problem: `it is corrupted: ${title} has the CRC-32 ${text(found)}, written was ${text(expected)}`,
  };
}

/** A blob is never parted, so that it can be read in place. */
function chunksOf(blobs: readonly Uint8Array[]): Uint8Array[][] {
  const chunks: Uint8Array[][] = [];
  let size = CHUNK_SIZE;
  for (const blob of blobs) {
    if (size + blob.length > CHUNK_SIZE) {
      chunks.push([]);
      size = 0;
    }
    chunks.at(-1)!.push(blob);
    size += blob.length;
  }
  return chunks;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function split(lengths: readonly number[], chunks: readonly Uint8Array[]): Uint8Array[] {
  let [index, at] = [0, 0];
  return lengths.map((length) => {
    while (index < chunks.length && at + length > chunks[index]!.length) [index, at] = [index + 1, 0];
    const chunk = chunks[index];
    if (!chunk) throw new RangeError('its blobs are more than its chunks hold');
    const blob = chunk.subarray(at, at + length);
    at += length;
    return blob;
  });
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
