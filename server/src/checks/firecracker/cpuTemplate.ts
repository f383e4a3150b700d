/** `cpu-config` takes the place of `machine-config.cpu_template` (resources.rs, from_json: set_custom_cpu_template comes later). */
import { textOf } from '../jsonRules';
import { firecrackerCheck } from './firecrackerCheck';

export const cpuTemplate = firecrackerCheck(
  { code: 'firecracker-cpu-template', severity: 'warning', title: 'A CPU template that another replaces' },
  function* (rules) {
    const template = textOf(rules.machine, 'cpu_template');
    const custom = rules.present(rules.config, 'cpu-config');
    if (!template || template.value === 'None' || !custom || !rules.has({ since: '1.4' })) return;
    yield {
      at: rules.at(template),
      message: `\`cpu-config\` takes the place of the template \`${template.value}\`, which has no effect then.`,
      related: [rules.related(custom.key, 'The custom template is here')],
    };
  },
);
