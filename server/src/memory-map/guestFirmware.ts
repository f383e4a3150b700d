/** The e820 maps that a guest's firmware prints of itself, and the ones that VMMs and boot loaders print. */
import { KIB } from '../address/range';
import type { RegionKind } from '../machine/machine';
import { firmwareEntry, firmwareType } from './firmwareTypes';
import type { MapEntry } from './mapText';
import { half, rowDialect, type RowFact } from './rows';

const KINDS: Readonly<Record<string, RegionKind>> = {
  RAM: 'ram',
  RESERVED: 'reserved',
  Reserved: 'reserved',
  reserved: 'reserved',
  ACPI: 'acpi',
  NVS: 'nvs',
  UNUSABLE: 'unusable',
};

/**
 * hvmloader, Xen's firmware of HVM guests (tools/firmware/hvmloader/e820.c, dump_e820_table): half-open, two halves of 32
 * bits an address, gaps as lines of their own.
 */
export const hvmloaderDialect = rowDialect('hvmloader', [
  {
    name: 'hvmloader',
    anchor: ': ',
    heading: /E820 table:/g,
    row: /(?:\[(\d{2,3})\]|HOLE): ([0-9a-f]{8}):([0-9a-f]{8}) - ([0-9a-f]{8}):([0-9a-f]{8})(?:: (RAM|RESERVED|ACPI|NVS|UNKNOWN \([0-9a-f]{8}\)))?/g,
    fact([, index, startHigh, startLow, endHigh, endLow, words]): RowFact | null {
      const range = half(`${startHigh}${startLow}`, `${endHigh}${endLow}`);
      if (index === undefined)
        return {
          range,
          kind: 'hole',
          name: 'HOLE',
          reason: 'hvmloader prints this gap between two entries.',
        };
      if (words === undefined) return null;
      return {
        range,
        kind: KINDS[words] ?? 'reserved',
        name: words,
        reason: `hvmloader tells the guest that this is ${words}.`,
      };
    },
  },
]);

/** SeaBIOS's list (src/e820map.c, dump_map): half-open. The names beside the numbers came in 2011. */
export const seabiosDialect = rowDialect('SeaBIOS', [
  {
    name: 'SeaBIOS',
    anchor: ' = ',
    heading: /e820 map has \d{1,4} items:/g,
    row: /(?<!\w)(\d{1,4}): ([0-9a-f]{16}) - ([0-9a-f]{16}) = (\d{1,10})(?: (?:RAM|RESERVED|ACPI|NVS|UNUSABLE|UNKNOWN))?(?!\w)/g,
    fact([, index, start, end, number]) {
      const { kind, name } = firmwareType(Number(number));
      return {
        range: half(start!, end!),
        kind,
        name,
        index: Number(index),
        reason: `SeaBIOS tells the guest that this is ${name} (type ${number}).`,
      };
    },
  },
]);

/** What QEMU gives SeaBIOS through fw_cfg (src/fw/paravirt.c, qemu_early_e820, since 2020): a start and a length. */
export const fwCfgDialect = rowDialect('QEMU fw_cfg', [
  {
    name: 'QEMU fw_cfg',
    anchor: 'qemu/e820: addr 0x',
    heading: null,
    row: /qemu\/e820: addr 0x([0-9a-f]{16}) len 0x([0-9a-f]{16}) \[(RAM|reserved)\]/g,
    fact: ([, start, length, words]) => ({
      range: { start: BigInt(`0x${start}`), end: BigInt(`0x${start}`) + BigInt(`0x${length}`) },
      kind: KINDS[words!]!,
      name: words!,
      reason: `QEMU tells SeaBIOS through fw_cfg (etc/e820) that this is ${words}.`,
    }),
  },
]);

/**
 * bhyve's own map (usr.sbin/bhyve/e820.c, e820_dump_table; illumos prints it for `e820.debug=true`): half-open, although in
 * brackets.
 */
