import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatRange } from '../../../server/src/address/format';
import type { Document } from '../../../server/src/machine/language';
import type { Machine } from '../../../server/src/machine/machine';
import { memmap } from '../../../server/src/memory-map/language';
import { SourceText } from '../../../server/src/text/sourceText';

export const fixture = (name: string): string =>
  readFileSync(join(process.env.BOOTPATH_ROOT!, 'test/fixtures/memory-map', name), 'utf8');

export const parse = (text: string): Document =>
  memmap.parse(new SourceText('file:///map', text), { files: new Map() });

/** `ram [0x0, 0xa0000) usable`, one a region. */
export function rowsOf({ regions }: Machine): string[] {
  return regions.map(({ kind, range, name }) => `${kind} ${formatRange(range)} ${name}`);
}
