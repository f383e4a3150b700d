/** The rules on Firecracker configs: what follows from the shape, and one a file beyond it. */
import { checkShape, type ShapeProblem } from '../../text/shape/checkShape';
import { isFirecrackerDocument } from '../../vmm/firecracker/document';
import { firecrackerShape, inFirecracker } from '../../vmm/firecracker/shape';
import { firecrackerVersion } from '../../vmm/firecracker/versions';
import type { Check } from '../check';
import { certainProblems } from '../jsonRules';
import { shapeRules } from '../shapeRules';
import { apiOnlyKey, isApiOnlyKey } from './apiOnlyKey';
import { balloonSize } from './balloonSize';
import {
  accessArgument,
  argumentsCharacters,
  argumentsLength,
  rootArgument,
  virtioMmioArgument,
} from './bootArguments';
import { cpuTemplate } from './cpuTemplate';
import { defaultMachine } from './defaultMachine';
import { deprecated } from './deprecated';
import { driveBackend } from './driveBackend';
import { duplicateId } from './duplicateId';
import { fileShared } from './fileShared';
import { isForeign } from './firecrackerCheck';
import { formerKey, isFormerKey } from './formerKey';
import { hugePages } from './hugePages';
import { macInUse, macMulticast } from './macAddress';
import { memoryHotplug } from './memoryHotplug';
import { memoryUnit } from './memoryUnit';
import { mmdsAddress, mmdsInterface } from './mmds';
import { partuuid } from './partuuid';
import { rateLimiterOff } from './rateLimiter';
import { rootDevice } from './rootDevice';
import { smtVcpus } from './smtVcpus';
import { tapName, tapShared } from './tap';
import { socketPath, vsockCid } from './vsock';

/** Names and values of metrics are a map: of two with one name the last counts. */
function isProperty({ kind, path }: ShapeProblem): boolean {
  return kind === 'duplicate-key' && path[0] === 'metrics' && path[1] === 'properties';
}

const SHAPE = shapeRules(
  {
    prefix: 'firecracker',
    kind: 'firecracker',
    reader: 'Firecracker',
    refuses: 'refuses the whole file and starts nothing',
    ignores: 'ignores it without a word, so the microVM is made as if it were not there',
    duplicate: { severity: 'error', consequence: 'serde refuses the whole file (duplicate field)' },
    quoteKey: (key) => JSON.stringify(key),
    except: (problem) =>
      (problem.kind === 'unknown-key' && (isFormerKey(problem.path) || isApiOnlyKey(problem.path))) ||
      isProperty(problem),
  },
  (document) => {
    if (!isFirecrackerDocument(document) || document.config?.kind !== 'object') return [];
    if (isForeign(document)) return [];
    const { id } = firecrackerVersion(document.choice?.version ?? '');
    return certainProblems(checkShape(document.config, firecrackerShape(id), inFirecracker(id)), document);
  },
);

export const FIRECRACKER_CHECKS: readonly Check[] = [
  ...SHAPE,
  accessArgument,
  apiOnlyKey,
  argumentsCharacters,
  argumentsLength,
  balloonSize,
  cpuTemplate,
  defaultMachine,
  deprecated,
  driveBackend,
  duplicateId,
  fileShared,
  formerKey,
  hugePages,
  macInUse,
  macMulticast,
  memoryHotplug,
  memoryUnit,
  mmdsAddress,
  mmdsInterface,
  partuuid,
  rateLimiterOff,
  rootArgument,
  rootDevice,
  smtVcpus,
  socketPath,
  tapName,
  tapShared,
  virtioMmioArgument,
  vsockCid,
];
