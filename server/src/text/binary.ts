/** Whether a file is text at all. A stray NUL in a config is a mistake to point at; many of them are a binary file. */

const FEW = 4;

/** True for the beginning of a binary, or of a text in UTF-16 that was read as UTF-8. */
export function looksBinary(head: string): boolean {
  const most = Math.max(FEW, head.length / 100);
  let count = 0;
  for (let at = head.indexOf('\0'); at >= 0; at = head.indexOf('\0', at + 1)) if (++count > most) return true;
  return false;
}
