/** What the reader of Propolis configs finds, what follows from the shape, and the rules. */
import { checkShape } from '../../text/shape/checkShape';
import { nodeAt } from '../../text/shape/node';
import { inVersionOf } from '../../text/shape/shape';
import { isPropolisDocument } from '../../vmm/propolis/document';
import { PROPOLIS_PROBLEMS } from '../../vmm/propolis/problems';
import { PROPOLIS_SHAPE } from '../../vmm/propolis/shape';
import { PROPOLIS_VERSIONS } from '../../vmm/propolis/versions';
import type { Check } from '../check';
import { shapeRules } from '../shapeRules';
import { blockSize, blockType, workers } from './blockBackend';
import { blockDevice, blockDeviceShared, blockDeviceUnused } from './blockDevice';
import { bootOrder } from './bootOrder';
import { cloudinit } from './cloudinit';
import { cpuidLeaf } from './cpuidLeaf';
import { cpuidProfile, cpuidProfileUnused } from './cpuidProfile';
import { pvpanic, queueSize } from './deviceOption';
import { driver } from './driver';
import { memoryText, vcpus } from './mainValues';
import { expectedSize } from './memoryText';
import { pciFunction } from './pciFunction';
import { pciPath } from './pciPath';
import { isOfUnusedBlockDevice, usedBlockDevices } from './unusedBlockDevices';
import { isStandaloneConfig } from './propolisCheck';

const READER: readonly Check[] = Object.entries(PROPOLIS_PROBLEMS).map(([code, row]) => ({
  code,
  ...row,
  on: ['propolis'],
}));

const SHAPE: readonly Check[] = shapeRules(
  {
    prefix: 'propolis',
    kind: 'propolis',
    reader: 'propolis-standalone',
    refuses: 'ends with an error or a panic before the VM starts',
    ignores: 'never looks at it and says nothing, so the VM is made as if it were not there',
    duplicate: { severity: 'error', consequence: 'TOML takes a key once' },
    quoteKey: (key) => key,
    except: ({ kind, path }, document) =>
      // The driver and the type of a block device, which have rules of their own, as a size of memory with a unit has.
      (kind === 'unknown-value' && path[0] !== 'main' && path[0] !== 'cpuid') ||
      (kind === 'wrong-type' &&
        path.join('.') === 'main.memory' &&
        isPropolisDocument(document) &&
        hasSizeText(document)),
  },
  (document) => {
    if (!isStandaloneConfig(document)) return [];
    const { config, choice } = document;
    const used = usedBlockDevices(config);
    return checkShape(config, PROPOLIS_SHAPE, inVersionOf(PROPOLIS_VERSIONS, choice?.version ?? '')).filter(
      (problem) => !isOfUnusedBlockDevice(problem, used),
    );
  },
).filter(({ code }) => code !== 'propolis-duplicate-key');

function hasSizeText({ config }: { readonly config: Parameters<typeof nodeAt>[0] }): boolean {
  const memory = nodeAt(config, 'main', 'memory');
  return memory?.kind === 'string' && expectedSize(memory.value) !== null;
}

export const PROPOLIS_CHECKS: readonly Check[] = [
  ...READER,
  ...SHAPE,
  blockDevice,
  blockDeviceShared,
  blockDeviceUnused,
  blockSize,
  blockType,
  bootOrder,
  cloudinit,
  cpuidLeaf,
  cpuidProfile,
  cpuidProfileUnused,
  driver,
  memoryText,
  pciFunction,
  pciPath,
  pvpanic,
  queueSize,
  vcpus,
  workers,
];
