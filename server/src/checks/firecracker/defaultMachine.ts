/** No machine-config: the microVM has one vCPU and 128 MiB (machine_config.rs, MachineConfig::default). */
import { isBroken, objectOf } from '../jsonRules';
import { firecrackerCheck } from './firecrackerCheck';

export const defaultMachine = firecrackerCheck(
  { code: 'firecracker-default-machine', severity: 'information', title: 'No machine-config' },
  function* (rules) {
    const { config } = rules;
    // A file of another tool that only looks alike is left alone.
    const boot = objectOf(config, 'boot-source');
    if (!boot || isBroken(rules.document) || rules.present(config, 'machine-config')) return;
    if (
      config.kind === 'object' &&
      config.members.some(({ key }) => key.text !== 'machine-config' && /^machine/i.test(key.text))
    )
      return;
    yield {
      at: rules.at({ start: config.start, end: config.start + 1 }),
      message:
        'There is no `machine-config`, so the microVM has 1 vCPU and 128 MiB of memory (MachineConfig::default).',
    };
  },
);
