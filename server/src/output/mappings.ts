/** Where linear addresses lead, as `layout` prints it beside or in the place of an address space. */
import { formatRange, formatSize, hex } from '../address/format';
import { sizeOf } from '../address/range';
import type { Mapping } from '../machine/mapping';
import { placeJson, type PathOf } from './place';

/** Lines of a text: a table of more is for `--format json`. */
const MOST_LINES = 200;

/** `uw-`: user, writable, executable; `?` where the source does not say. */
function rightsText({ user, writable, executable }: Mapping): string {
  return `${user ? 'u' : '-'}${writable ? 'w' : '-'}${executable === null ? '?' : executable ? 'x' : '-'}`;
}

/** The half-open linear range, how large it is, where it leads and by pages of which size. */
function mappingWords(mapping: Mapping): string {
  const { linear, physical, pageSize, readOnlyAbove } = mapping;
  const leads = physical === null ? '' : ` to ${hex(physical)}`;
  const pages = pageSize === null ? '' : ` by pages of ${formatSize(pageSize)}`;
  const above = readOnlyAbove ? `, read-only by its ${readOnlyAbove.level}` : '';
  return `${formatRange(linear)}${leads}, ${formatSize(sizeOf(linear))}${pages}${above}`;
}

/** One line a mapping, with its place. */
export function mappingsText(mappings: readonly Mapping[], pathOf: PathOf): string {
  const lines = mappings.slice(0, MOST_LINES).map((mapping) => {
    const { file, line } = placeJson(mapping.at, pathOf);
    return `  ${rightsText(mapping)}  ${mappingWords(mapping)}${file === null ? '' : `  ${file}:${line}`}`;
  });
  const more = mappings.length - lines.length;
  return [
    'linear addresses (u user, w writable, x executable)',
    ...lines,
    ...(more > 0 ? [`  and ${more} more`] : []),
  ].join('\n');
}

export function mappingJson(mapping: Mapping, pathOf: PathOf): object {
  const { linear, physical, pageSize, user, writable, executable, readOnlyAbove, at } = mapping;
  const { file, line, column } = placeJson(at, pathOf);
  return {
    start: hex(linear.start),
    end: hex(linear.end),
    physical: physical === null ? null : hex(physical),
    pageSize: pageSize === null ? null : hex(pageSize),
    user,
    writable,
    executable,
    ...(readOnlyAbove ? { readOnlyAbove: readOnlyAbove.level } : {}),
    file,
    line,
    column,
  };
}
