/** Options of the network that BoxLite refuses together (BoxOptions::sanitize_common). */
import { memberOf, nodeAt } from '../../text/shape/node';
import { listItems } from '../jsonRules';
import { boxliteCheck } from './boxliteCheck';

export const network = boxliteCheck(
  { code: 'boxlite-network', severity: 'error', title: 'Options of the network that exclude each other' },
  function* (places) {
    const inbound = nodeAt(places.options, 'inbound_network', 'Enabled', 'allow_net');
    if (inbound && listItems(inbound).length > 0) {
      yield {
        at: places.at(inbound),
        message:
          'BoxLite has no list of those who may reach a box, and refuses one that is not empty: the box would be open to all.',
      };
    }
    const security = nodeAt(places.options, 'advanced', 'security');
    const jailed = memberOf(security, 'network_enabled');
    if (jailed?.value?.kind === 'boolean' && !jailed.value.value && !places.offline) {
      yield {
        at: places.at(jailed.key),
        message:
          'This does not take the guest offline, it takes the host’s network from the process that the guest’s network goes through: BoxLite refuses it while `network` is not "Disabled".',
      };
    }
    const limit = nodeAt(places.options, 'advanced', 'network_rate_limit');
    const limited = ['tx_kbps', 'rx_kbps'].some((key) => {
      const value = nodeAt(limit, key);
      return value?.kind === 'integer' && value.value > 0n;
    });
    if (limit && limited && places.offline) {
      yield {
        at: places.at(limit),
        message: 'BoxLite refuses a rate limit of a box without a network: there is no interface to shape.',
        related: [places.related(places.offline, 'No network')],
      };
    }
  },
);
