/** The VMM model of propolis-standalone, Oxide's userland on illumos' bhyve. */
import type { VmmModel } from '../model';
import { propolisBoard } from './board';
import { PROPOLIS_KNOWN_ISSUES } from './knownIssues';
import { propolisInitialState } from './initialState';
import { layOutPropolis } from './layout';
import { PROPOLIS_VERSIONS } from './versions';

export const PROPOLIS: VmmModel = {
  name: 'propolis',
  title: 'Oxide Propolis (propolis-standalone)',
  versions: PROPOLIS_VERSIONS,
  knownIssues: PROPOLIS_KNOWN_ISSUES,
  layOut: layOutPropolis,
  board: propolisBoard,
  bootState: propolisInitialState,
};
