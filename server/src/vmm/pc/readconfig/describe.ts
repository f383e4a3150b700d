/** What a group of a QEMU config file is, for hovers. */
import type { Description, Document } from '../../../machine/language';
import type { Position } from '../../../text/position';
import { isQemuConfigDocument } from './document';
import { OPTION_GROUPS } from './groups';

export function describeQemuConfig(document: Document, position: Position): Description | null {
  if (!isQemuConfigDocument(document)) return null;
  const { source, config } = document;
  const offset = source.lines.offsetAt(position);
  const group = config.groups.find(({ name }) => name.start <= offset && offset <= name.end);
  if (!group || !Object.hasOwn(OPTION_GROUPS, group.name.text)) return null;
  const { text, keys, id } = OPTION_GROUPS[group.name.text]!;
  const lines = [
    `**[${group.name.text}]** ${text}`,
    ...(keys ? [`Keys: ${keys.map((key) => `\`${key}\``).join(', ')}.`] : []),
    ...(id === 'refused' ? ['It has no id: all groups of this name are one.'] : []),
    ...(id === 'needed' ? [`It needs an id: \`[${group.name.text} "id"]\`.`] : []),
  ];
  return { range: source.lines.rangeAt(group.name.start, group.name.end), markdown: lines.join('\n\n') };
}
