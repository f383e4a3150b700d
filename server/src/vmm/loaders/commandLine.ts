/** Command lines as boot protocols hand them over. */

/** A text in UTF-8 with a zero behind it. */
export function terminated(text: string): Uint8Array {
  return new TextEncoder().encode(text + '\0');
}
