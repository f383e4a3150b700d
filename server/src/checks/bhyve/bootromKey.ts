/** The boot ROM has two keys: `lpc.bootrom`, and since FreeBSD 15 and the illumos of 2025 `bootrom`. */
import type { Found } from '../check';
import { at, related } from '../places';
import { bhyveCheck, replaceKey } from './bhyveCheck';

export const bootromKey = bhyveCheck(
  { code: 'bhyve-bootrom-key', severity: 'warning', title: 'The boot ROM under a key of other versions' },
  function* (config) {
    const newer = config.version.facts.bootromKey === 'bootrom';
    for (const name of ['bootrom', 'bootvars']) {
      const plain = config.values.get(name)?.entry;
      const lpc = config.values.get(`lpc.${name}`)?.entry;
      if (!newer && plain) yield notRead(plain, name, !lpc);
      if (newer && lpc && !lpc.implied) yield deprecated(lpc, name, plain);
    }

    function notRead(entry: Entry, name: string, only: boolean): Found {
      const why =
        name === 'bootrom' && only
          ? 'without a boot ROM it ends with "virtual machine cannot be booted", unless a loader has prepared the VM'
          : 'it has no effect';
      return {
        ...(name === 'bootrom' && only ? { severity: 'error' as const } : {}),
        at: at(config, entry.keySpan),
        message: `bhyve@${config.version.id} reads the key \`lpc.${name}\` and not \`${name}\`, which came with FreeBSD 15 and the illumos of 2025: ${why}.`,
        fixes: only ? replaceKey(config, entry, `lpc.${name}`, true) : [],
      };
    }

    function deprecated(entry: Entry, name: string, plain: Entry | undefined): Found {
      if (plain) {
        return {
          at: at(config, entry.keySpan),
          message: `bhyve@${config.version.id} takes \`lpc.${name}\` only where there is no \`${name}\`: this one has no effect.`,
          related: [related(config, plain.keySpan, 'The one that counts')],
          tags: ['unnecessary'],
        };
      }
      return {
        severity: 'hint',
        at: at(config, entry.keySpan),
        message: `\`lpc.${name}\` is the older key of \`${name}\`: bhyve@${config.version.id} takes it and prints "lpc.${name} is deprecated". Versions before FreeBSD 15 know only this one.`,
        fixes: replaceKey(config, entry, name),
        tags: ['deprecated'],
      };
    }
  },
);

type Entry = Parameters<typeof replaceKey>[1];
