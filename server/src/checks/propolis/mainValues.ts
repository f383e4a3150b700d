/** Values of [main] with a unit or a limit that its type does not show. */
import { expectedSize } from './memoryText';
import { propolisCheck } from './propolisCheck';

/** VM_MAXCPU of bhyve-api. Builds for Oxide's own systems take 254 (feature omicron-build). */
const MOST_VCPUS = 32n;
const MOST_OF_ALL = 254n;

export const vcpus = propolisCheck(
  { code: 'propolis-vcpus', severity: 'error', title: 'A number of vCPUs that Propolis refuses' },
  function* (rules) {
    const cpus = rules.main('cpus')?.value;
    if (cpus?.kind !== 'integer' || cpus.value < 0n || cpus.value > 255n) return;
    if (cpus.value === 0n || cpus.value > MOST_OF_ALL) {
      yield {
        at: rules.at(cpus),
        message: `A VM of ${cpus.value} vCPUs is refused with "maxcpu out of range": it takes 1 to ${MOST_VCPUS}.`,
      };
    } else if (cpus.value > MOST_VCPUS) {
      yield {
        at: rules.at(cpus),
        severity: 'warning',
        message: `Propolis takes at most ${MOST_VCPUS} vCPUs and refuses ${cpus.value} with "maxcpu out of range", unless it is built for Oxide's own systems (feature omicron-build, at most ${MOST_OF_ALL}).`,
      };
    }
  },
);

export const memoryText = propolisCheck(
  { code: 'propolis-memory-unit', severity: 'error', title: 'A size of memory with a unit' },
  function* (rules) {
    const memory = rules.main('memory')?.value;
    if (memory?.kind !== 'string') return;
    const size = expectedSize(memory.value);
    if (size === null) return;
    yield {
      at: rules.at(memory),
      message: `\`memory\` is a number of MiB and takes no unit: propolis-standalone refuses the config. \`${memory.value}\` is ${size} MiB.`,
      fixes: [rules.replace(`Change to ${size}`, memory, `${size}`, true)],
    };
  },
);
