/** Sizes of pluggable memory that do not go into each other (vmm_config/memory_hotplug.rs, MemoryHotplugConfig::validate). */
import { integerOf, type IntegerNode } from '../jsonRules';
import { firecrackerCheck } from './firecrackerCheck';

const LEAST_BLOCK = 2n;
const LEAST_SLOT = 128n;

export const memoryHotplug = firecrackerCheck(
  {
    code: 'firecracker-memory-hotplug',
    severity: 'error',
    title: 'Sizes of pluggable memory that do not fit',
  },
  function* (rules) {
    const config = rules.section('memory-hotplug');
    if (!config || !rules.has({ since: '1.14' })) return;
    const sizes = (['block_size_mib', 'slot_size_mib', 'total_size_mib'] as const).map((key) => {
      return { node: integerOf(config, key), given: rules.present(config, key) !== null };
    });
    // A size of another kind, or a template, leaves nothing to say.
    if (sizes.some(({ node, given }) => given && !node)) return;
    const [block, slot, total] = sizes.map(({ node }) => node) as [
      IntegerNode | null,
      IntegerNode | null,
      IntegerNode | null,
    ];
    const problem = firstProblem(
      block?.value ?? LEAST_BLOCK,
      slot?.value ?? LEAST_SLOT,
      total?.value ?? null,
    );
    if (!problem) return;
    const at = { block, slot, total }[problem.of] ?? { start: config.start, end: config.start + 1 };
    yield { at: rules.at(at), message: `${problem.text}: Firecracker refuses the config.` };
  },
);

function firstProblem(
  block: bigint,
  slot: bigint,
  total: bigint | null,
): { readonly of: 'block' | 'slot' | 'total'; readonly text: string } | null {
  if (block < LEAST_BLOCK)
    return { of: 'block', text: `A block has ${LEAST_BLOCK} MiB at least, not ${block}` };
  if ((block & (block - 1n)) !== 0n)
    return { of: 'block', text: `A block of ${block} MiB is no power of two` };
  if (slot < LEAST_SLOT) return { of: 'slot', text: `A slot has ${LEAST_SLOT} MiB at least, not ${slot}` };
  if (slot % block !== 0n) {
    return { of: 'slot', text: `A slot of ${slot} MiB is no multiple of a block of ${block} MiB` };
  }
  if (total === null) return null;
  if (total < slot) return { of: 'total', text: `${total} MiB in all are less than one slot of ${slot} MiB` };
  if (total % slot !== 0n) {
    return { of: 'total', text: `${total} MiB in all are no multiple of a slot of ${slot} MiB` };
  }
  return null;
}
