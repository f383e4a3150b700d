/** Pages that back memory: their size, and whether they may be shared and merged (VmConfig::validate). */
import type { ObjectNode } from '../../text/shape/node';
import { flagOf, integerOf, isOn } from '../jsonRules';
import { cloudHypervisorCheck, REFUSED, type CloudHypervisorRules } from './cloudHypervisorCheck';

/** Memory as a whole, and its zones. */
function partsOf(rules: CloudHypervisorRules, zonesSince: string): readonly ObjectNode[] {
  return [...(rules.memory ? [rules.memory] : []), ...(rules.has({ since: zonesSince }) ? rules.zones : [])];
}

export const hugepageSize = cloudHypervisorCheck(
  { code: 'cloud-hypervisor-hugepage-size', severity: 'error', title: 'A size of huge pages that cannot be' },
  function* (rules) {
    // Zones are looked at since main of 2026-08.
    for (const part of partsOf(rules, '2026-08')) {
      const size = integerOf(part, 'hugepage_size');
      if (!size) continue;
      if (!isOn(part, 'hugepages')) {
        const off = flagOf(part, 'hugepages');
        if (rules.present(part, 'hugepages') && !off) continue;
        yield {
          at: rules.at(size),
          message: `\`hugepage_size\` is given, and \`hugepages\` is ${off ? 'false' : 'not there'}: ${REFUSED} (HugePageSizeWithoutHugePages).`,
          related: off ? [rules.related(off, 'Huge pages are off here')] : [],
        };
      } else if (size.value <= 0n || (size.value & (size.value - 1n)) !== 0n) {
        yield {
          at: rules.at(size),
          message: `${size.value} is no power of two, as sizes of pages are: ${REFUSED} (InvalidHugePageSize).`,
        };
      }
    }
  },
);

export const sharedMergeable = cloudHypervisorCheck(
  { code: 'cloud-hypervisor-shared-mergeable', severity: 'error', title: 'Memory both shared and mergeable' },
  function* (rules) {
    if (!rules.has({ since: 'v52.0' })) return;
    for (const part of partsOf(rules, 'v52.0')) {
      const [shared, mergeable] = [flagOf(part, 'shared'), flagOf(part, 'mergeable')];
      if (!shared?.value || !mergeable?.value) continue;
      yield {
        at: rules.at(mergeable),
        message: `KSM does not merge shared memory: ${REFUSED} since v52.0 (InvalidSharedMemoryWithMergeable).`,
        related: [rules.related(shared, '`shared` is on here')],
      };
    }
  },
);
