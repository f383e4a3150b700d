/** Multiboot2 kernels: the header, its tags, and what they say to load (Multiboot2 Specification 2.0, 3.1). */
import { hex } from '../../address/format';
import { loadByAddresses, loadElf, type MultibootLoad } from './multibootLoad';
import type { ImageProblem } from './problem';

const MAGIC = 0xe85250d6;
/** The header lies within this many first bytes of the file, on a multiple of 8. */
const SEARCHED = 32768;
const HEADER_SIZE = 16;
const ARCHITECTURE_I386 = 0;
const OPTIONAL = 1;
/** In `load_addr`: loading starts with the file's first byte. */
const FROM_START = 0xffffffff;
/** Boot information tags that the specification knows. */
const LAST_INFORMATION = 21;

export interface Relocation {
  /** Lowest address of the image, and the highest that it may end at (exclusive). */
  readonly lowest: bigint;
  readonly end: bigint;
  readonly alignment: bigint;
  readonly preference: 'none' | 'low' | 'high';
}

export interface Multiboot2Image extends MultibootLoad {
  readonly relocation: Relocation | null;
}

/** Tag types of the header. */
const TAG = {
  end: 0,
  informationRequest: 1,
  address: 2,
  entryAddress: 3,
  flags: 4,
  framebuffer: 5,
  moduleAlignment: 6,
  efiBootServices: 7,
  efiI386Entry: 8,
  efiAmd64Entry: 9,
  relocatable: 10,
} as const;

/** Smallest size of each, in bytes. */
const SIZES: Readonly<Record<number, readonly [name: string, size: number]>> = {
  [TAG.end]: ['end', 8],
  [TAG.informationRequest]: ['information request', 8],
  [TAG.address]: ['address', 24],
  [TAG.entryAddress]: ['entry address', 12],
  [TAG.flags]: ['flags', 12],
  [TAG.framebuffer]: ['framebuffer', 20],
  [TAG.moduleAlignment]: ['module alignment', 8],
  [TAG.efiBootServices]: ['EFI boot services', 8],
  [TAG.efiI386Entry]: ['EFI i386 entry address', 12],
  [TAG.efiAmd64Entry]: ['EFI amd64 entry address', 12],
  [TAG.relocatable]: ['relocatable', 24],
};

interface Tag {
  readonly type: number;
  readonly optional: boolean;
  readonly at: number;
  readonly size: number;
}

/** Offset of the first header whose checksum is right, else of the first magic number, else null. */
function headerAt(view: DataView): number | null {
  let first: number | null = null;
  for (let at = 0; at + HEADER_SIZE <= Math.min(view.byteLength, SEARCHED); at += 8) {
    if (view.getUint32(at, true) !== MAGIC) continue;
    if (checksum(view, at) === 0) return at;
    first ??= at;
  }
  return first;
}

/** True where there is a Multiboot2 header, whatever it says. */
export function isMultiboot2(bytes: Uint8Array): boolean {
  return headerAt(viewOf(bytes)) !== null;
}

/** Reads a kernel. Every field that cannot be obeyed gives a problem that names it; nothing is thrown. */
export function parseMultiboot2(bytes: Uint8Array): Multiboot2Image | ImageProblem {
  const view = viewOf(bytes);
  const at = headerAt(view);
  if (at === null) return problem(`no Multiboot2 header (${hex(MAGIC)}) in the first ${SEARCHED} bytes`);
  const length = view.getUint32(at + 8, true);
  const wrong = checkHeader(view, at, length);
  if (wrong) return wrong;
  const tags = readTags(view, at + HEADER_SIZE, at + length);
  if ('problem' in tags) return tags;
  const refused = tags.map((tag) => refusal(view, tag)).find((one) => one !== null);
  if (refused) return refused;
  const relocation = relocationOf(view, tags);
  if (relocation && 'problem' in relocation) return relocation;
  const loaded = loadOf(bytes, view, at, tags);
  return 'problem' in loaded ? loaded : { ...loaded, relocation };
}

function checkHeader(view: DataView, at: number, length: number): ImageProblem | null {
  const rest = checksum(view, at);
  if (rest !== 0) {
    const found = view.getUint32(at + 12, true);
    const right = (found - rest + 2 ** 32) % 2 ** 32;
    return problem(
      `checksum is ${hex(found)}, with the magic, architecture and header_length before it it must be ${hex(right)}`,
    );
  }
  const architecture = view.getUint32(at + 4, true);
  if (architecture !== ARCHITECTURE_I386) {
    return problem(`architecture is ${architecture}, not 0 (i386, 32-bit protected mode)`);
  }
  if (length < HEADER_SIZE || at + length > view.byteLength) {
    return problem(
      `header_length is ${hex(length)}: the header is at ${hex(at)} of the file's ${hex(view.byteLength)} bytes`,
    );
  }
  if (at + length > SEARCHED) {
    return problem(
      `header_length ${hex(length)} ends at ${hex(at + length)}, behind the first ${SEARCHED} bytes`,
    );
  }
  return null;
}

