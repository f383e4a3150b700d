/** The VMM model of Firecracker on x86_64. */
import type { VmmModel } from '../model';
import { firecrackerBoard } from './board';
import { FIRECRACKER_KNOWN_ISSUES } from './knownIssues';
import { firecrackerInitialState } from './initialState';
import { layOutFirecracker } from './layout';
import { FIRECRACKER_VERSIONS } from './versions';

export const FIRECRACKER: VmmModel = {
  name: 'firecracker',
  title: 'Firecracker',
  versions: FIRECRACKER_VERSIONS,
  knownIssues: FIRECRACKER_KNOWN_ISSUES,
  startsKernels: () => true,
  layOut: layOutFirecracker,
  board: firecrackerBoard,
  bootState: firecrackerInitialState,
};
