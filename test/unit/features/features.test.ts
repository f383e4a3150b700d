import { strict as assert } from 'node:assert';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runChecks } from '../../../server/src/checks/catalogue';
import { codeActions, fixAllEdits, type CodeActionQuery } from '../../../server/src/features/codeActions';
import { codeLenses } from '../../../server/src/features/codeLenses';
import { completionItems } from '../../../server/src/features/completion';
import { diagnosticsIn, diagnosticsOf, pageOf } from '../../../server/src/features/diagnostics';
import { documentLinks, resolvePath } from '../../../server/src/features/documentLinks';
import { documentSymbols } from '../../../server/src/features/documentSymbols';
import { foldingRanges } from '../../../server/src/features/folding';
import { inlayHints } from '../../../server/src/features/inlayHints';
import { machineAtPosition, wireMachines } from '../../../server/src/features/layout';
import { definition, references } from '../../../server/src/features/namedSymbols';
import { FINDING_SEVERITY } from '../../../server/src/simulation/outcomeSeverity';
import { VMM_MODELS } from '../../../server/src/vmm/models';
import type { Document } from '../../../server/src/machine/language';
import { applyEdits, marked } from '../../lsp/markers';
import { parseToy, toy, TOY_URI } from './toyLanguage';

const EVERYTHING = { start: { line: 0, character: 0 }, end: { line: 1e6, character: 0 } };
const LAYOUT = [
  '# toy',
  'machine a',
  '  0x0..0xa0000 ram',
  '  0xa0000..0x100000 mmio',
  '  0x100000..0x10000000000000000 ram',
  'machine b',
].join('\n');

function query(document: Document, at: Partial<CodeActionQuery> = {}): CodeActionQuery {
  return {
    range: EVERYTHING,
    diagnostics: diagnosticsOf(document, document.problems),
    only: undefined,
    ...at,
  };
}

test('a diagnostic has the range, the code and a link to the page of its code', () => {
  const { text, expected } = marked('# toy\nmachine tyop\n        ^^^^ toy-typo');
  const document = parseToy(text);
  const [diagnostic, ...rest] = diagnosticsOf(document, document.problems);
  assert.deepEqual(rest, []);
  assert.deepEqual([diagnostic?.range, diagnostic?.code], [expected[0]?.range, 'toy-typo']);
  assert.match(diagnostic?.codeDescription?.href ?? '', /^https:.*\/docs\/checks\/toy-typo\.md$/);
  assert.equal(diagnostic?.severity, 2);
});

test('columns count UTF-16 units', () => {
  const document = parseToy('# toy\n🦬🦬 tyop');
  assert.deepEqual(diagnosticsOf(document, document.problems)[0]?.range, {
    start: { line: 1, character: 5 },
    end: { line: 1, character: 9 },
  });
});

test('a finding in an included file is shown at the include, with a link to the place', () => {
  const { text, expected } = marked('# toy\nmachine a\ninclude part.toy\n        ^^^^^^^^ include');
  const part = 'file:///project/part.toy';
  const document = parseToy(text, new Map([[part, 'ok\n tyop']]));
  const [shown] = diagnosticsOf(document, document.problems);
  assert.deepEqual(shown?.range, expected[0]?.range);
  const place = shown?.relatedInformation?.[0]?.location;
  assert.deepEqual([place?.uri, place?.range.start], [part, { line: 1, character: 1 }]);
  assert.deepEqual(diagnosticsIn(part, document.problems)[0]?.range.start, { line: 1, character: 1 });
  assert.deepEqual(diagnosticsIn(TOY_URI, document.problems), []);
});

test('a quick fix belongs to the diagnostic of its code and range, and gives the text that it promises', () => {
  const { text, cursor } = marked('# toy\nty$0op tyop');
  const document = parseToy(text);
  const range = { start: cursor!, end: cursor! };
  const [action, ...rest] = codeActions(
    document,
    document.problems,
    query(document, { range, diagnostics: [] }),
  );
  assert.deepEqual(
    rest.map(({ title }) => title),
    ['Silence toy-typo on this line', 'Bootpath: apply all certain fixes'],
  );
  assert.equal(applyEdits(text, action!.edit!.changes![TOY_URI]!), '# toy\ntypo tyop');
  const all = codeActions(document, document.problems, query(document, { range }))[0];
  assert.equal(all?.diagnostics?.[0]?.code, 'toy-typo');
  assert.equal(all?.isPreferred, true);
});

