/** Names of devices, which zones of memory and rate limit groups share (VmConfig::validate_identifier, since v24.0). */
import { textOf, type TextNode } from '../jsonRules';
import { cloudHypervisorCheck, REFUSED } from './cloudHypervisorCheck';

export const deviceId = cloudHypervisorCheck(
  { code: 'cloud-hypervisor-device-id', severity: 'error', title: 'A name that is taken' },
  function* (rules) {
    if (!rules.has({ since: 'v26.0' })) return;
    // What has names only since v52.0 or v53.0 is ignored before.
    const late: Readonly<Record<string, string>> = {
      generic_vhost_user: 'v52.0',
      rng: 'v52.0',
      console: 'v52.0',
      balloon: 'v53.0',
      rtc: 'v53.0',
      ivshmem: 'v53.0',
    };
    const known = new Map<string, TextNode>();
    const nodes = [
      ...rules.devices('rate_limit_groups'),
      ...rules.pciDevices
        .filter(({ list }) => rules.has({ since: late[list] ?? 'v26.0' }))
        .map(({ node }) => node),
      ...rules.zones,
    ];
    for (const node of nodes) {
      const id = textOf(node, 'id');
      if (!id) continue;
      const first = known.get(id.value);
      if (id.value.startsWith('__')) {
        yield {
          at: rules.at(id),
          message: `Names that begin with \`__\` are Cloud Hypervisor's own: ${REFUSED} (InvalidIdentifier).`,
        };
      } else if (first) {
        yield {
          at: rules.at(id),
          message: `\`${id.value}\` is the name of something else: devices, zones of memory and rate limit groups share their names, and ${REFUSED} (IdentifierNotUnique).`,
          related: [rules.related(first, 'The same name')],
        };
      } else known.set(id.value, id);
    }
  },
);
