/** How addresses and sizes are written for people and on the wire. */
import { GIB, KIB, MIB, TIB, type AddressRange } from './range';

/** Lower-case hex with `0x`, without padding: the wire form of every 64-bit value. */
export function hex(value: bigint | number): string {
  return '0x' + value.toString(16);
}

/** `[0x0, 0xa0000)`: the half-open range as it is shown to people. */
export function formatRange(range: AddressRange): string {
  return `[${hex(range.start)}, ${hex(range.end)})`;
}

const UNITS: readonly (readonly [bigint, string])[] = [
  [1n << 60n, 'EiB'],
  [1n << 50n, 'PiB'],
  [TIB, 'TiB'],
  [GIB, 'GiB'],
  [MIB, 'MiB'],
  [KIB, 'KiB'],
];

/** Bytes in the largest binary unit that divides them exactly, else with up to two decimals (`1.25 GiB`). */
export function formatSize(bytes: bigint): string {
  for (const [unit, name] of UNITS) {
    if (bytes >= unit && bytes % unit === 0n) return `${bytes / unit} ${name}`;
  }
  for (const [unit, name] of UNITS) {
    if (bytes >= unit) {
      const hundredths = (bytes * 100n + unit / 2n) / unit;
      const fraction = (hundredths % 100n).toString().padStart(2, '0').replace(/0+$/, '');
      return `${hundredths / 100n}${fraction ? '.' + fraction : ''} ${name}`;
    }
  }
  return `${bytes} B`;
}

/** As `formatSize`, but for a size that this would round: that in bytes, in hex. */
export function formatSizeExact(bytes: bigint): string {
  const largest = UNITS.find(([unit]) => bytes >= unit)?.[0];
  const exact = largest === undefined || UNITS.some(([unit]) => bytes >= unit && bytes % unit === 0n);
  return exact || (bytes * 100n) % largest === 0n ? formatSize(bytes) : `${hex(bytes)} bytes`;
}

/**
 * A size with at most four digits before the unit, for places where the exact number would be `2095976 KiB`: exact
 * where it can be, else with one decimal and `≈` (`≈2046.9 MiB`).
 */
export function formatSizeShort(bytes: bigint): string {
  const exact = formatSize(bytes);
  if (/^\d{1,4} /.test(exact)) return exact;
  for (const [unit, name] of [...UNITS].reverse()) {
    if (bytes / unit > 9999n && name !== 'EiB') continue;
    const tenths = (bytes * 10n + unit / 2n) / unit;
    return `≈${tenths / 10n}${tenths % 10n === 0n ? '' : `.${tenths % 10n}`} ${name}`;
  }
  return exact;
}
