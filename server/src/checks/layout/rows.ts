/** The codes of machines and memory maps. Those without a rule come from the readers of the dialects. */
import type { Check } from '../check';
import { alignment } from './alignment';
import { closedRangeSeam } from './closedRangeSeam';
import { hyperTransport } from './hyperTransport';
import { mmioOverRam } from './mmioOverRam';
import { offByOne } from './offByOne';
import { overlap } from './overlap';
import { physicalWidth } from './physicalWidth';
import { ramHole } from './ramHole';
import { ramOverFirmware } from './ramOverFirmware';
import { resetVector } from './resetVector';
import { unsortedMap } from './unsortedMap';

export const LAYOUT_CHECKS: readonly Check[] = [
  overlap,
  mmioOverRam,
  offByOne,
  ramHole,
  resetVector,
  physicalWidth,
  hyperTransport,
  alignment,
  ramOverFirmware,
  closedRangeSeam,
  unsortedMap,
  { code: 'map-unreadable-line', severity: 'information', title: 'Almost a map entry', on: ['memmap'] },
  { code: 'map-empty-entry', severity: 'information', title: 'Map entry without a byte', on: ['memmap'] },
  {
    code: 'map-reversed-entry',
    severity: 'warning',
    title: 'Map entry that ends below its start',
    on: ['memmap'],
  },
  {
    code: 'map-beyond-64-bit',
    severity: 'error',
    title: 'Map entry beyond the address space',
    on: ['memmap'],
  },
  {
    code: 'iomem-unprivileged',
    severity: 'warning',
    title: '/proc/iomem read without privileges',
    on: ['memmap'],
  },
  { code: 'map-too-long', severity: 'information', title: 'More map entries than are read', on: ['memmap'] },
];
