/** A balloon that leaves the guest nothing (VmConfig::validate, since v22.0). */
import { formatSize } from '../../address/format';
import { integerOf } from '../jsonRules';
import { cloudHypervisorCheck, REFUSED } from './cloudHypervisorCheck';

export const balloonSize = cloudHypervisorCheck(
  { code: 'cloud-hypervisor-balloon-size', severity: 'error', title: 'A balloon as large as memory' },
  function* (rules) {
    const size = integerOf(rules.section('balloon'), 'size');
    const { ram } = rules;
    if (!size || ram === null || ram === 0n || size.value < ram || !rules.has({ since: 'v23.0' })) return;
    // What is plugged at the start counts since v52.0.
    if ([rules.memory, ...rules.zones].some((part) => rules.present(part, 'hotplugged_size'))) return;
    const memory = integerOf(rules.memory, 'size');
    yield {
      at: rules.at(size),
      message: `The balloon takes ${formatSize(size.value)}, and memory has ${formatSize(ram)}, of which something must stay: ${REFUSED} (BalloonLargerThanRam).`,
      related: memory ? [rules.related(memory, 'Memory')] : [],
    };
  },
);