export const bhyveE820Dialect = rowDialect('bhyve e820', [
  {
    name: 'bhyve e820',
    anchor: '] ',
    heading: /E820 map:/g,
    row: /\( {0,3}(\d{1,4})\) \[ {0,17}([0-9a-f]{1,16}), {1,17}([0-9a-f]{1,16})\] (RAM|Reserved|ACPI|NVS|Unknown)(?!\w)/g,
    fact: ([, index, start, end, words]) => ({
      range: half(start!, end!),
      kind: KINDS[words!] ?? 'reserved',
      name: words!,
      index: Number(index),
      reason: `bhyve tells the guest's firmware that this is ${words}.`,
    }),
  },
]);

/** A printed length is cut to whole KiB, so it is exact where the next region proves it, or where nothing was cut. */
function settleKib(entries: readonly MapEntry[]): MapEntry[] {
  const starts = new Set(entries.map(({ range }) => range.start));
  return entries.map((entry) =>
    starts.has(entry.range.end)
      ? { ...entry, approximate: false, reason: `${entry.reason} The next region starts where it ends.` }
      : entry,
  );
}

/**
 * `machine memory` at OpenBSD's boot prompt (sys/arch/amd64/stand/libsa/memprobe.c, dump_biosmem): a start and a length in
 * KiB, cut. What the kernel prints of it (`memory map conflict`, acpidmar's `e820:`) is no map: single entries, and sums of
 * neighbours that repeat.
 */
export const openbsdDialect = rowDialect('OpenBSD boot', [
  {
    name: 'OpenBSD boot',
    anchor: 'Region ',
    heading: null,
    row: /(?<!\w)Region (\d{1,4}): type (\d{1,10}) at 0x([0-9a-f]{1,16}) for (\d{1,10})KB(?!\w)/g,
    fact([, index, type, start, length]) {
      const number = Number(type);
      return {
        ...firmwareEntry(number, BigInt(`0x${start}`), BigInt(length!) * KIB, "OpenBSD's boot loader"),
        // A region of less than a KiB is printed without a byte: it has one at least.
        ...(length === '0' ? { range: { start: BigInt(`0x${start}`), end: BigInt(`0x${start}`) + 1n } } : {}),
        index: Number(index),
        approximate: true,
      };
    },
    settled: settleKib,
  },
]);

/** GRUB's `lsmmap` (grub-core/commands/lsmmap.c): a start and a length. */
export const grubDialect = rowDialect('GRUB lsmmap', [
  {
    name: 'GRUB lsmmap',
    anchor: 'base_addr = 0x',
    heading: null,
    row: /base_addr = 0x([0-9a-f]{1,16}), length = 0x([0-9a-f]{1,16}), (type = 0x([0-9a-f]{1,8})|(?:available|reserved|ACPI reclaimable|ACPI non-volatile storage|persistent) RAM(?: \(legacy\))?|faulty RAM \(BadRAM\)|RAM holding (?:firmware code|coreboot tables)|Address range not associated with RAM)/g,
    fact([, start, length, words, number]) {
      const [from, size] = [BigInt(`0x${start}`), BigInt(`0x${length}`)];
      if (number !== undefined) return firmwareEntry(parseInt(number, 16), from, size, 'GRUB');
      const name = words!;
      return {
        range: { start: from, end: from + size },
        kind: grubKind(name),
        name,
        reason: `GRUB calls this entry of the firmware's map ${name}.`,
      };
    },
  },
]);

/** Kinds by GRUB's words, in the order in which they decide. */
const GRUB_KINDS: readonly (readonly [RegExp, RegionKind])[] = [
  [/^available/, 'ram'],
  [/^ACPI reclaimable/, 'acpi'],
  [/^ACPI non-volatile/, 'nvs'],
  [/^faulty/, 'unusable'],
  [/^persistent/, 'persistent'],
  [/^Address range not/, 'hole'],
];

function grubKind(words: string): RegionKind {
  return GRUB_KINDS.find(([pattern]) => pattern.test(words))?.[1] ?? 'reserved';
}
