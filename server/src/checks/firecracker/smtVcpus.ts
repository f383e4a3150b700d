/** An odd number of vCPUs with SMT (machine_config.rs, MachineConfig::update; resources.rs up to 1.3). */
import { integerOf, flagOf } from '../jsonRules';
import { firecrackerCheck } from './firecrackerCheck';

export const smtVcpus = firecrackerCheck(
  { code: 'firecracker-smt-vcpus', severity: 'error', title: 'SMT with an odd number of vCPUs' },
  function* (rules) {
    const count = integerOf(rules.machine, 'vcpu_count');
    const smt = flagOf(rules.machine, 'smt');
    if (!count || !smt?.value || count.value <= 1n || count.value > 32n || count.value % 2n === 0n) return;
    yield {
      at: rules.at(count),
      message: `${count.value} vCPUs are odd, and with \`smt\` their number must be 1 or even: Firecracker refuses the machine (InvalidVcpuCount).`,
      related: [rules.related(smt, '`smt` is on here')],
    };
  },
);
