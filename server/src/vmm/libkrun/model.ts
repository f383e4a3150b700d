/** The VMM model of libkrun on KVM, x86-64. */
import type { VmmModel } from '../model';
import { libkrunBoard } from './board';
import { libkrunGuest } from './guestFacts';
import { LIBKRUN_KNOWN_ISSUES } from './knownIssues';
import { libkrunInitialState } from './initialState';
import { layOutLibkrun } from './layout';
import { LIBKRUN_VERSIONS } from './versions';

export const LIBKRUN: VmmModel = {
  name: 'libkrun',
  title: 'libkrun',
  versions: LIBKRUN_VERSIONS,
  knownIssues: LIBKRUN_KNOWN_ISSUES,
  startsKernels: (machine) => libkrunGuest(machine).payload !== 'firmware',
  layOut: layOutLibkrun,
  board: libkrunBoard,
  bootState: libkrunInitialState,
};
