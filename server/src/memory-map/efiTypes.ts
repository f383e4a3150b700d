/** UEFI memory types (UEFI specification, 7.2, EFI_MEMORY_TYPE) and attributes, as the producers of maps spell them. */
import type { RegionKind } from '../machine/machine';

interface EfiType {
  readonly kind: RegionKind;
  /** What becomes of the memory once an operating system runs. */
  readonly use: string;
  /** Lower case, without blanks, `-` and `_`: Linux, the UEFI shell and GRUB each have their own. */
  readonly names: readonly string[];
}

const AFTER_BOOT = 'RAM again once the operating system has left boot services';
const RUNTIME = 'kept for the firmware’s runtime services';

/** By number. Kinds are those of the e820 map that Linux's EFI stub makes of them (`setup_e820`), where MMIO is reserved. */
const TYPES: readonly EfiType[] = [
  { kind: 'reserved', use: 'the firmware keeps it', names: ['reserved'] },
  { kind: 'ram', use: AFTER_BOOT, names: ['loadercode', 'ldrcode'] },
  { kind: 'ram', use: AFTER_BOOT, names: ['loaderdata', 'ldrdata'] },
  { kind: 'ram', use: AFTER_BOOT, names: ['bootcode', 'bscode'] },
  { kind: 'ram', use: AFTER_BOOT, names: ['bootdata', 'bsdata'] },
  { kind: 'reserved', use: RUNTIME, names: ['runtimecode', 'rtcode'] },
  { kind: 'reserved', use: RUNTIME, names: ['runtimedata', 'rtdata'] },
  { kind: 'ram', use: 'free memory', names: ['conventional', 'conventionalmemory', 'convmem', 'available'] },
  { kind: 'unusable', use: 'the firmware found errors in it', names: ['unusable', 'unusablememory'] },
  {
    kind: 'acpi',
    use: 'ACPI tables, free once read',
    names: ['acpireclaim', 'acpireclaimmemory', 'acpirecl', 'acpirec'],
  },
  { kind: 'nvs', use: 'the firmware’s across sleep', names: ['acpimemnvs', 'acpimemorynvs', 'acpinvs'] },
  { kind: 'mmio', use: 'registers of devices', names: ['mmio', 'memorymappedi/o', 'memorymappedio'] },
  { kind: 'mmio', use: 'memory-mapped ports', names: ['mmioport', 'memorymappedi/oportspace', 'ioports'] },
  { kind: 'reserved', use: 'processor firmware', names: ['palcode'] },
  { kind: 'persistent', use: 'keeps its contents without power', names: ['persistent', 'persistentmemory'] },
  {
    kind: 'ram',
    use: 'RAM that the guest must accept before it uses it',
    names: ['unaccepted', 'unacceptedmemory'],
  },
];
const BY_NAME = new Map(TYPES.flatMap((type, number) => type.names.map((name) => [name, number] as const)));

/** The number of a type by any of its spellings, `type=15` and `Unk 10` included; null for none that is known. */
export function efiTypeNumber(spelling: string): number | null {
  const known = BY_NAME.get(spelling.toLowerCase().replace(/[\s_-]+/g, ''));
  if (known !== undefined) return known;
  const decimal = /^type=(\d{1,10})$/.exec(spelling);
  const hexadecimal = /^(?:Unk )?([0-9a-f]{2}|[0-9a-f]{8})$/i.exec(spelling);
  return decimal ? Number(decimal[1]) : hexadecimal ? parseInt(hexadecimal[1]!, 16) : null;
}

/** Attribute bits by name (UEFI specification, 7.2, EFI_MEMORY_*). */
const ATTRIBUTES: readonly (readonly [bigint, string])[] = [
  [1n << 63n, 'RUN'],
  [1n << 19n, 'CC'],
  [1n << 18n, 'SP'],
  [1n << 17n, 'RO'],
  [1n << 16n, 'MR'],
  [1n << 15n, 'NV'],
  [1n << 14n, 'XP'],
  [1n << 13n, 'RP'],
  [1n << 12n, 'WP'],
  [1n << 4n, 'UCE'],
  [1n << 3n, 'WB'],
  [1n << 2n, 'WT'],
  [1n << 1n, 'WC'],
  [1n << 0n, 'UC'],
];

export function attributeNames(bits: bigint): string[] {
  return ATTRIBUTES.filter(([bit]) => (bits & bit) !== 0n).map(([, name]) => name);
}

/** Kind and one sentence for a type number; `attributes` is null where the producer does not print them. */
export function efiMeaning(
  number: number,
  attributes: readonly string[] | null,
): { readonly kind: RegionKind; readonly reason: string } {
  const type = TYPES[number];
  const shown = attributes && attributes.length > 0 ? ` Attributes: ${attributes.join(', ')}.` : '';
  if (!type)
    return {
      kind: 'reserved',
      reason: `EFI memory type ${number} is the firmware maker’s or the loader’s own.${shown}`,
    };
  const reason = `EFI memory type ${number}: ${type.use}.`;
  if (type.kind === 'ram' && attributes?.includes('SP'))
    return {
      kind: 'reserved',
      reason: `${reason} It is for a special purpose, so Linux leaves it to drivers.${shown}`,
    };
  return { kind: type.kind, reason: reason + shown };
}
