/** What a disk says is behind it: nothing, a block device that is not declared, or one that another disk has. */
import { closest } from '../../text/closest';
import { isTemplate } from '../../text/shape/checkShape';
import { memberOf } from '../../text/shape/node';
import type { Found } from '../check';
import { propolisCheck, textOf, type NamedTable, type PropolisRules } from './propolisCheck';

const DISKS = new Set(['pci-virtio-block', 'pci-nvme']);

function disksOf({ devices }: PropolisRules): readonly NamedTable[] {
  return devices.filter(({ table }) => DISKS.has(textOf(table, 'driver')?.value ?? ''));
}

export const blockDevice = propolisCheck(
  {
    code: 'propolis-block-device',
    severity: 'error',
    title: 'A disk without the block device that it names',
  },
  function* (rules) {
    const declared = rules.blockDevices.map(({ name }) => name);
    const known = new Set(declared);
    for (const { name, key, table } of disksOf(rules)) {
      const member = memberOf(table, 'block_dev');
      const value = member?.value;
      if (!member) {
        yield {
          at: rules.at(key),
          message: `Disk \`${name.slice(0, 60)}\` has no \`block_dev\`: propolis-standalone panics before the VM starts.`,
        };
      } else if (value && value.kind !== 'string' && value.kind !== 'invalid') {
        yield {
          at: rules.at(value),
          message:
            '`block_dev` must be a string, the name of a `[block_dev.NAME]` table: propolis-standalone panics before the VM starts.',
        };
      } else if (value?.kind === 'string' && !known.has(value.value) && !isTemplate(value.value)) {
        const near = closest(value.value, declared) ?? (declared.length === 1 ? declared[0] : undefined);
        yield {
          at: rules.at(value),
          message: `No block device is called \`${value.value.slice(0, 60)}\`: propolis-standalone panics with "No configured block device named".`,
          ...(near === undefined
            ? {}
            : { fixes: [rules.replace(`Change to ${near}`, value, JSON.stringify(near))] }),
        };
      }
    }
  },
);

export const blockDeviceShared = propolisCheck(
  {
    code: 'propolis-block-device-shared',
    severity: 'warning',
    title: 'Two disks on one block device',
  },
  function* (rules) {
    const last = new Map<string, NamedTable>();
    const disks = disksOf(rules).flatMap((disk) => {
      const reference = textOf(disk.table, 'block_dev');
      return reference && !isTemplate(reference.value) ? [{ disk, reference }] : [];
    });
    for (const { disk, reference } of disks) last.set(reference.value, disk);
    for (const { disk, reference } of disks) {
      const started = last.get(reference.value)!;
      if (started === disk) continue;
      yield {
        at: rules.at(reference),
        message: `Disk \`${started.name.slice(0, 60)}\` has the block device \`${reference.value.slice(0, 60)}\` too. Each disk gets a backend of its own, and only the one of the last disk by name is kept and started: requests of \`${disk.name.slice(0, 60)}\` are never answered.`,
        related: [rules.related(started.key, 'The disk whose backend is started')],
      };
    }
  },
);

export const blockDeviceUnused = propolisCheck(
  {
    code: 'propolis-block-device-unused',
    severity: 'hint',
    title: 'A block device that no disk uses',
  },
  function* (rules): Generator<Found> {
    const used = new Set<string>();
    for (const { table } of rules.devices) {
      const reference = textOf(table, 'block_dev');
      if (reference && isTemplate(reference.value)) return;
      if (reference) used.add(reference.value);
    }
    for (const { name, key } of rules.blockDevices) {
      if (used.has(name) || isTemplate(name)) continue;
      yield {
        at: rules.at(key),
        message: `No device names the block device \`${name.slice(0, 60)}\`: Propolis never opens it.`,
        tags: ['unnecessary'],
      };
    }
  },
);
