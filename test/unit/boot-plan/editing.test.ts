/** Completion and hover in boot plans, at a cursor that is written as `|`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { completeBootPlan } from '../../../server/src/boot-plan/completion';
import { describe } from '../../../server/src/boot-plan/describe';
import { bootpathService } from '../../../server/src/service';
import { read, written, URI } from './read';

function at(marked: string) {
  const offset = marked.indexOf('|');
  const text = marked.slice(0, offset) + marked.slice(offset + 1);
  const document = read(text);
  return { text, document, position: document.source.lines.positionAt(offset) };
}

function suggestions(marked: string) {
  const { document, position } = at(marked);
  return completeBootPlan(document, position);
}

const labels = (marked: string) => suggestions(marked).map(({ label }) => label);

/** The text after the suggestion with this label is taken, placeholders as their default. */
function taken(marked: string, label: string): string {
  const { text, document, position } = at(marked);
  const found = completeBootPlan(document, position).find((one) => one.label === label);
  assert.ok(found, `${label} is suggested`);
  const { lines } = document.source;
  const plain = found.insert.replace(/\$\{\d+:((?:\\.|[^}])*)\}/g, '$1').replace(/\\(.)/g, '$1');
  return (
    text.slice(0, lines.offsetAt(found.range.start)) + plain + text.slice(lines.offsetAt(found.range.end))
  );
}

function hover(marked: string): string {
  const { document, position } = at(marked);
  return describe(document, position)?.markdown ?? '';
}

test('at the start of a line there are the keys of the table and all headers', () => {
  const top = labels('|');
  assert.deepEqual(top.slice(0, 3), ['name', 'description', 'vmm']);
  assert.ok(top.includes('[[region]]') && top.includes('[gdt]') && !top.includes('region'));
  const region = labels('[[region]]\n|');
  assert.deepEqual(region.slice(0, 4), ['kind', 'name', 'base', 'size']);
  assert.ok(region.includes('[[region]]'));
});

test('what is there is not suggested again', () => {
  assert.ok(!labels('[gdt]\nbase = 0\n|').includes('base'));
  assert.ok(!labels('[gdt]\nbase = 0\n\n|').includes('[gdt]'));
  assert.ok(labels('[gdt]\nbase = 0\n\n|').includes('[[region]]'));
  // The key that is being typed counts as not there.
  assert.ok(labels('[gdt]\nba|').includes('base'));
});

test('keys of a load follow from its kind, required ones first', () => {
  assert.deepEqual(labels('[[load]]\nkind = "command-line"\n|').slice(0, 4), ['at', 'file', 'text', '[cpu]']);
  assert.deepEqual(labels('[[load]]\nkind = "elf"\n|').slice(0, 2), ['file', '[cpu]']);
});

test('words of a value, with quotes or inside of them', () => {
  assert.equal(taken('[[region]]\nkind = |', 'rom'), '[[region]]\nkind = "rom"');
  assert.equal(taken('[[region]]\nkind = "r|"', 'rom'), '[[region]]\nkind = "rom"');
  assert.ok(labels('vmm = "fire|"').includes('firecracker@1.13'));
  assert.deepEqual(labels('[[map]]\nuser = |'), ['true', 'false']);
});

test('bits in a list, also of several lines, and in an inline table', () => {
  assert.ok(labels('[[vcpu]]\ncr0 = ["PE", |]').includes('PG'));
  assert.ok(labels('[[vcpu]]\ncr4 = [\n  "PAE",\n  "L|"\n]').includes('LA57'));
  assert.equal(taken('[[vcpu]]\ncr0 = ["PE", "|"]', 'PG'), '[[vcpu]]\ncr0 = ["PE", "PG"]');
  assert.ok(labels('[expect]\nregisters = { cr0 = ["|"] }').includes('!PG'));
  assert.ok(labels('[expect.registers]\n|').includes('rip'));
});

test('keys and words of an inline table', () => {
  assert.ok(labels('[gdt]\nbase = 0\nentries = [0, { | }]').includes('type'));
  assert.deepEqual(labels('[gdt]\nbase = 0\nentries = [0, { type = "|" }]').slice(0, 2), [
    'code64',
    'code32',
  ]);
  assert.ok(!labels('[gdt]\nbase = 0\nentries = [0, { type = "data", | }]').includes('type'));
  assert.ok(labels('[expect]\ntimeline = [{ event = "mode", | }]').includes('paging'));
});

