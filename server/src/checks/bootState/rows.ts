/** The codes of what a guest finds before its first instruction. */
import type { Check } from '../check';
import { cachedSegment } from './cachedSegment';
import { descriptor } from './descriptor';
import { entryPoint } from './entryPoint';
import { gdtLimit } from './gdtLimit';
import { imageMapped } from './imageMapped';
import { modeStep } from './modeStep';
import { readOnlyAbove } from './readOnlyAbove';
import { segmentMode } from './segmentMode';
import { structureOverlap } from './structureOverlap';
import { structurePlace } from './structurePlace';
import { tableReach } from './tableReach';
import { vmdDirectLaunch } from './vmdDirectLaunch';
import { vmEntry } from './vmEntry';

export const BOOT_STATE_CHECKS: readonly Check[] = [
  vmEntry,
  structureOverlap,
  structurePlace,
  entryPoint,
  tableReach,
  imageMapped,
  readOnlyAbove,
  gdtLimit,
  segmentMode,
  cachedSegment,
  descriptor,
  modeStep,
  vmdDirectLaunch,
];
