/** Completions: what may stand at a place of a vm.conf. */
import type { Suggestion } from '../../machine/language';
import { PRAGMA_LINES } from '../../text/pragma';
import type { Position, TextRange } from '../../text/position';
import type { VmConfDocument } from './document';
import type { Token } from './lexer';
import { rawTokens } from './rawTokens';
import { VMD_VERSIONS } from './versions';
import { wordOf, wordsAt, type Place } from './vocabulary';

type Block = 'top' | 'vm' | 'switch' | 'interface' | 'instance';

/** What stands before the cursor. */
interface Context {
  readonly block: Block;
  /** Words of the statement or option before the one that is being typed. */
  readonly before: readonly Token[];
  /** The word under the cursor, null between words. */
  readonly typed: Token | null;
}

/** Suggestions for a position; none inside comments. */
export function completeAt(document: VmConfDocument, position: Position): Suggestion[] {
  const { source } = document;
  const offset = source.lines.offsetAt(position);
  const lineStart = offset - position.character;
  const lineBefore = source.text.slice(Math.max(lineStart, offset - 400), offset);
  const pragma = /^\s*#\s*bootpath:\s*(\S*)$/.exec(lineBefore);
  if (pragma && position.line < PRAGMA_LINES) {
    return versions(source.lines.rangeAt(offset - pragma[1]!.length, offset));
  }
  const context = contextAt(document, offset);
  if (!context) return [];
  return suggest(document, context, typedRange(document, context.typed, offset));
}

function typedRange({ source }: VmConfDocument, typed: Token | null, offset: number): TextRange {
  if (!typed) return source.lines.rangeAt(offset, offset);
  const closed = typed.quoted && typed.end - typed.start > 1 && '"\''.includes(source.text[typed.end - 1]!);
  return source.lines.rangeAt(typed.start, typed.quoted && !closed ? offset : typed.end);
}

/** Null where the cursor is in a comment. */
function contextAt({ source }: VmConfDocument, offset: number): Context | null {
  const blocks: Block[] = ['top'];
  let before: Token[] = [];
  let typed: Token | null = null;
  let last = 0;
  for (const token of rawTokens(source, offset)) {
    if (token.start === offset && token.kind !== 'macro') break;
    typed = token.end >= offset && token.kind !== 'newline' && token.kind !== 'punctuation' ? token : null;
    if (typed) break;
    last = token.end;
    if (token.kind === 'newline') before = [];
    else if (token.text === '{' && token.kind === 'punctuation') {
      blocks.push(opened(blocks[blocks.length - 1]!, before));
      before = [];
    } else if (token.text === '}' && token.kind === 'punctuation') {
      if (blocks.length > 1) blocks.pop();
      before = [];
    } else if (token.text === ',' && blocks[blocks.length - 1] === 'instance') before = [];
    else before.push(token);
  }
  const gap = source.text.slice(last, typed ? typed.start : offset);
  if (gap.includes('#')) return null;
  return { block: blocks[blocks.length - 1]!, before, typed };
}

function opened(outer: Block, before: readonly Token[]): Block {
  const words = new Set(before.filter(({ kind }) => kind === 'keyword').map(({ text }) => text));
  if (outer === 'top') return words.has('switch') ? 'switch' : 'vm';
  if (words.has('allow')) return 'instance';
  return words.has('interface') ? 'interface' : outer;
}

function suggest(
  document: VmConfDocument,
  { block, before, typed }: Context,
  range: TextRange,
): Suggestion[] {
  const last = before.at(-1);
  const keyword = last?.kind === 'keyword' ? last.text : null;
  if (typed?.kind === 'macro') return macros(document, range);
  if (keyword === 'switch' && (block === 'vm' || block === 'interface')) return switchNames(document, range);
  if (keyword === 'format') return values(['raw', 'qcow2'], 'disk image format', range);
  if (keyword === 'locked') return words(['lladdr'], range);
  if (last === undefined) {
    return [...places(block, range), ...(block === 'top' ? blockSnippets(range) : [])];
  }
  switch (block) {
    case 'top':
      return afterTopWord(document, before, range);
    case 'vm':
      return afterVmWord(document, before, range);
    case 'switch':
      return keyword === 'interface' ? values(['bridge0', 'veb0'], 'an interface of the host', range) : [];
    case 'interface':
      return takesName(keyword) ? macros(document, range) : places('interface', range);
    case 'instance':
      return [];
  }
}

function takesName(keyword: string | null): boolean {
  return keyword === 'group' || keyword === 'lladdr' || keyword === 'rdomain';
}

