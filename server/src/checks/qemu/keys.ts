/** Keys that a group does not have, and keys that stand twice in one. */
import { closest } from '../../text/closest';
import { isTemplate } from '../../text/shape/checkShape';
import { OPTION_GROUPS } from '../../vmm/pc/readconfig/groups';
import type { ConfigPair } from '../../vmm/pc/readconfig/read';
import { qemuCheck } from './qemuCheck';

export const key = qemuCheck(
  { code: 'qemu-key', severity: 'error', title: 'A key that a group does not have' },
  function* ({ groups }, places) {
    for (const { name, pairs } of groups) {
      const keys = Object.hasOwn(OPTION_GROUPS, name.text) ? OPTION_GROUPS[name.text]!.keys : null;
      if (!keys) continue;
      for (const { key: written } of pairs) {
        if (written.text === 'id' || keys.includes(written.text) || isTemplate(written.text)) continue;
        const near = closest(written.text, keys);
        yield {
          at: places.at(written),
          message: `\`${written.text.slice(0, 63)}\` is no key of \`[${name.text}]\`: QEMU refuses the file. It takes ${keys.join(', ')}.`,
          ...(near === undefined ? {} : { fixes: [places.replace(`Change to ${near}`, written, near)] }),
        };
      }
    }
  },
);

export const keyTwice = qemuCheck(
  { code: 'qemu-key-twice', severity: 'warning', title: 'A key that a later one of its group overrides' },
  function* ({ groups }, places) {
    for (const { pairs } of groups) {
      const last = new Map<string, ConfigPair>();
      for (const pair of pairs) last.set(pair.key.text, pair);
      for (const pair of pairs) {
        const winner = last.get(pair.key.text)!;
        // The same once more loses nothing.
        if (winner.value.text === pair.value.text || isTemplate(pair.key.text)) continue;
        yield {
          at: places.at(pair),
          message: `A later \`${pair.key.text.slice(0, 63)}\` of the group takes the place of this one, without a word: since QEMU 6.1 a key has one value, also where the command line takes several.`,
          related: [places.related(winner, 'The one that counts')],
          tags: ['unnecessary'],
        };
      }
    }
  },
);
