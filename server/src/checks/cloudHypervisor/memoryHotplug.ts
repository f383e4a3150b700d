/** Memory that can be plugged (vmm/src/memory_manager.rs, validate_memory_config and MemoryManager::new). */
import type { ObjectNode } from '../../text/shape/node';
import { integerOf, textOf } from '../jsonRules';
import type { Found } from '../check';
import { cloudHypervisorCheck, REFUSED, type CloudHypervisorRules } from './cloudHypervisorCheck';

export const memoryHotplug = cloudHypervisorCheck(
  {
    code: 'cloud-hypervisor-hotplug',
    severity: 'error',
    title: 'Memory that cannot be plugged as it is asked',
  },
  function* (rules) {
    const { memory } = rules;
    const size = integerOf(memory, 'size');
    if (!memory || !size) return;
    const method = textOf(memory, 'hotplug_method');
    // A template may be either.
    if (rules.present(memory, 'hotplug_method') && !method) return;
    const acpi = (method?.value ?? 'Acpi') === 'Acpi';
    if (size.value > 0n) yield* pluggable(rules, memory, acpi);
    else {
      for (const zone of rules.zones) {
        const plug = integerOf(zone, 'hotplug_size');
        if (plug && acpi) {
          yield {
            at: rules.at(plug),
            message: `Zones are plugged by virtio-mem only, and \`hotplug_method\` is ${method ? '`Acpi`' : 'not given, which is `Acpi`'}: ${REFUSED} (InvalidHotplugMethodWithMemoryZones).`,
            related: method ? [rules.related(method, 'The method')] : [],
          };
        } else yield* pluggable(rules, zone, acpi);
      }
    }
  },
);

function* pluggable(rules: CloudHypervisorRules, node: ObjectNode, acpi: boolean): Generator<Found> {
  const [most, now] = [integerOf(node, 'hotplug_size'), integerOf(node, 'hotplugged_size')];
  if (most?.value === 0n) {
    yield { at: rules.at(most), message: `\`hotplug_size\` cannot be 0: ${REFUSED} (InvalidHotplugSize).` };
  }
  if (!now) return;
  const problem = !rules.present(node, 'hotplug_size')
    ? 'there is no `hotplug_size`'
    : most && now.value > most.value
      ? `it is more than \`hotplug_size\`, ${most.value}`
      : acpi
        ? 'memory that is plugged at the start needs the method `VirtioMem`'
        : null;
  if (!problem) return;
  yield {
    at: rules.at(now),
    message: `\`hotplugged_size\` is ${now.value}, and ${problem}: ${REFUSED} (InvalidMemoryParameters).`,
    related: most ? [rules.related(most, '`hotplug_size`')] : [],
  };
}