test('a comment that silences a finding is one that the checks read', () => {
  const text = '# toy\nmachine tyop';
  const document = parseToy(text);
  const actions = codeActions(document, document.problems, query(document, { only: ['quickfix'] }));
  const silenced = applyEdits(text, actions[1]!.edit!.changes![TOY_URI]!);
  assert.equal(silenced, '# toy\nmachine tyop # bootpath-disable-line toy-typo');
  assert.deepEqual(runChecks(parseToy(silenced)), []);
});

test('fix all applies every certain fix once', () => {
  const text = '# toy\ntyop tyop\ntyop';
  const document = parseToy(text);
  const [action, ...rest] = codeActions(
    document,
    document.problems,
    query(document, { only: ['source.fixAll'] }),
  );
  assert.deepEqual(rest, []);
  assert.equal(applyEdits(text, action!.edit!.changes![TOY_URI]!), '# toy\ntypo typo\ntypo');
  assert.deepEqual(codeActions(document, document.problems, query(document, { only: ['refactor'] })), []);
});

test('of certain fixes that overlap, and of two insertions at one place, the first stays', () => {
  const fix = (start: number, end: number, newText: string) => ({
    code: 'x',
    severity: 'error' as const,
    message: '',
    at: null,
    fixes: [
      {
        title: newText,
        preferred: true,
        edits: [
          {
            uri: TOY_URI,
            range: { start: { line: 0, character: start }, end: { line: 0, character: end } },
            newText,
          },
        ],
      },
    ],
  });
  const kept = fixAllEdits([
    fix(4, 4, 'third'),
    fix(0, 3, 'first'),
    fix(2, 4, 'second'),
    fix(4, 4, 'fourth'),
  ]);
  assert.deepEqual(
    kept.map(({ newText }) => newText),
    ['first', 'third'],
  );
});

test('each machine has three lenses on its name, and a fourth that says how its last boot ended', () => {
  const document = parseToy(LAYOUT);
  const titles = (outcomes: Parameters<typeof codeLenses>[1]) =>
    codeLenses(document, outcomes).map(({ range, command }) => `${range.start.line} ${command?.title}`);
  assert.deepEqual(titles(new Map()), [
    '1 ▶ Simulate boot',
    '1 as…',
    '1 Show address space',
    '5 ▶ Simulate boot',
    '5 as…',
    '5 Show address space',
  ]);
  assert.deepEqual(titles(new Map([['a', { summary: 'reset', stale: true }]])).slice(0, 4), [
    '1 ▶ Simulate boot',
    '1 as…',
    '1 Show address space',
    '1 reset (before the last edit)',
  ]);
  assert.deepEqual(codeLenses(document, new Map())[0]?.command?.arguments, [TOY_URI, 'a']);
});

test('an inlay hint says end, size and kind after the line, as far as the settings ask', () => {
  const document = parseToy(LAYOUT);
  const all = inlayHints(document, EVERYTHING, { end: true, size: true, kind: true });
  assert.equal(all[0]?.label, '→ 0xa0000 · 640 KiB · ram');
  assert.equal(all[1]?.label, '→ 0x100000 · 384 KiB · mmio');
  assert.deepEqual(all[0]?.position, { line: 2, character: '  0x0..0xa0000 ram'.length });
  const sizes = inlayHints(document, EVERYTHING, { end: false, size: true, kind: false });
  assert.equal(sizes[1]?.label, '384 KiB');
  assert.deepEqual(inlayHints(document, EVERYTHING, { end: false, size: false, kind: false }), []);
});

test('inlay hints are computed for the visible lines only', () => {
  const document = parseToy(LAYOUT);
  const visible = { start: { line: 3, character: 0 }, end: { line: 3, character: 4 } };
  const hints = inlayHints(document, visible, { end: true, size: true, kind: true });
  assert.deepEqual(
    hints.map(({ position }) => position.line),
    [3],
  );
});

