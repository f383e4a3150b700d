/** Entries of main.boot_order that are no device to boot from. */
import { closest } from '../../text/closest';
import { isTemplate } from '../../text/shape/checkShape';
import { isPciDriver, propolisCheck, textOf } from './propolisCheck';

export const bootOrder = propolisCheck(
  { code: 'propolis-boot-order', severity: 'error', title: 'An entry of the boot order that is no device' },
  function* (rules) {
    const order = rules.main('boot_order')?.value;
    // Older versions do not read it.
    if (order?.kind !== 'array' || !rules.version.facts.bootOrder) return;
    const devices = new Map(rules.devices.map((device) => [device.name, device]));
    for (const item of order.items) {
      if (item.kind !== 'string' || isTemplate(item.value)) continue;
      const device = devices.get(item.value);
      const shown = item.value.slice(0, 60);
      if (!device) {
        const near = closest(item.value, [...devices.keys()]);
        const block = rules.blockDevices.some(({ name }) => name === item.value);
        yield {
          at: rules.at(item),
          message: `No device is called \`${shown}\`${block ? ' (a block device is, and the order takes the devices in front of them)' : ''}: propolis-standalone ends with "Could not find device".`,
          ...(near === undefined
            ? {}
            : { fixes: [rules.replace(`Change to ${near}`, item, JSON.stringify(near))] }),
        };
        continue;
      }
      const driver = textOf(device.table, 'driver');
      if (!driver || isPciDriver(device.table) || isTemplate(driver.value)) continue;
      yield {
        at: rules.at(item),
        message: `\`${shown}\` is a ${driver.value.slice(0, 60)}, which is no PCI device: propolis-standalone ends with "unsupported device type".`,
        related: [rules.related(driver, 'Its driver')],
      };
    }
  },
);
