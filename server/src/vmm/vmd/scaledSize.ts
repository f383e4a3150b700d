/** Sizes as scan_scaled(3) of OpenBSD's libutil reads them: `512M`, `1.5G`, `0x10` not. */

const SUFFIXES = 'BKMGTPE';
const MAX_INT64 = (1n << 63n) - 1n;
/** scan_scaled's MAX_DIGITS: three for each of the seven scales. */
const MAX_DIGITS = 21;

export type ScaledSize =
  | { readonly ok: true; readonly bytes: bigint }
  | { readonly ok: false; readonly reason: 'not a size' | 'out of range' };

const NOT_A_SIZE: ScaledSize = { ok: false, reason: 'not a size' };
const OUT_OF_RANGE: ScaledSize = { ok: false, reason: 'out of range' };

/**
 * Bytes of a scaled number. Binary suffixes B K M G T P E in either case; a fraction counts only with a suffix; after
 * the suffix no letter or digit may follow (`512MB` is no size), anything else is ignored, as the original does.
 */
export function scanScaled(word: string): ScaledSize {
  const match = /^[ \t\n\v\f\r]*([-+]?)(\d*)(?:(\.)(\d*))?([^\d.]?)(.?)/s.exec(word);
  if (!match) return NOT_A_SIZE;
  const [whole0, sign, digits, point, fractionDigits = '', suffix, after] = match;
  if (word[whole0.length - after!.length - suffix!.length] === '.') return NOT_A_SIZE;
  if (digits!.length >= MAX_DIGITS) return OUT_OF_RANGE;
  const factor = sign === '-' ? -1n : 1n;
  const whole = BigInt(digits || '0');
  if (whole > MAX_INT64) return OUT_OF_RANGE;
  if (!suffix) return { ok: true, bytes: whole * factor };
  const scale = SUFFIXES.indexOf(suffix.toUpperCase());
  if (scale < 0 || /[A-Za-z0-9]/.test(after!)) return NOT_A_SIZE;
  const unit = 1n << BigInt(10 * scale);
  if (whole > MAX_INT64 / unit) return OUT_OF_RANGE;
  let bytes = whole * unit;
  if (point && fractionDigits) bytes += scaledFraction(fractionDigits, unit);
  return { ok: true, bytes: bytes * factor };
}

/** The digits after the point, truncated so that their product with the unit fits 64 bits. */
function scaledFraction(digits: string, unit: bigint): bigint {
  // Digits beyond the nineteenth are ignored (MAX_DIGITS - 1, of which one stands for the point).
  let places = Math.min(digits.length, MAX_DIGITS - 2);
  let fraction = BigInt(digits.slice(0, places));
  while (fraction >= MAX_INT64 / unit) {
    fraction /= 10n;
    places--;
  }
  let scaled = fraction * unit;
  for (let i = 0; i < places; i++) scaled /= 10n;
  return scaled;
}
