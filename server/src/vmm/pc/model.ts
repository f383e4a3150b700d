/** The model of a plain PC without a VMM's quirks: for images that come without a config. */
import type { VmmModel } from '../model';
import { pcBoard } from './board';
import { PC_VERSION } from './origin';

export const PC: VmmModel = {
  name: 'pc',
  title: 'plain PC',
  versions: [PC_VERSION],
  knownIssues: [],
  board: pcBoard,
};
