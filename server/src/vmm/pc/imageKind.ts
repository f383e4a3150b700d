/** What the plain PC does with an image that comes without a config. */
import { isPcRom } from '../../machine/image/rom';
import { protocolFor } from '../loaders/protocols';

/** A firmware runs from its reset vector, anything else is loaded by a boot protocol; null for what is neither. */
export function imageKind(image: Uint8Array): 'firmware' | 'kernel' | null {
  if (protocolFor(image, null) !== null) return 'kernel';
  return isPcRom(image) ? 'firmware' : null;
}
