/** Multiboot kernels: the header and what it says to load (Multiboot Specification 0.6.96, 3.1). */
import { hex } from '../../address/format';
import { loadByAddresses, loadElf, type MultibootLoad } from './multibootLoad';
import type { ImageProblem } from './problem';

const MAGIC = 0x1badb002;
/** The header lies within this many first bytes of the file, on a multiple of 4. */
const SEARCHED = 8192;
/** Flags that the loader must obey (0 to 15), of which it knows bit 0, page-aligned modules, and bit 1, memory sizes. */
const REQUIREMENTS = 0xffff;
const KNOWN_REQUIREMENTS = 0x0003;
const PAGE_ALIGNED_MODULES = 0x0001;
/** The address fields are valid and come before whatever the file's own header says. */
const ADDRESS_FIELDS = 0x10000;

export interface MultibootImage extends MultibootLoad {
  readonly pageAlignedModules: boolean;
}

/** Offset of the first header whose checksum is right, else of the first magic number, else null. */
function headerAt(bytes: Uint8Array, view: DataView): number | null {
  let first: number | null = null;
  for (let at = 0; at + 12 <= Math.min(bytes.length, SEARCHED); at += 4) {
    if (view.getUint32(at, true) !== MAGIC) continue;
    if (checksumRight(view, at)) return at;
    first ??= at;
  }
  return first;
}

const NO_ELF = 'flags lacks bit 16 (address fields), and the file is no ELF file';

/** True where there is a Multiboot header, whatever it says. */
export function isMultiboot(bytes: Uint8Array): boolean {
  return headerAt(bytes, viewOf(bytes)) !== null;
}

/** Reads a kernel. Every field that cannot be obeyed gives a problem that names it; nothing is thrown. */
export function parseMultiboot(bytes: Uint8Array): MultibootImage | ImageProblem {
  const view = viewOf(bytes);
  const at = headerAt(bytes, view);
  if (at === null) return problem(`no Multiboot header (${hex(MAGIC)}) in the first ${SEARCHED} bytes`);
  const flags = view.getUint32(at + 4, true);
  if (!checksumRight(view, at)) {
    const right = (-MAGIC - flags) >>> 0;
    return problem(
      `checksum is ${hex(view.getUint32(at + 8, true))}, with magic ${hex(MAGIC)} and flags ${hex(flags)} it must be ${hex(right)}`,
    );
  }
  const unknown = flags & REQUIREMENTS & ~KNOWN_REQUIREMENTS;
  if (unknown !== 0) {
    const what = unknown === 4 ? 'a video mode (bit 2)' : `the bits ${hex(unknown)}`;
    return problem(`flags is ${hex(flags)}: it requires ${what}, which is not modelled`);
  }
  const loaded = (flags & ADDRESS_FIELDS) !== 0 ? byAddressFields(bytes, view, at) : loadElf(bytes, NO_ELF);
  if ('problem' in loaded) return loaded;
  return { ...loaded, pageAlignedModules: (flags & PAGE_ALIGNED_MODULES) !== 0 };
}

/** Flag bit 16: the a.out way, text and data in one piece of the file (3.1.3). */
function byAddressFields(bytes: Uint8Array, view: DataView, at: number): MultibootLoad | ImageProblem {
  if (at + 32 > bytes.length) return problem('flags has bit 16, and the file ends within the address fields');
  const field = (index: number) => view.getUint32(at + 12 + 4 * index, true);
  const [header, load, loadEnd, bssEnd, entry] = [field(0), field(1), field(2), field(3), field(4)] as const;
  return loadByAddresses(bytes, at, { header, load, loadEnd, bssEnd, entry });
}

function checksumRight(view: DataView, at: number): boolean {
  return (MAGIC + view.getUint32(at + 4, true) + view.getUint32(at + 8, true)) % 2 ** 32 === 0;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function problem(text: string): ImageProblem {
  return { problem: text };
}
