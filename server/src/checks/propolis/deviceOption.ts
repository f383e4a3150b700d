/** Options of devices that Propolis takes in its own way: queue sizes of viona, and pvpanic that is not asked for. */
import { isTemplate } from '../../text/shape/checkShape';
import { memberOf } from '../../text/shape/node';
import { propolisCheck, textOf } from './propolisCheck';

const QUEUES = { 'rx-queue-size': 2048, 'tx-queue-size': 256 } as const;

export const queueSize = propolisCheck(
  { code: 'propolis-queue-size', severity: 'error', title: 'A queue size that viona cannot have' },
  function* (rules) {
    for (const { table } of rules.devices) {
      if (textOf(table, 'driver')?.value !== 'pci-virtio-viona') continue;
      for (const [key, standard] of Object.entries(QUEUES)) {
        const value = memberOf(table, key)?.value;
        if (!value || value.kind === 'invalid' || (value.kind === 'string' && isTemplate(value.value)))
          continue;
        if (value.kind !== 'integer') {
          yield {
            at: rules.at(value),
            severity: 'warning',
            message: `\`${key}\` is read only where it is an integer: Propolis says nothing and takes ${standard}.`,
          };
          continue;
        }
        const size = value.value;
        if (size > 0n && size <= 0xffffn && (size & (size - 1n)) === 0n) continue;
        yield {
          at: rules.at(value),
          message: `A queue has a power of two of entries, from 1 to 32768: with ${size} propolis-standalone panics.`,
        };
      }
    }
  },
);

export const pvpanic = propolisCheck(
  { code: 'propolis-pvpanic', severity: 'warning', title: 'A pvpanic device that is not made' },
  function* (rules) {
    for (const { name, key, table } of rules.devices) {
      if (textOf(table, 'driver')?.value !== 'qemu-pvpanic') continue;
      const value = memberOf(table, 'enable_isa')?.value;
      if (value?.kind === 'invalid' || (value?.kind === 'string' && isTemplate(value.value))) continue;
      if (value?.kind === 'boolean') continue;
      yield {
        at: rules.at(value ?? key),
        message: `Propolis makes a pvpanic device only where \`enable_isa\` is the boolean true: \`${name.slice(0, 60)}\` is not there, and nobody hears of a panic of the guest.`,
        ...(value ? { fixes: [rules.replace('Change to true', value, 'true')] } : {}),
      };
    }
  },
);