function readTags(view: DataView, start: number, end: number): Tag[] | ImageProblem {
  const tags: Tag[] = [];
  for (let at = start; at + 8 <= end;) {
    const type = view.getUint16(at, true);
    const size = view.getUint32(at + 4, true);
    const [name, least] = SIZES[type] ?? [`tag ${type}`, 8];
    if (size < least || at + size > end) {
      return problem(
        `the header's ${name} tag at ${hex(at)} has size ${hex(size)}; it takes ${least} bytes at least, and the header ends at ${hex(end)}`,
      );
    }
    if (type === TAG.end) return tags;
    tags.push({ type, optional: (view.getUint16(at + 2, true) & OPTIONAL) !== 0, at, size });
    at += (size + 7) & ~7;
  }
  return problem(`the header has no end tag before its end at ${hex(end)}`);
}

/** Why a tag that is not optional cannot be obeyed, or null. EFI tags count where EFI started the loader only. */
function refusal(view: DataView, { type, optional, at, size }: Tag): ImageProblem | null {
  if (optional) return null;
  if (SIZES[type] === undefined) return problem(`the header requires tag ${type}, which nobody knows`);
  if (type === TAG.framebuffer) return problem('the header requires a framebuffer, which is not modelled');
  if (type === TAG.flags && (view.getUint32(at + 8, true) & 1) !== 0) {
    return problem(
      'console_flags bit 0 requires a console of the boot loader’s, and the machine has no screen',
    );
  }
  if (type !== TAG.informationRequest) return null;
  for (let word = at + 8; word + 4 <= at + size; word += 4) {
    const asked = view.getUint32(word, true);
    if (asked > LAST_INFORMATION) {
      return problem(`the header requires boot information of type ${asked}, which nobody knows`);
    }
  }
  return null;
}

function relocationOf(view: DataView, tags: readonly Tag[]): Relocation | ImageProblem | null {
  const tag = tags.find(({ type }) => type === TAG.relocatable);
  if (!tag) return null;
  const [lowest, highest, alignment, wanted] = [8, 12, 16, 20].map((offset) =>
    view.getUint32(tag.at + offset, true),
  ) as [number, number, number, number];
  if (lowest > highest) {
    return problem(`the relocatable tag's min_addr ${hex(lowest)} is above its max_addr ${hex(highest)}`);
  }
  if (alignment !== 0 && (alignment & (alignment - 1)) !== 0) {
    return problem(`the relocatable tag's align is ${hex(alignment)}, not a power of 2`);
  }
  const preference = (['none', 'low', 'high'] as const)[wanted];
  if (!preference) return problem(`the relocatable tag's preference is ${wanted}, none of 0, 1 and 2`);
  // A whole last page below 4 GiB ends at 2^32.
  return {
    lowest: BigInt(lowest),
    end: BigInt(highest) + 1n,
    alignment: BigInt(alignment === 0 ? 1 : alignment),
    preference,
  };
}

function loadOf(
  bytes: Uint8Array,
  view: DataView,
  header: number,
  tags: readonly Tag[],
): MultibootLoad | ImageProblem {
  const last = (wanted: number) => tags.filter(({ type }) => type === wanted).at(-1);
  const address = last(TAG.address);
  const entryTag = last(TAG.entryAddress);
  const entry = entryTag ? view.getUint32(entryTag.at + 8, true) : null;
  if (!address) {
    const loaded = loadElf(bytes, 'the header has no address tag, and the file is no ELF file');
    if ('problem' in loaded || entry === null) return loaded;
    const inside = loaded.segments.some(
      ({ physical, memorySize }) => BigInt(entry) >= physical && BigInt(entry) < physical + memorySize,
    );
    return inside
      ? { ...loaded, entry: BigInt(entry) }
      : problem(`the entry address tag's entry_addr ${hex(entry)} is in no segment`);
  }
  if (entry === null) return problem('the header has an address tag, and no entry address tag');
  const field = (index: number) => view.getUint32(address.at + 8 + 4 * index, true);
  const load = field(1) === FROM_START ? field(0) - header : field(1);
  if (load < 0) {
    return problem(
      `header_addr is ${hex(field(0))}, but the header is at ${hex(header)} of the file, which load_addr wants from its start`,
    );
  }
  return loadByAddresses(bytes, header, {
    header: field(0),
    load,
    loadEnd: field(2),
    bssEnd: field(3),
    entry,
  });
}

/** The sum of the four words, which is 0 where the checksum is right. */
function checksum(view: DataView, at: number): number {
  let sum = 0;
  for (let word = 0; word < 4; word++) sum += view.getUint32(at + 4 * word, true);
  return sum % 2 ** 32;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function problem(text: string): ImageProblem {
  return { problem: text };
}
