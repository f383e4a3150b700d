/** Keys that other versions of bhyve read, on another operating system or of another time. */
import { firstVersions } from '../../vmm/bhyve/keys/keyRow';
import { at, shown } from '../places';
import { bhyveCheck, list } from './bhyveCheck';
import { matches } from './unknownKey';

export const keyVersion = bhyveCheck(
  { code: 'bhyve-key-version', severity: 'warning', title: 'A key that other versions of bhyve read' },
  function* (config) {
    for (const { entry, match } of matches(config)) {
      if (match.kind !== 'other-version' || match.row.key === 'bootrom') continue;
      const { facts, id } = config.version;
      const os = facts.os === 'illumos' ? 'illumos' : 'FreeBSD';
      yield {
        at: at(config, entry.implied ? entry.valueSpan : entry.keySpan),
        message: `\`${shown(entry.key)}\` is not read by bhyve@${id} (${os}), which takes it without a word: it has no effect. It is read from ${list(firstVersions(match.row), 'and from')} on.`,
        tags: ['unnecessary'],
      };
    }
  },
);
