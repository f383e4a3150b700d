/** Which files beside a kernel image hold its symbols, and whether they really are those of the image. */
import { hex } from '../../address/format';
import { isElf, parseElf } from './elf';
import { elfSymbols } from './elfSymbols';
import { isMultiboot, parseMultiboot } from './multiboot';
import type { ImageProblem } from './problem';
import { isSymbolListing, parseSymbolListing } from './symbolListing';
import { linkedAddress, symbolAt, type SymbolTable } from './symbolTable';

/** Symbols that a run is given. */
export interface KernelSymbols {
  /** The file, as reports name it. */
  readonly file: string;
  readonly table: SymbolTable;
  /** The kernel runs where it is linked: the loader put it there by its segments, and the symbols are its own. */
  readonly loadedAsLinked: boolean;
}

/** File names by the name of the image, in the order in which they are tried; `$1` is the version. */
const COMPANIONS: readonly { readonly image: RegExp; readonly files: readonly string[] }[] = [
  { image: /^(?:vmlinuz|vmlinux|bzImage)-(.+)$/, files: ['vmlinux-$1', 'System.map-$1'] },
  { image: /^(?:vmlinuz|vmlinux|bzImage)/, files: ['vmlinux', 'System.map'] },
  { image: /^xen-(.+?)(?:\.gz)?$/, files: ['xen-syms-$1', 'xen-$1.map'] },
  { image: /^bsd(?:\.sp|\.mp)?$/, files: ['bsd.gdb'] },
  { image: /^(.+)$/, files: ['$1.debug'] },
];
/** Bytes compared between an image and the file that is said to hold its symbols. */
const COMPARED = 1 << 16;
/** What is looked at to recognise a list of symbols, and the longest one: System.map has up to 20 MiB. */
const LISTING_START = 8192;
const LARGEST_LISTING = 64 * 1024 * 1024;

/** Names of files in the folder of an image, most likely first. */
export function symbolFileNames(image: string): string[] {
  const names = COMPANIONS.flatMap(({ image: pattern, files }) => {
    const match = pattern.exec(image);
    return match ? files.map((file) => file.replace('$1', match[1] ?? '')) : [];
  });
  return [...new Set(names)].filter((name) => name !== image);
}

/** Reads a file of symbols; null for an ELF file that has none. */
export function readSymbols(bytes: Uint8Array): SymbolTable | ImageProblem | null {
  if (isElf(bytes)) return elfSymbols(bytes);
  const utf8 = new TextDecoder();
  if (!isSymbolListing(utf8.decode(bytes.subarray(0, LISTING_START)))) {
    return { problem: 'it is neither an ELF file nor a list of symbols such as System.map' };
  }
  if (bytes.length > LARGEST_LISTING) {
    return { problem: `the list has ${bytes.length} bytes, more than ${LARGEST_LISTING} (64 MiB)` };
  }
  return parseSymbolListing(utf8.decode(bytes));
}

/**
 * The symbols of a file for a kernel; a problem where they are of another build, or of nothing.
 * @param kernel the image that is booted, null where there is none to compare with
 */
export function symbolsFor(
  kernel: Uint8Array | null,
  file: string,
  bytes: Uint8Array,
): KernelSymbols | ImageProblem {
  const table = readSymbols(bytes);
  if (!table) return { problem: 'it has no symbol table: it is stripped' };
  if ('problem' in table) return table;
  if (table.starts.length === 0) return { problem: 'its symbol table names no address' };
  const loaded = kernel && loadedSegments(kernel);
  if (!loaded) return { file, table, loadedAsLinked: false };
  const wrong = isElf(bytes)
    ? (sameFile(kernel, bytes) ?? disagreement(loaded.segments, bytes))
    : strangeEntry(loaded.entry, loaded, table);
  if (wrong === 'same') return { file, table, loadedAsLinked: true };
  if (wrong !== null) return { problem: wrong };
  // A list has no segments of its own; those of the image are as good.
  const segments = table.segments.length > 0 ? table.segments : loaded.linked;
  return { file, table: { ...table, segments }, loadedAsLinked: true };
}

interface Loaded {
  readonly entry: bigint;
  readonly segments: readonly { readonly physical: bigint; readonly bytes: Uint8Array }[];
  readonly linked: SymbolTable['segments'];
}

/** What a loader puts where by the file's own word; null for images that unpack themselves, such as a bzImage. */
function loadedSegments(kernel: Uint8Array): Loaded | null {
  if (isElf(kernel)) {
    const elf = parseElf(kernel);
    if ('problem' in elf) return null;
    const linked = elf.segments.map(({ virtual, physical, memorySize }) => ({
      virtual,
      physical,
      size: memorySize,
    }));
    return { entry: elf.entry, segments: elf.segments, linked };
  }
  if (!isMultiboot(kernel)) return null;
  const image = parseMultiboot(kernel);
  return 'problem' in image ? null : { entry: image.entry, segments: image.segments, linked: [] };
}

function sameFile(kernel: Uint8Array, bytes: Uint8Array): 'same' | null {
  return kernel === bytes ||
    (kernel.length === bytes.length && kernel.every((byte, at) => byte === bytes[at]))
    ? 'same'
    : null;
}

/** Compares what the two files load at the start of each executable segment of the symbols' file. */
function disagreement(image: Loaded['segments'], bytes: Uint8Array): string | null {
  const elf = parseElf(bytes);
  if ('problem' in elf) return elf.problem;
  let compared = false;
  for (const segment of elf.segments) {
    if (!segment.executable) continue;
    const other = image.find(
      ({ physical, bytes: own }) =>
        segment.physical >= physical && segment.physical < physical + BigInt(own.length),
    );
    if (!other) continue;
    const offset = Number(segment.physical - other.physical);
    const size = Math.min(segment.bytes.length, other.bytes.length - offset, COMPARED);
    for (let at = 0; at < size; at++) {
      if (segment.bytes[at] === other.bytes[offset + at]) continue;
      return `it is of another build: its byte at physical ${hex(segment.physical + BigInt(at))} is ${hex(segment.bytes[at]!)}, that of the image ${hex(other.bytes[offset + at]!)}`;
    }
    compared ||= size > 0;
  }
  return compared ? null : 'it is of another kernel: none of its code lies where the image has some';
}

/** Without code to compare, the entry point at least must have a name. */
function strangeEntry(entry: bigint, { linked }: Loaded, table: SymbolTable): string | null {
  const places = [entry, linkedAddress({ segments: linked }, entry)];
  const named = places.some((place) => place !== null && symbolAt(table, place)?.offset === 0n);
  return named ? null : `it is of another build: it has no symbol at the image's entry point ${hex(entry)}`;
}
