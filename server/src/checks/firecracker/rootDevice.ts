/** More than one root device: BlockBuilder::insert of vmm_config/drive.rs and PmemBuilder::build of vmm_config/pmem.rs. */
import type { NodeSpan } from '../../text/shape/node';
import { isOn, flagOf, textOf } from '../jsonRules';
import { firecrackerCheck } from './firecrackerCheck';

interface Root {
  /** A drive and a pmem device may have one name. */
  readonly list: string;
  readonly id: string;
  readonly at: NodeSpan;
}

const LISTS = [
  { list: 'drives', idKey: 'drive_id', rootKey: 'is_root_device', since: '1.0' },
  { list: 'pmem', idKey: 'id', rootKey: 'root_device', since: '1.14' },
] as const;

export const rootDevice = firecrackerCheck(
  { code: 'firecracker-root-device', severity: 'error', title: 'A second root device' },
  function* (rules) {
    let root: Root | null = null;
    for (const { list, idKey, rootKey, since } of LISTS) {
      if (!rules.has({ since })) continue;
      for (const device of rules.devices(list)) {
        const id = textOf(device, idKey)?.value;
        if (id === undefined) continue;
        const same: boolean = root !== null && root.list === list && root.id === id;
        if (!isOn(device, rootKey)) {
          // Of two with one name the later counts.
          if (same) root = null;
          continue;
        }
        const at = flagOf(device, rootKey)!;
        if (root !== null && !same) {
          yield {
            at: rules.at(at),
            message: `\`${id}\` is the second root device: Firecracker takes one over all drives and pmem devices, and refuses the config.`,
            related: [rules.related(root.at, `\`${root.id}\` is the root device already`)],
          };
          return;
        }
        root = { list, id, at };
      }
    }
  },
);
