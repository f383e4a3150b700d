/** The VMM model of bhyve(8) with vmm(4), of FreeBSD and illumos. */
import type { VmmModel } from '../model';
import { bhyveBoard } from './board';
import { BHYVE_KNOWN_ISSUES } from './knownIssues';
import { bhyveInitialState } from './initialState';
import { layOut } from './layout';
import { BHYVE_VERSIONS } from './versions';

export const BHYVE: VmmModel = {
  name: 'bhyve',
  title: 'bhyve(8) of FreeBSD and illumos',
  versions: BHYVE_VERSIONS,
  knownIssues: BHYVE_KNOWN_ISSUES,
  layOut,
  board: bhyveBoard,
  bootState: bhyveInitialState,
};
