/** Groups that QEMU does not have, and ids where they must not be, or must be. */
import { closest } from '../../text/closest';
import { isTemplate } from '../../text/shape/checkShape';
import { LIKE_OPTIONS, OPTION_GROUPS } from '../../vmm/pc/readconfig/groups';
import type { ConfigGroup } from '../../vmm/pc/readconfig/read';
import { qemuCheck } from './qemuCheck';

/** id_wellformed of util/id.c. */
const IDENTIFIER = /^[A-Za-z][A-Za-z0-9._-]*$/;

export const group = qemuCheck(
  { code: 'qemu-group', severity: 'error', title: 'A group that QEMU does not have' },
  function* ({ groups }, places) {
    const known = Object.keys(OPTION_GROUPS);
    for (const { name } of groups) {
      if (Object.hasOwn(OPTION_GROUPS, name.text) || isTemplate(name.text)) continue;
      const shown = name.text.trim().slice(0, 63);
      const like = Object.hasOwn(LIKE_OPTIONS, shown) ? LIKE_OPTIONS[shown]! : undefined;
      const near = OPTION_GROUPS[shown] ? shown : (like ?? closest(shown, known));
      yield {
        at: places.at(name),
        message:
          like === null
            ? `\`-${shown}\` has no group in config files: QEMU ends with "There is no option group". It must stand on the command line.`
            : `\`${name.text.slice(0, 63)}\` is no option group: QEMU ends with "There is no option group".${near === undefined ? '' : ` Probably \`${near}\` was meant.`}`,
        ...(near === undefined || like === null
          ? {}
          : { fixes: [places.replace(`Change to ${near}`, name, near, near === shown)] }),
      };
    }
  },
);

/** The id of the brackets, or the one that a key `id` gives. */
function idOf({ id, pairs }: ConfigGroup) {
  return id ?? pairs.findLast(({ key }) => key.text === 'id')?.value ?? null;
}

export const groupId = qemuCheck(
  { code: 'qemu-group-id', severity: 'error', title: 'An id that a group cannot have, or lacks' },
  function* ({ groups }, places) {
    const first = new Map<string, ReturnType<typeof idOf>>();
    for (const one of groups) {
      const { name } = one;
      const row = Object.hasOwn(OPTION_GROUPS, name.text) ? OPTION_GROUPS[name.text]! : null;
      const id = idOf(one);
      if (!row || (id && isTemplate(id.text))) continue;
      if (!id) {
        if (row.id === 'needed') {
          yield {
            at: places.at(name),
            message: `A ${name.text} needs an id, \`[${name.text} "id"]\`: without one QEMU makes none and ends with an error.`,
          };
        }
        continue;
      }
      if (row.id === 'refused') {
        yield {
          at: places.at(id),
          message: `All groups \`${name.text}\` are one, which has no id: QEMU refuses this one.`,
          ...(one.id
            ? {
                fixes: [places.replace('Remove the id', { start: name.end, end: one.id.end + 1 }, '', true)],
              }
            : {}),
        };
        continue;
      }
      if (!IDENTIFIER.test(id.text)) {
        yield {
          at: places.at(id.start === id.end ? name : id),
          message: `An id begins with a letter and goes on with letters, digits, \`-\`, \`.\` and \`_\`: QEMU refuses \`${id.text.slice(0, 63)}\`.`,
        };
        continue;
      }
      const place = `${name.text} ${id.text}`;
      const same = first.get(place);
      if (same) {
        yield {
          at: places.at(id),
          message: `Another ${name.text} has the id \`${id.text}\`: QEMU ends with "Duplicate ID".`,
          related: [places.related(same, 'The first one')],
        };
      } else first.set(place, id);
    }
  },
);
