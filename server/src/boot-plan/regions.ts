/** Regions of a plan: three ways to write a range, of which only `last` is closed. */
import { formatSize, formatSizeExact, hex } from '../address/format';
import { ADDRESS_SPACE_END, fromClosed, fromLength, PAGE, type AddressRange } from '../address/range';
import { REGION_KINDS } from '../machine/machine';
import type { Fix } from '../text/finding';
import type { ConfigKey, ObjectNode } from '../text/shape/node';
import type { PlannedRegion } from './plan';
import type { PlanReader, Read } from './reader';

const STARTS = ['base', 'start'] as const;
const ENDS = ['size', 'end', 'last'] as const;

interface Bound extends Read<bigint> {
  readonly key: ConfigKey;
}

export function readRegions(reader: PlanReader, root: ObjectNode): PlannedRegion[] {
  return reader.tables(root, 'region').flatMap((table) => {
    const kind = reader.word(table, 'kind', REGION_KINDS);
    const range = rangeOf(reader, table);
    if (!kind || !range) return [];
    const name = reader.text(table, 'name')?.value ?? kind;
    const permissions = reader.text(table, 'permissions')?.value ?? null;
    return [
      {
        range,
        kind,
        name,
        permissions: permissions !== null && /^[r-][w-][x-]$/.test(permissions) ? permissions : null,
        at: reader.at(table),
      },
    ];
  });
}

function rangeOf(reader: PlanReader, table: ObjectNode): AddressRange | null {
  const start = onlyOne(reader, table, STARTS);
  const end = onlyOne(reader, table, ENDS);
  if (!start || !end) return null;
  const from = start.value;
  switch (end.key.text) {
    case 'size': {
      if (end.value === 0n)
        return wrong(reader, end, `The size is 0, so there is no region at ${hex(from)}.`);
      const range = fromLength(from, end.value);
      if (range.end > ADDRESS_SPACE_END) {
        return wrong(
          reader,
          end,
          `${hex(from)} and ${formatSizeExact(end.value)} end at ${hex(range.end)}, beyond the 64-bit address space.`,
        );
      }
      if (from % PAGE === 0n && range.end > PAGE) oddSize(reader, end);
      return range;
    }
    case 'end': {
      if (end.value === from) {
        return wrong(
          reader,
          end,
          `The end is the start, ${hex(from)}, so there is no region: \`end\` is the first address after it.`,
        );
      }
      if (end.value < from)
        return wrong(reader, end, `The end ${hex(end.value)} lies below the start ${hex(from)}.`);
      if (from % PAGE === 0n && end.value % PAGE === PAGE - 1n) closedEnd(reader, end);
      return { start: from, end: end.value };
    }
    default: {
      if (end.value < from)
        return wrong(reader, end, `The last byte ${hex(end.value)} lies below the start ${hex(from)}.`);
      if (from % PAGE === 0n && end.value % PAGE === 0n && end.value > from) openEnd(reader, end);
      return fromClosed(from, end.value);
    }
  }
}

function wrong(reader: PlanReader, at: Bound, message: string): null {
  reader.problem('boot-plan-region', at.node, message);
  return null;
}

/** The value of the only one of these keys; tells where none or more than one is there. */
function onlyOne(reader: PlanReader, table: ObjectNode, keys: readonly string[]): Bound | null {
  const found = keys.flatMap((key) => reader.member(table, key) ?? []);
  const [first, second] = found;
  if (!first) {
    const opening = { start: table.start, end: Math.min(table.start + 1, table.end) };
    const list = keys.map((key) => `\`${key}\``).join(keys.length === 2 ? ' or ' : ', ');
    reader.problem('boot-plan-region', opening, `A region needs one of ${list}: it has none of them.`);
    return null;
  }
  if (second) {
    reader.problem(
      'boot-plan-region',
      second.key,
      `\`${first.key.text}\` and \`${second.key.text}\` both say where the region ${keys === STARTS ? 'starts' : 'ends'}: one of them is enough, and two may contradict each other.`,
      { related: [{ at: reader.at(first.key), message: 'The other one is here.' }] },
    );
    return null;
  }
  const value = reader.number(table, first.key.text, first.key.text === 'end');
  return value && { ...value, key: first.key };
}

/** `end = 0x9ffff`. */
function closedEnd(reader: PlanReader, end: Bound): void {
  const { value } = end;
  reader.problem(
    'boot-plan-closed-end',
    end.node,
    `\`end\` is the first address after the region, so the byte at ${hex(value)} is not in it and its last page is cut short. If ${hex(value)} is the last byte, as in closed maps like /proc/iomem, the key is \`last\`.`,
    { fixes: [rename(reader, end.key, 'last'), retype(end, value + 1n)] },
  );
}

/** `last = 0xa0000`. */
function openEnd(reader: PlanReader, last: Bound): void {
  const { value } = last;
  reader.problem(
    'boot-plan-closed-end',
    last.node,
    `\`last\` is the last byte of the region, so it ends with one byte of the page at ${hex(value)}. If ${hex(value)} is the first address after it, the key is \`end\`.`,
    { fixes: [rename(reader, last.key, 'end'), retype(last, value - 1n)] },
  );
}

/** `size = 0x9ffff`, the last byte of a region of 640 KiB that begins at 0; or a byte more than whole pages. */
function oddSize(reader: PlanReader, size: Bound): void {
  const rest = size.value % PAGE;
  if (rest !== 1n && rest !== PAGE - 1n) return;
  const [what, whole] = rest === 1n ? ['more than', size.value - 1n] : ['less than', size.value + 1n];
  reader.problem(
    'boot-plan-closed-end',
    size.node,
    `The size ${hex(size.value)} is one byte ${what} whole pages (${formatSize(whole)}), as it comes of a last byte that is taken for an end, or the other way round. Memory is mapped in whole pages.`,
    { fixes: [retype(size, whole)] },
  );
}

function rename(reader: PlanReader, key: ConfigKey, word: string): Fix {
  return {
    title: `Change \`${key.text}\` to \`${word}\``,
    edits: [{ ...reader.at(key), newText: word }],
  };
}

function retype(bound: Bound, value: bigint): Fix {
  const written = value < 1n << 63n ? hex(value) : `"${hex(value)}"`;
  return {
    title: `Change ${hex(bound.value)} to ${hex(value)}`,
    edits: [{ ...bound.at, newText: written }],
  };
}
