/** What a guest wrote into the text memory of a colour display: nobody shows it, but it often holds the last words of a boot. */
import type { ReadMemory } from './guestAddress';

/** Text mode 3 of a VGA: 80 x 25 cells of character and attribute (IBM VGA Technical Reference, memory maps of the modes). */
const TEXT_MEMORY = 0xb8000n;
const COLUMNS = 80;
const ROWS = 25;

/** Code page 437, 0x80 to 0xff: the font of every PC. */
const UPPER_HALF =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ';

/**
 * The rows without blanks at their ends, joined by line feeds; empty where there is no text memory or nothing visible in it.
 * A cell whose attribute is black on black counts as blank, and so memory that is only zeroed is blank.
 */
export function textScreen(read: ReadMemory): string {
  const cells = read(TEXT_MEMORY, COLUMNS * ROWS * 2);
  if (!cells) return '';
  const rows = Array.from({ length: ROWS }, (_, row) =>
    Array.from({ length: COLUMNS }, (_, column) => {
      const at = 2 * (row * COLUMNS + column);
      return visible(cells[at]!, cells[at + 1]!);
    })
      .join('')
      .trimEnd(),
  );
  return rows.join('\n').trimEnd();
}

function visible(character: number, attribute: number): string {
  if (attribute === 0 || character < 0x20 || character === 0x7f) return ' ';
  return character < 0x80 ? String.fromCharCode(character) : UPPER_HALF.charAt(character - 0x80);
}
