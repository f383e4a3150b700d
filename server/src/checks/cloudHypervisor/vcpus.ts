/** vCPUs and how they are told to belong together (VmConfig::validate). */
import { integerOf, objectOf } from '../jsonRules';
import { cloudHypervisorCheck, REFUSED } from './cloudHypervisorCheck';

/** MAX_SUPPORTED_CPUS on x86-64 with KVM, since v48.0; a u8 before. */
const MOST = 8192n;

export const vcpus = cloudHypervisorCheck(
  { code: 'cloud-hypervisor-vcpus', severity: 'error', title: 'Numbers of vCPUs that do not go together' },
  function* (rules) {
    const cpus = rules.section('cpus');
    const [boot, most] = [integerOf(cpus, 'boot_vcpus'), integerOf(cpus, 'max_vcpus')];
    if (most && most.value > MOST && rules.has({ since: 'v48.0' })) {
      yield {
        at: rules.at(most),
        message: `${most.value} vCPUs are more than ${MOST}: ${REFUSED} (TooManyCpus).`,
      };
    }
    if (!boot || !most || most.value >= boot.value) return;
    yield {
      at: rules.at(most),
      message: `\`max_vcpus\` is ${most.value}, fewer than the ${boot.value} at the start: ${REFUSED} (CpusMaxLowerThanBoot).`,
      related: [rules.related(boot, 'vCPUs at the start')],
      fixes: [rules.replace(`Change to ${boot.value}`, most, `${boot.value}`)],
    };
  },
);

const PARTS = ['threads_per_core', 'cores_per_die', 'dies_per_package', 'packages'] as const;

export const topology = cloudHypervisorCheck(
  {
    code: 'cloud-hypervisor-topology',
    severity: 'error',
    title: 'A topology that has no room for the vCPUs',
  },
  function* (rules) {
    const cpus = rules.section('cpus');
    const node = objectOf(cpus, 'topology');
    const most = integerOf(cpus, 'max_vcpus');
    const parts = PARTS.map((key) => integerOf(node, key));
    if (!node || parts.some((part) => !part)) return;
    const zero = parts.find((part) => part!.value === 0n);
    if (zero) {
      yield { at: rules.at(zero), message: `No part of a topology is 0: ${REFUSED} (CpuTopologyZeroPart).` };
      return;
    }
    const threads = parts[0]!;
    if (threads.value > 2n && rules.has({ since: 'v52.0' })) {
      yield {
        at: rules.at(threads),
        message: `A core has 2 threads at most, not ${threads.value}: ${REFUSED} since v52.0 (CpuTopologyThreadsPerCore).`,
      };
    }
    const product = parts.reduce((sum, part) => sum * part!.value, 1n);
    if (!most || product === most.value) return;
    yield {
      at: rules.at(node),
      message: `${parts.map((part) => part!.value).join(' × ')} are ${product} vCPUs, and \`max_vcpus\` is ${most.value}: ${REFUSED} (CpuTopologyCount).`,
      related: [rules.related(most, '`max_vcpus`')],
    };
  },
);
