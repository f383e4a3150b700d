/** The boot information of Multiboot2: tags one after the other, none of which points to another (specification 2.0, 3.6). */
import { KIB, MIB } from '../../address/range';
import { e820Bytes } from '../e820';
import { terminated } from './commandLine';
import type { LoadTarget } from './loader';
import type { PlacedSections } from './multiboot2Sections';

export interface PlacedModule {
  readonly start: bigint;
  readonly end: bigint;
  readonly commandLine: string;
}

export interface InformationParts {
  readonly target: LoadTarget;
  readonly commandLine: string;
  readonly modules: readonly PlacedModule[];
  /** Where the image starts in memory, for one that can be relocated; else null. */
  readonly loadBase: bigint | null;
  readonly sections: PlacedSections | null;
}

const TAG = {
  end: 0,
  commandLine: 1,
  loaderName: 2,
  module: 3,
  memorySizes: 4,
  memoryMap: 6,
  elfSections: 9,
  oldRsdp: 14,
  newRsdp: 15,
  loadBase: 21,
} as const;
const LOADER_NAME = 'bootpath';
const MAP_ENTRY = 24;
/** Bytes of the root pointer of ACPI 1.0, and from ACPI 2.0 on (ACPI 6.5, table 5.3). */
const RSDP_SIZES = { old: 20, new: 36 } as const;
const RSDP_REVISION = 15;

/** The structure, a multiple of 8 bytes. */
export function multiboot2Information(parts: InformationParts): Uint8Array {
  const { target, modules, loadBase, sections } = parts;
  const tags: Uint8Array[] = [
    tag(TAG.commandLine, terminated(parts.commandLine)),
    tag(TAG.loaderName, terminated(LOADER_NAME)),
    ...modules.map(({ start, end, commandLine }) =>
      tag(TAG.module, words(Number(start), Number(end)), terminated(commandLine)),
    ),
    tag(TAG.memorySizes, words(Number(target.conventionalEnd / KIB), Number((target.lowEnd - MIB) / KIB))),
    tag(TAG.memoryMap, words(MAP_ENTRY, 0), e820Bytes(target.memoryMap, MAP_ENTRY)),
    ...rootPointers(target),
  ];
  if (sections) {
    const { count, entrySize, names, bytes } = sections;
    tags.push(tag(TAG.elfSections, words(count, entrySize, names), bytes));
  }
  if (loadBase !== null) tags.push(tag(TAG.loadBase, words(Number(loadBase))));
  tags.push(tag(TAG.end));
  const body = joined(tags);
  return joined([words(8 + body.length, 0), body]);
}

/** Type, size without padding, contents; the next one starts at a multiple of 8. */
function tag(type: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const body = joined(contents);
  return joined([words(type, 8 + body.length), body, new Uint8Array(-body.length & 7)]);
}

/** Copies of the ACPI root pointer: the old one always, the new one where the VMM's is of ACPI 2.0 or later. */
function rootPointers(target: LoadTarget): Uint8Array[] {
  const { rsdp } = target;
  const old = rsdp === null ? null : target.read(rsdp, RSDP_SIZES.old);
  if (rsdp === null || !old) return [];
  const wide = old[RSDP_REVISION]! >= 2 ? target.read(rsdp, RSDP_SIZES.new) : null;
  return [tag(TAG.oldRsdp, old), ...(wide ? [tag(TAG.newRsdp, wide)] : [])];
}

function words(...values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((value, index) => view.setUint32(4 * index, value, true));
  return new Uint8Array(view.buffer);
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
