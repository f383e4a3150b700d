/** The outline of a flat config: the guest, and below it its devices with their keys and every other key. */
import { formatSize } from '../../../address/format';
import type { GuestDescription } from '../../../machine/machine';
import type { OutlineNode } from '../../../machine/language';
import type { SourceText } from '../../../text/sourceText';
import type { ConfigValue } from './guest';

const DEVICE = /^(pci\.\d+\.\d+\.\d+|lpc)\./;

export function outlineOf(
  source: SourceText,
  guest: GuestDescription,
  values: ReadonlyMap<string, ConfigValue>,
): OutlineNode[] {
  const groups = new Map<string, { key: string; value: ConfigValue }[]>();
  for (const [key, value] of values) {
    const group = DEVICE.exec(key)?.[1] ?? key;
    const members = groups.get(group) ?? [];
    members.push({ key, value });
    groups.set(group, members);
  }
  const children = [...groups].map(([group, members]): OutlineNode => {
    const nodes = members.map(({ key, value }) => option(source, key, value));
    const only = nodes[0]!;
    if (!DEVICE.test(`${group}.`)) return only;
    const starts = members.map(({ value }) => value.entry.keySpan.start);
    const ends = members.map(({ value }) => value.entry.valueSpan.end);
    return {
      name: group,
      detail: (values.get(`${group}.device`)?.value ?? '').slice(0, 200),
      kind: 'switch',
      range: source.lines.rangeAt(Math.min(...starts), Math.max(...ends)),
      nameRange: only.nameRange,
      children: nodes,
    };
  });
  return [
    {
      name: guest.name.slice(0, 200) || '(no name)',
      detail: guest.memory ? formatSize(guest.memory.value) : '',
      kind: 'machine',
      range: source.lines.rangeAt(0, source.text.length),
      nameRange: guest.nameAt?.range ?? source.lines.rangeAt(0, 0),
      children,
    },
  ];
}

function option(source: SourceText, key: string, { entry, value }: ConfigValue): OutlineNode {
  return {
    name: key.slice(0, 200) || '(no name)',
    detail: value.slice(0, 200),
    kind: 'option',
    range: source.lines.rangeAt(entry.keySpan.start, entry.valueSpan.end),
    nameRange: source.lines.rangeAt(entry.keySpan.start, entry.keySpan.end),
    children: [],
  };
}