function afterTopWord(document: VmConfDocument, before: readonly Token[], range: TextRange): Suggestion[] {
  const [first] = before;
  const last = before.at(-1)!;
  switch (first!.kind === 'keyword' ? first!.text : '') {
    case 'local':
      return before.length === 1
        ? words(['prefix', 'inet6'], range)
        : last.text === 'inet6'
          ? words(['prefix'], range)
          : [];
    case 'socket':
      return before.length === 1 ? words(['owner'], range) : [];
    case 'agentx':
      return last.text === 'context' || last.text === 'path' ? [] : places('agentx', range);
    case 'staggered': {
      const next = (['staggered', 'start', 'parallel', 'delay'] as const).filter(
        (word) => !before.some(({ text }) => text === word),
      );
      return last.kind === 'keyword' && last.text !== 'staggered' && last.text !== 'start'
        ? []
        : words(next.slice(0, 1), range);
    }
    case 'vm':
      if (before.length === 1) return machines(document, range);
      return before.some(({ text, kind }) => kind === 'keyword' && text === 'instance')
        ? []
        : words(['instance'], range);
    case 'include':
      return macros(document, range);
    default:
      return [];
  }
}

function afterVmWord(document: VmConfDocument, before: readonly Token[], range: TextRange): Suggestion[] {
  const [first, second] = before;
  const last = before.at(-1)!;
  switch (first!.kind === 'keyword' ? first!.text : '') {
    case 'memory':
      return before.length === 1
        ? [...values(['512M', '1G', '2G', '4G', '8G'], 'memory size', range), ...macros(document, range)]
        : [];
    case 'boot':
      if (second?.text === 'device') return before.length === 2 ? places('boot-device', range) : [];
      return before.length === 1 ? [...words(['device'], range), ...macros(document, range)] : [];
    case 'disk':
      if (before.length === 1) return macros(document, range);
      return before.some(({ text, kind }) => kind === 'keyword' && text === 'format')
        ? []
        : words(['format'], range);
    case 'cdrom':
      return before.length === 1 ? macros(document, range) : [];
    case 'interfaces':
      return before.length === 1 ? values(['1', '2', '3', '4'], 'least number of interfaces', range) : [];
    case 'local':
      if (before.length === 1) return words(['interface'], range);
      return takesName(last.text) ? [] : places('interface', range);
    case 'interface':
      if (takesName(last.kind === 'keyword' ? last.text : null)) return [];
      return [
        ...places('interface', range),
        ...(before.length === 1 ? values(['tap'], 'the next free tap(4)', range) : []),
      ];
    case 'allow':
      return before.length === 1
        ? words(['instance'], range)
        : before.length === 2
          ? places('instance', range)
          : [];
    default:
      return [];
  }
}

function places(place: Place, range: TextRange): Suggestion[] {
  return words(
    wordsAt(place).map(({ word }) => word),
    range,
  );
}

function words(list: readonly string[], range: TextRange): Suggestion[] {
  return list.map((word) => {
    const entry = wordOf(word);
    return {
      label: word,
      detail: entry?.usage ?? '',
      markdown: entry?.text ?? '',
      kind: 'keyword',
      insert: word,
      range,
    };
  });
}

function values(list: readonly string[], detail: string, range: TextRange): Suggestion[] {
  return list.map((label) => ({ label, detail, markdown: '', kind: 'value', insert: label, range }));
}

function macros({ config }: VmConfDocument, range: TextRange): Suggestion[] {
  const latest = new Map(config.syntax.macros.map(({ name, value }) => [name, value]));
  return [...latest].map(([name, value]) => ({
    label: `$${name}`,
    detail: value,
    markdown: `Macro \`${name}\``,
    kind: 'macro',
    insert: `$${name}`,
    range,
  }));
}

function switchNames({ config }: VmConfDocument, range: TextRange): Suggestion[] {
  return config.switches.map(({ name, block }) => {
    const on = block.options.find((option) => option.kind === 'interface');
    const detail = on?.kind === 'interface' ? `on ${on.name.text}` : '';
    return { label: name, detail, markdown: '', kind: 'switch', insert: `"${name}"`, range };
  });
}

function machines({ config }: VmConfDocument, range: TextRange): Suggestion[] {
  return config.vms.map(({ name }) => ({
    label: name,
    detail: 'parent of an instance',
    markdown: '',
    kind: 'machine',
    insert: `"${name}" instance `,
    range,
  }));
}

function versions(range: TextRange): Suggestion[] {
  return [...VMD_VERSIONS].reverse().map(({ id, title, source }) => ({
    label: `vmd@${id}`,
    detail: title,
    markdown: source,
    kind: 'value',
    insert: `vmd@${id}`,
    range,
  }));
}

function blockSnippets(range: TextRange): Suggestion[] {
  return [
    {
      label: 'vm { … }',
      detail: 'a virtual machine',
      markdown: 'A VM with memory, a disk and a network of its own.',
      kind: 'snippet',
      insert: 'vm "${1:name}" {\n\tmemory ${2:1G}\n\tdisk "${3:/var/vmm/$1.qcow2}"\n\tlocal interface\n}\n',
      range,
    },
    {
      label: 'switch { … }',
      detail: 'a virtual switch',
      markdown: 'A name for a bridge of the host.',
      kind: 'snippet',
      insert: 'switch "${1:uplink}" {\n\tinterface ${2:bridge0}\n}\n',
      range,
    },
  ];
}
