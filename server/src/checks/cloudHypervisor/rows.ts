/** The rules on Cloud Hypervisor configs: what follows from the shape, and one a file beyond it. */
import { checkShape } from '../../text/shape/checkShape';
import { nodeAt, type ConfigNode } from '../../text/shape/node';
import { isCloudHypervisorDocument } from '../../vmm/cloud-hypervisor/document';
import { cloudHypervisorShape, inCloudHypervisor } from '../../vmm/cloud-hypervisor/shape';
import type { Check } from '../check';
import { certainProblems } from '../jsonRules';
import { shapeRules } from '../shapeRules';
import { devicePath, diskBackend, sharedMemory } from './backends';
import { isForeign } from './cloudHypervisorCheck';
import { balloonSize } from './balloonSize';
import { consolesTty, consoleTarget } from './consoles';
import { deviceId } from './deviceId';
import { diskSerial } from './diskSerial';
import { fds } from './fds';
import { memoryHotplug } from './memoryHotplug';
import { hugepageSize, sharedMergeable } from './memoryPages';
import { memoryAlignment, memoryTiny } from './memorySize';
import { memoryZones } from './memoryZones';
import { macMulticast, net } from './net';
import { numa } from './numa';
import { firmwareArguments, isFormerKernel, payload } from './payload';
import { iommu, pciSegment } from './pciSegment';
import { queues, queueSize } from './queues';
import { rateLimit, rateLimiterOff } from './rateLimits';
import { isSizeText, sizeText } from './sizeText';
import { topology, vcpus } from './vcpus';
import { vsockCid } from './vsock';
import { wrapper } from './wrapper';

/** What vm.info of another release writes out for a key that is not used. */
function saysNothing(value: ConfigNode | null): boolean {
  return value?.kind === 'null' || (value?.kind === 'boolean' && !value.value);
}

const SHAPE = shapeRules(
  {
    prefix: 'cloud-hypervisor',
    kind: 'cloud-hypervisor',
    reader: 'Cloud Hypervisor',
    refuses: 'refuses the VM',
    ignores: 'ignores it without a word, so the VM is made as if it were not there',
    duplicate: { severity: 'error', consequence: 'serde refuses the whole config (duplicate field)' },
    quoteKey: (key) => JSON.stringify(key),
    except: (problem, document) =>
      isCloudHypervisorDocument(document) &&
      document.config !== null &&
      (isSizeText(problem, document.config) || isFormerKernel(problem, document)),
  },
  (document) => {
    if (!isCloudHypervisorDocument(document) || document.config?.kind !== 'object') return [];
    const { config } = document;
    if (isForeign(document)) return [];
    const version = document.choice?.version ?? '';
    const problems = checkShape(config, cloudHypervisorShape(version), inCloudHypervisor(version));
    return certainProblems(problems, document).filter(
      (problem) => problem.kind !== 'other-version' || !saysNothing(nodeAt(config, ...problem.path)),
    );
  },
);

export const CLOUD_HYPERVISOR_CHECKS: readonly Check[] = [
  ...SHAPE,
  balloonSize,
  consoleTarget,
  consolesTty,
  deviceId,
  devicePath,
  diskBackend,
  diskSerial,
  fds,
  firmwareArguments,
  hugepageSize,
  iommu,
  macMulticast,
  memoryAlignment,
  memoryHotplug,
  memoryTiny,
  memoryZones,
  net,
  numa,
  payload,
  pciSegment,
  queues,
  queueSize,
  rateLimit,
  rateLimiterOff,
  sharedMemory,
  sharedMergeable,
  sizeText,
  topology,
  vcpus,
  vsockCid,
  wrapper,
];
