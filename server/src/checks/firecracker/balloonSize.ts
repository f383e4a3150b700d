/** A balloon that is larger than memory (resources.rs, set_balloon_device). */
import { integerOf } from '../jsonRules';
import { firecrackerCheck } from './firecrackerCheck';

export const balloonSize = firecrackerCheck(
  { code: 'firecracker-balloon-size', severity: 'error', title: 'A balloon larger than memory' },
  function* (rules) {
    const amount = integerOf(rules.section('balloon'), 'amount_mib');
    const memory = rules.memoryMib;
    if (!amount || memory === null || amount.value <= memory) return;
    const size = integerOf(rules.machine, 'mem_size_mib');
    yield {
      at: rules.at(amount),
      message: `The balloon takes ${amount.value} MiB, and the guest has ${memory} MiB${size ? '' : ', the default'}: Firecracker refuses the config (TooManyPagesRequested).`,
      related: size ? [rules.related(size, 'The guest’s memory')] : [],
    };
  },
);
