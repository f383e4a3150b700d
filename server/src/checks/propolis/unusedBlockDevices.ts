/** Block devices that no disk names: Propolis looks at nothing of theirs but what serde reads. */
import { isTemplate, type ShapeProblem } from '../../text/shape/checkShape';
import { nodeAt, type ObjectNode } from '../../text/shape/node';
import { BLOCK_OPTIONS } from '../../vmm/propolis/shape';

/** The names of block devices that a device of a disk driver uses: the others are never looked at beyond serde's own fields. */
export function usedBlockDevices(root: ObjectNode): ReadonlySet<string> {
  const names = new Set<string>();
  const devices = nodeAt(root, 'dev');
  for (const { value } of devices?.kind === 'object' ? devices.members : []) {
    const reference = nodeAt(value, 'block_dev');
    if (reference?.kind === 'string') names.add(reference.value);
  }
  return names;
}

/** A problem with an option that nobody reads, since no device uses the block device. */
export function isOfUnusedBlockDevice(
  { path, ...problem }: ShapeProblem,
  used: ReadonlySet<string>,
): boolean {
  const [table, name, key] = path;
  if (table !== 'block_dev' || typeof name !== 'string' || used.has(name)) return false;
  if (problem.kind === 'missing-key') return true;
  return typeof key === 'string' && !Object.hasOwn(BLOCK_OPTIONS, key) && key !== 'type' && !isTemplate(key);
}
