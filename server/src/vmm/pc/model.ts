/** The model of a plain PC without a VMM's quirks: for images that come without a config. */
import type { VmmModel } from '../model';
import { pcBoard } from './board';
import { DEFAULT_MEMORY, pcRegions } from './layout';
import { PC_VERSION } from './origin';

export const PC: VmmModel = {
  name: 'pc',
  title: 'plain PC',
  versions: [PC_VERSION],
  knownIssues: [],
  layOut: ({ memory }) => pcRegions(memory?.value ?? DEFAULT_MEMORY),
  board: pcBoard,
};
