/** Sizes of memory that no guest can have, or that no page size divides (vmm/src/memory_manager.rs). */
import { formatSize } from '../../address/format';
import { MIB, PAGE } from '../../address/range';
import type { NodeSpan, ObjectNode } from '../../text/shape/node';
import { integerOf, isOn, type IntegerNode } from '../jsonRules';
import { cloudHypervisorCheck, REFUSED, type CloudHypervisorRules } from './cloudHypervisorCheck';

/** Where the memory map of the guest goes on behind the BIOS (arch/src/x86_64/layout.rs, HIGH_RAM_START). */
const HIGH_RAM = MIB;

export const memoryTiny = cloudHypervisorCheck(
  { code: 'cloud-hypervisor-memory-tiny', severity: 'error', title: 'Memory that looks like MiB' },
  function* (rules) {
    const size = integerOf(rules.memory, 'size');
    if (!size || size.value <= 0n || size.value > HIGH_RAM) return;
    const meant = size.value <= 0x10000n ? size.value * MIB : null;
    yield {
      at: rules.at(size),
      message: `\`memory.size\` counts bytes, so this is ${formatSize(size.value)}, and a guest's RAM must reach beyond 1 MiB: the VM does not start.`,
      fixes:
        meant === null ? [] : [rules.replace(`Change to ${meant} (${formatSize(meant)})`, size, `${meant}`)],
    };
  },
);

interface Sized {
  readonly size: IntegerNode;
  readonly page: bigint;
  readonly why: NodeSpan | null;
}

function sized(rules: CloudHypervisorRules, node: ObjectNode): Sized | null {
  const size = integerOf(node, 'size');
  if (!size || size.value <= 0n) return null;
  // A file may be in hugetlbfs, whose page size the text does not tell.
  if (rules.present(node, 'file')) return null;
  if (!isOn(node, 'hugepages')) return { size, page: PAGE, why: null };
  const page = integerOf(node, 'hugepage_size');
  return page && page.value > 0n ? { size, page: page.value, why: page } : null;
}

export const memoryAlignment = cloudHypervisorCheck(
  { code: 'cloud-hypervisor-memory-alignment', severity: 'error', title: 'Memory that no page size divides' },
  function* (rules) {
    if (!rules.memory || !rules.has({ since: 'v34.0' })) return;
    const whole = sized(rules, rules.memory);
    // What is too small is told as such.
    const parts = [
      ...(whole && whole.size.value > HIGH_RAM ? [whole] : []),
      ...rules.zones.flatMap((zone) => sized(rules, zone) ?? []),
    ];
    for (const { size, page, why } of parts) {
      if (size.value % page === 0n) continue;
      const up = (size.value / page + 1n) * page;
      yield {
        at: rules.at(size),
        message: `${size.value} bytes are no multiple of the page size, ${formatSize(page)}: ${REFUSED} (MisalignedMemorySize).`,
        related: why ? [rules.related(why, 'The page size')] : [],
        fixes: [rules.replace(`Change to ${up} (${formatSize(up)})`, size, `${up}`)],
      };
    }
  },
);
