/** What Propolis does with the type, the block size and the workers of a block device that a disk uses. */
import { closest } from '../../text/closest';
import { isTemplate } from '../../text/shape/checkShape';
import { memberOf, type ConfigNode } from '../../text/shape/node';
import { BLOCK_TYPES } from '../../vmm/propolis/shape';
import { usedBlockDevices } from './unusedBlockDevices';
import type { Found } from '../check';
import { propolisCheck, textOf, type NamedTable, type PropolisRules } from './propolisCheck';

/** MAX_FILE_WORKERS and DEFAULT_WORKER_COUNT of config.rs. */
const MOST_WORKERS = 32n;
const DEFAULT_WORKERS = 8;
const DEFAULT_BLOCK_SIZE = 512n;

function usedOf(rules: PropolisRules): readonly NamedTable[] {
  const used = usedBlockDevices(rules.document.config);
  return rules.blockDevices.filter(({ name }) => used.has(name));
}

function integerAt(table: ConfigNode, key: string) {
  const value = memberOf(table, key)?.value;
  return value?.kind === 'integer' ? value : null;
}

export const blockType = propolisCheck(
  { code: 'propolis-block-type', severity: 'error', title: 'A block device of no type that Propolis has' },
  function* (rules) {
    const known = Object.keys(BLOCK_TYPES);
    for (const { name, key, table } of usedOf(rules)) {
      const type = textOf(table, 'type');
      if (!memberOf(table, 'type')) {
        yield {
          at: rules.at(key),
          message: `Block device \`${name.slice(0, 60)}\` has no \`type\`: propolis-standalone panics with "unrecognized block dev type".`,
        };
      } else if (type && !Object.hasOwn(BLOCK_TYPES, type.value) && !isTemplate(type.value)) {
        const near = closest(type.value, known);
        yield {
          at: rules.at(type),
          message: `\`${type.value.slice(0, 60)}\` is no type of block device: propolis-standalone panics with "unrecognized block dev type". It has ${known.join(', ')}.`,
          ...(near ? { fixes: [rules.replace(`Change to ${near}`, type, `"${near}"`)] } : {}),
        };
      }
    }
  },
);

export const workers = propolisCheck(
  { code: 'propolis-workers', severity: 'warning', title: 'More workers than Propolis takes' },
  function* (rules) {
    for (const { table } of usedOf(rules)) {
      const count = textOf(table, 'type')?.value === 'file' ? integerAt(table, 'workers') : null;
      if (!count || count.value <= MOST_WORKERS) continue;
      yield {
        at: rules.at(count),
        message: `A file has at most ${MOST_WORKERS} workers: Propolis logs a warning and takes ${DEFAULT_WORKERS}, not ${count.value} and not ${MOST_WORKERS}.`,
        fixes: [rules.replace(`Change to ${MOST_WORKERS}`, count, `${MOST_WORKERS}`)],
      };
    }
  },
);

export const blockSize = propolisCheck(
  { code: 'propolis-block-size', severity: 'error', title: 'A block size that the disk cannot have' },
  function* (rules) {
    const underNvme = new Set(
      rules.devices
        .filter(({ table }) => textOf(table, 'driver')?.value === 'pci-nvme')
        .map(({ table }) => textOf(table, 'block_dev')?.value),
    );
    for (const { name, table } of usedOf(rules)) {
      const type = textOf(table, 'type')?.value ?? '';
      if (type === 'cloudinit' || !Object.hasOwn(BLOCK_TYPES, type)) continue;
      const block = integerAt(table, 'block_size');
      yield* sizeFindings(rules, table, type, block);
      if (!block || block.value <= 0n || (block.value & (block.value - 1n)) === 0n || !underNvme.has(name))
        continue;
      yield {
        at: rules.at(block),
        severity: 'warning',
        message: `NVMe tells the guest the block size as a power of two, and ${block.value} is none: the guest takes blocks of ${block.value & -block.value} bytes, and its requests go to other places of the disk.`,
      };
    }
  },
);

function* sizeFindings(
  rules: PropolisRules,
  table: ConfigNode,
  type: string,
  block: ReturnType<typeof integerAt>,
): Generator<Found> {
  if (block?.value === 0n && (type === 'file' || type === 'crucible-mem')) {
    yield {
      at: rules.at(block),
      message: 'The length of the disk is divided by a block size of 0: propolis-standalone panics.',
    };
    return;
  }
  const size = type === 'mem-async' ? integerAt(table, 'size') : null;
  const unit = block?.value ?? DEFAULT_BLOCK_SIZE;
  if (!size || size.value <= 0n || (unit > 0n && size.value % unit === 0n)) return;
  yield {
    at: rules.at(size),
    message: `${size.value} bytes are no multiple of the block size, ${unit}: propolis-standalone panics with "not multiple of block size".`,
    ...(block ? { related: [rules.related(block, 'The block size')] } : {}),
  };
}
