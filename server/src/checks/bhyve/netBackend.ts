/** Backends of network cards: netbe_init takes the first whose prefix fits, and a card without one is refused. */
import { at, shown } from '../places';
import { bhyveCheck } from './bhyveCheck';

const CARDS = new Set(['virtio-net', 'e1000']);
/** Of FreeBSD, with what its newest sources add. */
const PREFIXES = ['tap', 'vmnet', 'netgraph', 'netmap', 'vale', 'slirp', 'ngd'];

export const netBackend = bhyveCheck(
  { code: 'bhyve-net-backend', severity: 'error', title: 'A network backend that bhyve does not have' },
  function* (config) {
    // Which of them illumos builds was not established.
    if (config.version.facts.os === 'illumos') return;
    for (const { row, path } of config.devices) {
      if (!row || !CARDS.has(row.name)) continue;
      const backend = config.values.get(`${path}.backend`);
      const type = config.values.get(`${path}.type`) ?? backend;
      if (!backend || !type || backend.open || type.open) continue;
      if (PREFIXES.some((prefix) => type.value.startsWith(prefix))) continue;
      yield {
        at: at(config, type.entry.valueSpan),
        message: `bhyve has no network backend for \`${shown(type.value)}\`: the name or \`type\` has to begin with tap, vmnet, netgraph, netmap:, vale or slirp, and it ends with status 4.`,
      };
    }
  },
);
