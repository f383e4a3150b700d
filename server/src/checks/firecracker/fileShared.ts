/** One file behind two drives, with one that writes: Firecracker locks none. */
import { isOn, textOf, type TextNode } from '../jsonRules';
import { firecrackerCheck } from './firecrackerCheck';

export const fileShared = firecrackerCheck(
  { code: 'firecracker-file-shared', severity: 'warning', title: 'A file behind two drives' },
  function* (rules) {
    const known = new Map<
      string,
      { readonly path: TextNode; readonly writes: boolean; readonly id?: string }
    >();
    const devices = [
      ...rules.devices('drives').map((node) => ({ node, readOnly: 'is_read_only', idKey: 'drive_id' })),
      ...rules.devices('pmem').map((node) => ({ node, readOnly: 'read_only', idKey: 'id' })),
    ];
    for (const { node, readOnly, idKey } of devices) {
      const path = textOf(node, 'path_on_host');
      const id = textOf(node, idKey)?.value;
      if (!path || id === undefined) continue;
      const writes = !isOn(node, readOnly);
      const first = known.get(path.value);
      if (first && first.id !== id && (writes || first.writes)) {
        yield {
          at: rules.at(path),
          message: `Another device has the same file, and ${writes && first.writes ? 'both write' : 'one of them writes'}: Firecracker does not lock it, and file systems on both damage each other or see stale data.`,
          related: [rules.related(first.path, 'The same file')],
        };
      } else if (!first) known.set(path.value, { path, writes, id });
    }
  },
);
