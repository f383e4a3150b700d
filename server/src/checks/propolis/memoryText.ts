/** A size as other programs take it, as Propolis does: in MiB. */
const UNITS: Readonly<Record<string, bigint>> = { M: 1n, G: 1024n, T: 1024n * 1024n };

/** `2G`, `512 MiB`, `1024`: in MiB; null for anything else, and for less than a MiB. */
export function expectedSize(text: string): bigint | null {
  const match = /^\s*(\d{1,9})\s*([MGT])?(?:i?B)?\s*$/i.exec(text);
  if (!match) return null;
  const size = BigInt(match[1]!) * UNITS[(match[2] ?? 'M').toUpperCase()]!;
  return size > 0n ? size : null;
}
