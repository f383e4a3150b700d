/** The outline of a plan: its tables in the order of the text, each with what it says in a few words. */
import { formatRange, formatSize } from '../address/format';
import { sizeOf } from '../address/range';
import type { OutlineKind, OutlineNode } from '../machine/language';
import type { TextRange } from '../text/position';
import type { ConfigKey, ConfigNode, ObjectNode } from '../text/shape/node';
import type { SourceText } from '../text/sourceText';
import type { BootPlan } from './plan';

const LONGEST = 80;

export function outlineOf(source: SourceText, tree: ObjectNode, plan: BootPlan): OutlineNode[] {
  const regions = new Map(plan.regions.map((region) => [placeOf(region.at.range), region]));
  const nodes: { readonly start: number; readonly node: OutlineNode }[] = [];
  const add = (key: ConfigKey, value: ConfigNode, name: string, detail: string, kind: OutlineKind): void => {
    const range = source.lines.rangeAt(Math.min(key.start, value.start), Math.max(key.end, value.end));
    const named =
      value.kind === 'object' ? { start: value.start, end: Math.min(value.start + 1, value.end) } : key;
    const nameRange = source.lines.rangeAt(named.start, named.end);
    nodes.push({
      start: Math.min(key.start, value.start),
      node: {
        name: name.slice(0, LONGEST) || '(no name)',
        detail: detail.slice(0, LONGEST),
        kind,
        range,
        nameRange,
        children: [],
      },
    });
  };
  for (const { key, value } of tree.members) {
    if (!value) continue;
    if (value.kind !== 'array') {
      const scalar = 'value' in value ? String(value.value) : '';
      add(key, value, key.text, scalar, value.kind === 'object' ? 'option' : 'machine');
      continue;
    }
    value.items.forEach((item, index) => {
      const region =
        key.text === 'region' ? regions.get(placeOf(source.lines.rangeAt(item.start, item.end))) : undefined;
      if (region) {
        const detail = `${region.kind} ${formatRange(region.range)}, ${formatSize(sizeOf(region.range))}`;
        add({ ...key, start: item.start, end: item.end }, item, region.name, detail, 'region');
      } else {
        add(
          { ...key, start: item.start, end: item.end },
          item,
          `${key.text} ${index}`,
          titleOf(item),
          'option',
        );
      }
    });
  }
  return nodes.sort((a, b) => a.start - b.start).map(({ node }) => node);
}

function placeOf({ start }: TextRange): string {
  return `${start.line}:${start.character}`;
}

const TITLES = ['name', 'kind', 'file', 'linear', 'activity'];

function titleOf(node: ConfigNode): string {
  if (node.kind !== 'object') return '';
  const member = node.members.find(
    ({ key, value }) => TITLES.includes(key.text) && value && 'value' in value,
  );
  return member?.value && 'value' in member.value ? String(member.value.value) : '';
}
