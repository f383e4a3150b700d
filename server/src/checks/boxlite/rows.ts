/** All checks on BoxLite's options: what follows from the shape, then the rules, one a file. */
import { checkShape } from '../../text/shape/checkShape';
import { isBoxliteDocument } from '../../vmm/libkrun/boxlite/document';
import { BOXLITE_SHAPE } from '../../vmm/libkrun/boxlite/shape';
import type { Check } from '../check';
import { shapeRules } from '../shapeRules';
import { detach } from './detach';
import { kernel } from './kernel';
import { network } from './network';
import { ports } from './ports';
import { volumes } from './volumes';

/** No version of BoxLite is told apart. */
const SHAPE: readonly Check[] = shapeRules(
  {
    prefix: 'boxlite',
    kind: 'boxlite',
    reader: 'BoxLite',
    refuses: 'refuses the options and makes no box',
    ignores: 'takes no notice of it and says nothing, so the default is taken',
    duplicate: { severity: 'error', consequence: 'BoxLite refuses the options' },
    quoteKey: (key) => `"${key}"`,
  },
  (document) =>
    isBoxliteDocument(document) && document.options ? checkShape(document.options, BOXLITE_SHAPE) : [],
).filter(({ code }) => code !== 'boxlite-version');

export const BOXLITE_CHECKS: readonly Check[] = [...SHAPE, detach, kernel, network, ports, volumes];