test('the outline is capped, and says so', () => {
  const document = parseToy(['# toy', ...Array.from({ length: 10 }, (_, i) => `machine m${i}`)].join('\n'));
  const { symbols, dropped } = documentSymbols(document, 4);
  assert.deepEqual(
    symbols.map(({ name }) => name),
    ['m0', 'm1', 'm2', 'm3', '… 6 more are not listed (limit 4)'],
  );
  assert.equal(dropped, 6);
});

test('runs of comments fold, single ones do not', () => {
  const document = parseToy('# toy\n# two\nmachine a\n# one');
  assert.deepEqual(foldingRanges(document), [{ startLine: 0, endLine: 1, kind: 'comment' }]);
});

test('definition and references lead both ways', () => {
  const { text, cursor } = marked('# toy\nuse fw\nmachine fw\nuse f$0w');
  const document = parseToy(text);
  assert.deepEqual(definition(document, cursor!)?.range.start, { line: 2, character: 8 });
  const lines = (withDefinition: boolean) =>
    references(document, cursor!, withDefinition).map(({ range }) => range.start.line);
  assert.deepEqual(lines(false), [1, 3]);
  assert.deepEqual(lines(true), [2, 1, 3]);
  assert.equal(definition(document, { line: 0, character: 0 }), null);
});

for (const [path, from, target] of [
  ['part.conf', 'file:///etc/vm.conf', 'file:///etc/part.conf'],
  ['../a b.conf', 'file:///etc/x/vm.conf', 'file:///etc/a%20b.conf'],
  ['/bsd.rd', 'file:///etc/vm.conf', 'file:///bsd.rd'],
  ['/bsd.rd', 'untitled:Untitled-1', 'file:///bsd.rd'],
  ['bsd.rd', 'untitled:Untitled-1', null],
  ['', 'file:///etc/vm.conf', null],
  ['a\0b', 'file:///etc/vm.conf', null],
  ['x', 'no uri', null],
] as const) {
  test(`the path ${JSON.stringify(path)} in ${from} leads to ${target}`, () => {
    assert.equal(resolvePath(path, from), target);
  });
}

test('a path in the text is a link', () => {
  const { text, expected } = marked('# toy\ninclude part.toy\n        ^^^^^^^^ link');
  assert.deepEqual(documentLinks(parseToy(text)), [
    { range: expected[0]?.range, target: 'file:///project/part.toy' },
  ]);
});

test('snippets are left out for a client that cannot take them', () => {
  const document = parseToy('# toy');
  const suggestions = toy.complete!(document, { line: 0, character: 5 });
  assert.deepEqual(
    completionItems(suggestions, false).map(({ label }) => label),
    ['machine'],
  );
  const snippet = completionItems(suggestions, true)[1];
  assert.equal(snippet?.insertTextFormat, 2);
});

test('the layout has addresses as hex strings, the end of the address space included', () => {
  const [machine] = wireMachines(parseToy(LAYOUT));
  assert.deepEqual(
    machine?.regions.map(({ start, end }) => [start, end]),
    [
      ['0x0', '0xa0000'],
      ['0xa0000', '0x100000'],
      ['0x100000', '0x10000000000000000'],
    ],
  );
  assert.equal(machine?.vmm, 'toy@2');
});

for (const [line, expected] of [
  [0, null],
  [1, ['a', []]],
  [3, ['a', [1]]],
  [5, ['b', []]],
] as const) {
  test(`line ${line} belongs to ${JSON.stringify(expected)}`, () => {
    const found = machineAtPosition(parseToy(LAYOUT), { line, character: 0 });
    assert.deepEqual(found && [found.machine.name, found.selected], expected);
  });
}

test('every finding of a boot and every known issue that a boot shows links to a page that exists', () => {
  const codes = [
    ...Object.keys(FINDING_SEVERITY).map((outcome) => `boot-${outcome}`),
    ...VMM_MODELS.flatMap(({ knownIssues }) => knownIssues.map(({ id }) => id)),
  ];
  const missing = codes.filter((code) => {
    const path = /\/main\/(.+)$/.exec(pageOf(code))![1]!;
    return !existsSync(join(process.env.BOOTPATH_ROOT!, path));
  });
  assert.deepEqual(missing, []);
  assert.match(pageOf('illumos-13253'), /docs\/checks\//, 'the page of its check');
});
