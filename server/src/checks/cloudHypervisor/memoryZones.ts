/** Memory as a whole or in zones, not both (vmm/src/memory_manager.rs, validate_memory_config). */
import { memberOf } from '../../text/shape/node';
import { integerOf, isOn, textOf } from '../jsonRules';
import { cloudHypervisorCheck, REFUSED } from './cloudHypervisorCheck';

export const memoryZones = cloudHypervisorCheck(
  {
    code: 'cloud-hypervisor-memory-zones',
    severity: 'error',
    title: 'Memory zones that do not go with the rest',
  },
  function* (rules) {
    const size = integerOf(rules.memory, 'size');
    if (!rules.memory || !size) return;
    const zones = memberOf(rules.memory, 'zones');
    const given = zones?.value && zones.value.kind !== 'null' ? zones : null;
    if (size.value > 0n) {
      if (!given) return;
      yield {
        at: rules.at(size),
        message: `Memory is either one size or zones, and \`size\` is not 0: ${REFUSED} (InvalidMemoryParameters).`,
        related: [rules.related(given.key, 'The zones')],
        fixes: [rules.replace('Change to 0', size, '0')],
      };
      return;
    }
    if (!given || (given.value?.kind === 'array' && given.value.items.length === 0)) {
      yield {
        at: rules.at(size),
        message: `A \`size\` of 0 leaves memory to zones, and there are none: ${REFUSED} (MissingMemoryZones).`,
      };
    }
    for (const zone of rules.zones) {
      const file = textOf(zone, 'file');
      const node = integerOf(zone, 'host_numa_node');
      if (!file || !node || !isOn(zone, 'shared')) continue;
      yield {
        at: rules.at(node),
        message: `A file that is mapped shared comes from where the file is, not from a node of the host: ${REFUSED} (InvalidSharedMemoryZoneWithHostNuma).`,
        related: [rules.related(file, 'The file')],
      };
    }
  },
);