test('a header that has begun', () => {
  assert.equal(taken('[[|', '[[region]]'), '[[region]]\nkind = "ram"');
  assert.equal(
    taken('name = "x"\n[g|', '[gdt]'),
    'name = "x"\n[gdt]\nbase = 0x500\nentries = [0, 0x00af9b000000ffff]',
  );
});

test('nothing in comments', () => {
  assert.deepEqual(labels('# |'), []);
  assert.deepEqual(labels('vcpus = 1 # |'), []);
});

test('what a snippet writes has no key or value that a plan does not take', () => {
  for (const { label } of suggestions('|')) {
    const text = taken('|', label);
    const problems = read(text).shapeProblems;
    assert.deepEqual(problems, [], text);
  }
});

test('hover on keys, words and headers', () => {
  assert.match(hover('[[region]]\nki|nd = "ram"'), /\*\*kind\*\* · a string · required/);
  assert.match(hover('[[region]]\nkind = "r|am"'), /\*\*kind\*\* `ram`\n\nMemory that the guest may use/);
  assert.match(hover('[[vcpu]]\ncr0 = ["P|E"]'), /\*\*cr0\*\* `PE`\n\nBit 0: protected mode/);
  assert.match(hover('[[region]]\nkind = "ram"\n[[reg|ion]]\nkind = "rom"'), /\*\*region\*\*/);
  assert.equal(hover('nothing = |1'), '');
});

test('hover decodes descriptors, registers and what a selector loads', () => {
  const gdt = '[gdt]\nbase = 0x500\nentries = [0, { type = "code64", d = true }, { type = "tss64" }]\n';
  assert.match(
    hover(gdt.replace('d = true', 'd = tr|ue')),
    /\*\*descriptor\*\* `0xef9a000000ffff`.*64-bit code.*L and D are both 1/s,
  );
  assert.match(hover(gdt.replace('"tss64"', '"tss|64"')), /64-bit TSS/);
  assert.match(hover('[[vcpu]]\ncr0 = ["PE", "P|G"]'), /\*\*cr0\*\* `0x80000001`: protected mode, paging/);
  assert.match(hover(`${gdt}[[vcpu]]\ncs = |8\n`), /\*\*cs\*\* `0x8`: index 1 of the GDT.*attributes 0xe09b/);
});

test('a number is decoded once', () => {
  for (const text of [
    '[gdt]\nbase = 0\nentries = [0, 0x00cf9300|0000ffff]\n[[vcpu]]\n',
    '[[vcpu]]\ncr0 = 0x8000|0001\n',
  ]) {
    const { document, position } = at(text);
    const { contents } = bootpathService.hover(document, position)!;
    const { value } = contents as { value: string };
    assert.equal(value.split('| bits | field |').length, 2, value);
  }
});

test('neither throws, and both stay inside of the text, wherever the cursor is in whatever is half typed', () => {
  const pieces = fc.constantFrom(
    '[[region]]',
    '[gdt]',
    'kind = "ram"',
    'base = ',
    'entries = [0, { type = "code64" }]',
    'cr0 = ["PE", "',
    '{',
    '}',
    ']',
    '"',
    '\n',
    '=',
    ',',
    '#',
    '[expect.registers]',
    'ümlaut',
    '\0',
    '[[vcpu]]',
    'size = 0x',
    "'",
    '"""',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 14 }), fc.nat(), (parts, seed) => {
      const text = parts.join('\n');
      const document = read(text);
      const offset = seed % (text.length + 1);
      const position = document.source.lines.positionAt(offset);
      for (const { range } of completeBootPlan(document, position)) {
        const { lines } = document.source;
        assert.ok(lines.offsetAt(range.start) <= offset && lines.offsetAt(range.end) >= offset, text);
      }
      const description = describe(document, position);
      if (description) assert.equal(typeof written(text, { uri: URI, range: description.range }), 'string');
      for (const { at } of document.problems) {
        assert.ok(at!.range.end.line < document.source.lines.lineCount, text);
      }
    }),
    { numRuns: 400 },
  );
});
