/** Whatever stands in a text, every feature of the service answers. */
import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type * as lsp from 'vscode-languageserver-types';
import { bootpathService as service } from '../../../server/src/service';
import { containsPosition } from '../../../server/src/text/position';
import { SourceText } from '../../../server/src/text/sourceText';

const root = process.env.BOOTPATH_ROOT!;
const folder = (name: string) =>
  readdirSync(join(root, name))
    .filter((file) => /\.(conf|txt|log)$/.test(file))
    .map((file) => readFileSync(join(root, name, file), 'utf8'));
const TEXTS = [
  ...folder('examples/vmd-alpine'),
  ...folder('examples/memory-maps'),
  ...folder('test/fixtures/memory-map'),
];

/** Calls everything that the server calls, at one place; returns how much was said. */
function everything(languageId: string, text: string, line: number, character: number): number {
  const language = service.claim(languageId, text, 'vm.conf')!;
  const document = service.parse(language, new SourceText('file:///etc/vm.conf', text), { files: new Map() });
  const position = { line, character };
  const range = { start: { line: 0, character: 0 }, end: position };
  const findings = service.findings(document);
  const diagnostics = service.diagnostics(document, findings);
  const found = [
    diagnostics,
    service.codeActions(document, findings, { range, diagnostics, only: undefined }),
    service.codeLenses(document, new Map()),
    service.completion(document, position, true),
    service.hover(document, position),
    service.inlayHints(document, range, { end: true, size: true, kind: true }),
    service.documentSymbols(document),
    service.foldingRanges(document),
    service.documentLinks(document),
    service.definition(document, position),
    service.references(document, position, true),
    service.layout(document),
    service.machineAt(document, position),
  ];
  // What goes over the wire must be JSON: a bigint would throw here.
  return JSON.stringify(found).length;
}

const LANGUAGES = service.languages.map(({ kind }) => kind);

test('a text cut off anywhere is answered', () => {
  for (const text of TEXTS) {
    const step = Math.max(1, Math.floor(text.length / 60));
    for (let end = 0; end <= text.length; end += step) {
      const cut = text.slice(0, end);
      const lines = cut.split('\n');
      for (const language of LANGUAGES) {
        assert.ok(everything(language, cut, lines.length - 1, lines.at(-1)!.length) > 0);
      }
    }
  }
});

test('a text with anything typed into it is answered', () => {
  const edit = fc.record({
    language: fc.constantFrom(...LANGUAGES),
    text: fc.constantFrom(...TEXTS),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    removed: fc.nat(40),
    typed: fc.oneof(
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.constantFrom(
        '\0',
        '"',
        '{',
        '}',
        '\\\n',
        '\r',
        '$',
        '0xffffffffffffffff',
        '\ud800',
        'include "x"\n',
      ),
    ),
    line: fc.nat(60),
    character: fc.nat(120),
  });
  fc.assert(
    fc.property(edit, ({ language, text, at, removed, typed, line, character }) => {
      const offset = Math.floor(at * text.length);
      const edited = text.slice(0, offset) + typed + text.slice(offset + removed);
      assert.ok(everything(language, edited, line, character) > 0);
    }),
    { numRuns: 400 },
  );
});

test('every diagnostic, link, symbol and lens lies inside its text, with its start before its end', () => {
  for (const text of TEXTS) {
    for (const kind of LANGUAGES) {
      const language = service.claim(kind, text, 'vm.conf')!;
      const source = new SourceText('file:///etc/vm.conf', text);
      const document = service.parse(language, source, { files: new Map() });
      const ranges = [
        ...service.diagnostics(document, service.findings(document)),
        ...service.documentLinks(document),
        ...service.codeLenses(document, new Map()),
        ...service.documentSymbols(document).symbols,
      ].map(({ range }) => range);
      for (const { start, end } of ranges) {
        assert.ok(end.line < source.lines.lineCount);
        assert.ok(start.line < end.line || (start.line === end.line && start.character <= end.character));
        assert.ok(end.character <= source.lines.lineText(end.line).length + 1);
      }
    }
  }
});

/** VS Code drops a whole outline for one symbol whose name lies outside its range. */
test('every symbol contains its own name', () => {
  const check = (symbols: readonly lsp.DocumentSymbol[]): number =>
    symbols.reduce((sum, { name, range, selectionRange, children }) => {
      assert.ok(containsPosition(range, selectionRange.start), name);
      assert.ok(containsPosition(range, selectionRange.end), name);
      return sum + 1 + check(children ?? []);
    }, 0);
  let checked = 0;
  for (const whole of TEXTS) {
    for (const text of [whole, whole.slice(0, whole.length / 2), whole.replaceAll('}', '')]) {
      for (const kind of LANGUAGES) {
        const language = service.claim(kind, text, 'vm.conf')!;
        const source = new SourceText('file:///etc/vm.conf', text);
        checked += check(
          service.documentSymbols(service.parse(language, source, { files: new Map() })).symbols,
        );
      }
    }
  }
  assert.ok(checked > 20);
});
