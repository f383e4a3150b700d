/** Ports of AHCI controllers: one without `type` is passed over, and every type but `hd` is a CD drive (pci_ahci_init). */
import { at, shown } from '../places';
import { bhyveCheck, insertLine, replaceValue } from './bhyveCheck';

const PORT = /^(pci\.\d+\.\d+\.\d+)\.port\.(0|[1-9]\d*)\.(path|type)$/;

export const ahciPort = bhyveCheck(
  {
    code: 'bhyve-ahci-port',
    severity: 'warning',
    title: 'An AHCI port without a type, or with one that is a CD drive',
  },
  function* (config) {
    const controllers = new Set(
      config.devices.filter(({ row }) => row?.name === 'ahci').map(({ path }) => path),
    );
    for (const [key, value] of config.values) {
      const found = PORT.exec(key);
      if (!found || !controllers.has(found[1]!)) continue;
      const port = `${found[1]!}.port.${found[2]!}`;
      if (found[3] === 'path' && config.complete && !config.values.has(`${port}.type`)) {
        yield {
          at: at(config, value.entry.keySpan),
          message: `Port ${found[2]!} has no \`type\`, and bhyve passes over it without a word: the guest does not get \`${shown(value.value)}\`.`,
          fixes: ['hd', 'cd'].flatMap((type) => insertLine(config, value.entry, `${port}.type=${type}`)),
        };
      } else if (found[3] === 'type' && !value.open && !['hd', 'cd'].includes(value.value)) {
        yield {
          at: at(config, value.entry.valueSpan),
          message: `\`${shown(value.value)}\` is neither \`hd\` nor \`cd\`: bhyve makes a CD drive of every type but \`hd\`.`,
          fixes: ['hd', 'cd'].flatMap((type) => replaceValue(config, value.entry, type)),
        };
      }
    }
  },
);
