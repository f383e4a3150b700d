/** Two devices of one name: the later takes the place of the earlier (BlockBuilder::insert, NetBuilder::build, PmemBuilder::build). */
import { textOf, type TextNode } from '../jsonRules';
import { firecrackerCheck } from './firecrackerCheck';

const LISTS = [
  { list: 'drives', key: 'drive_id', what: 'drive' },
  { list: 'network-interfaces', key: 'iface_id', what: 'interface' },
  { list: 'pmem', key: 'id', what: 'pmem device' },
] as const;

export const duplicateId = firecrackerCheck(
  { code: 'firecracker-duplicate-id', severity: 'warning', title: 'A device that another replaces' },
  function* (rules) {
    for (const { list, key, what } of LISTS) {
      const known = new Map<string, TextNode>();
      for (const device of rules.devices(list)) {
        const id = textOf(device, key);
        if (!id) continue;
        const first = known.get(id.value);
        if (first) {
          yield {
            at: rules.at(id),
            message: `There is a ${what} \`${id.value}\` before this one: Firecracker takes the later for an update, so the guest has only this.`,
            related: [rules.related(first, `The ${what} that is replaced`)],
          };
        }
        known.set(id.value, id);
      }
    }
  },
);
