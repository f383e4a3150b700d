/** A language of four words, so that features are tested apart from any real format. */
import { resolvePath } from '../../../server/src/features/documentLinks';
import type {
  Document,
  Language,
  NamedSymbol,
  OutlineNode,
  ParseContext,
  PathLink,
} from '../../../server/src/machine/language';
import type { Machine, Region, RegionKind } from '../../../server/src/machine/machine';
import { sortRegions } from '../../../server/src/machine/machine';
import { fromText } from '../../../server/src/machine/origin';
import type { Finding } from '../../../server/src/text/finding';
import type { SourceRange } from '../../../server/src/text/position';
import { SourceText } from '../../../server/src/text/sourceText';

interface Draft {
  readonly name: string;
  readonly at: SourceRange;
  readonly nameAt: SourceRange;
  readonly regions: Region[];
}

class Parse {
  readonly machines: Draft[] = [];
  readonly problems: Finding[] = [];
  readonly outline: OutlineNode[] = [];
  readonly links: PathLink[] = [];
  readonly wanted: string[] = [];
  readonly read: string[] = [];
  readonly included: SourceText[] = [];
  readonly uses: { name: string; at: SourceRange }[] = [];

  constructor(
    readonly root: SourceText,
    readonly context: ParseContext,
  ) {}

  text(source: SourceText): void {
    this.read.push(source.uri);
    if (source !== this.root) this.included.push(source);
    let offset = 0;
    for (const line of source.text.split('\n')) {
      this.line(source, line.replace(/\r$/, ''), offset);
      offset += line.length + 1;
    }
  }

  private line(source: SourceText, line: string, offset: number): void {
    const word = (text: string) =>
      source.at(offset + line.indexOf(text), offset + line.indexOf(text) + text.length);
    const whole = source.at(offset, offset + line.length);
    const own = source === this.root;
    const machine = /^machine (\S+)/.exec(line);
    if (machine) {
      const nameAt = word(machine[1]!);
      this.machines.push({ name: machine[1]!, at: whole, nameAt, regions: [] });
      if (own) {
        const outline = { name: machine[1]!, detail: 'machine', kind: 'machine' as const, children: [] };
        this.outline.push({ ...outline, range: whole.range, nameRange: nameAt.range });
      }
    }
    const region = /(0x[0-9a-f]+)\.\.(0x[0-9a-f]+) (\w+)/.exec(line);
    if (region) {
      this.machines.at(-1)?.regions.push({
        range: { start: BigInt(region[1]!), end: BigInt(region[2]!) },
        kind: region[3] as RegionKind,
        name: region[3]!,
        permissions: null,
        reason: 'The text says so.',
        origin: fromText(whole),
        at: whole,
      });
    }
    const include = /^include (\S+)/.exec(line);
    if (include) this.include(source, include[1]!, word(include[1]!), own);
    const use = /^use (\S+)/.exec(line);
    if (use) this.uses.push({ name: use[1]!, at: word(use[1]!) });
    for (const typo of line.matchAll(/tyop/g)) {
      const at = source.at(offset + typo.index, offset + typo.index + 4);
      this.problems.push({
        code: 'toy-typo',
        severity: 'warning',
        message: 'This is spelt "typo".',
        at,
        fixes: [{ title: 'Spell it "typo"', edits: [{ ...at, newText: 'typo' }], preferred: true }],
      });
    }
  }

  private include(source: SourceText, path: string, at: SourceRange, own: boolean): void {
    const uri = resolvePath(path, source.uri)!;
    if (own) {
      this.links.push({ range: at.range, path });
      const node = { name: path, detail: 'include', kind: 'include' as const, children: [] };
      this.outline.push({ ...node, range: at.range, nameRange: at.range });
    }
    const text = this.context.files.get(uri);
    if (text === undefined) this.wanted.push(uri);
    else if (!this.read.includes(uri)) this.text(new SourceText(uri, text));
  }

  document(): Document {
    const { choice } = this.context;
    const version = choice?.version ?? '2';
    const machines = this.machines.map(({ name, at, nameAt, regions }): Machine => ({
      name,
      vmm: 'toy',
      version,
      memory: null,
      vcpus: { value: 1, origin: fromText(at) },
      regions: sortRegions(regions),
      images: [],
      at,
      nameAt,
    }));
    const symbols = machines.map(({ name, nameAt }): NamedSymbol => ({
      name,
      kind: 'machine',
      definition: nameAt,
      references: this.uses.filter((use) => use.name === name).map(({ at }) => at),
    }));
    return {
      source: this.root,
      language: 'vmconf',
      choice: { vmm: 'toy', version },
      choiceReason: choice ? 'asked' : 'newest',
      machines,
      problems: this.problems,
      outline: this.outline,
      symbols,
      links: this.links,
      wanted: this.wanted,
      read: this.read,
      included: this.included,
    };
  }
}

export const toy: Language = {
  kind: 'vmconf',
  vmm: 'toy',
  recognise: (text) => text.startsWith('# toy'),
  parse(source, context) {
    const parse = new Parse(source, context);
    parse.text(source);
    return parse.document();
  },
  describe(document, position) {
    const line = document.source.lines.lineText(position.line);
    if (!line.startsWith('machine') || position.character > 7) return null;
    const end = { line: position.line, character: 7 };
    return { range: { start: { line: position.line, character: 0 }, end }, markdown: '**machine** NAME' };
  },
  complete: (_document, position) => [
    {
      label: 'machine',
      detail: 'a guest',
      markdown: '',
      kind: 'keyword',
      insert: 'machine',
      range: { start: position, end: position },
    },
    {
      label: 'guest',
      detail: '',
      markdown: 'A whole one.',
      kind: 'snippet',
      insert: 'machine ${1:name}',
      range: { start: position, end: position },
    },
  ],
};

export const TOY_URI = 'file:///project/main.toy';

/** Parses a toy text without its includes. */
export function parseToy(text: string, files: ReadonlyMap<string, string> = new Map()): Document {
  return toy.parse(new SourceText(TOY_URI, text), { files });
}
