/** The VMM model of OpenBSD's vmd(8) and vmm(4). */
import type { VmmModel } from '../model';
import { vmdBoard } from './board';
import { VMD_KNOWN_ISSUES } from './knownIssues';
import { vmdInitialState } from './initialState';
import { layOutVmd } from './layout';
import { VMD_VERSIONS } from './versions';

export const VMD: VmmModel = {
  name: 'vmd',
  title: 'OpenBSD vmd(8)',
  versions: VMD_VERSIONS,
  knownIssues: VMD_KNOWN_ISSUES,
  layOut: layOutVmd,
  board: vmdBoard,
  bootState: vmdInitialState,
};
