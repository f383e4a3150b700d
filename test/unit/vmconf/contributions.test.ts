import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { VMD_VERSIONS } from '../../../server/src/vmm/vmd/versions';
import { KEYWORDS } from '../../../server/src/vmm/vmd/vocabulary';
import { codes } from './read';

const json = (path: string): unknown =>
  JSON.parse(readFileSync(join(process.env.BOOTPATH_ROOT!, path), 'utf8'));

interface Snippet {
  readonly prefix: readonly string[];
  readonly body: readonly string[];
}

/** A snippet with its placeholders filled by their defaults. */
function filled(body: readonly string[]): string {
  return body
    .join('\n')
    .replace(/\$\{\d+\|([^,|]*)[^}]*\|\}/g, '$1')
    .replace(/\$\{\d+:([^}]*)\}/g, '$1')
    .replace(/\$\d+/g, 'x');
}

for (const [name, { body }] of Object.entries(json('snippets/vmconf.json') as Record<string, Snippet>)) {
  test(`snippet "${name}" is taken by the parser`, () => {
    const text = filled(body);
    const context = /^(?:vm|switch|staggered|#)/.test(text) ? '' : 'vm "outer" {\n\tdisk "/a"\n';
    const parent = 'vm "parent" {\n\tdisk "/p"\n}\nswitch "uplink" { interface bridge0\n}\n';
    const declared = text.startsWith('switch') ? '' : parent;
    const whole = text.startsWith('#')
      ? `${text}\n`
      : `${declared}${context}${text}\n${context ? '}\n' : ''}`;
    assert.deepEqual(
      codes(whole).filter((code) => code !== 'vmd-lowmem'),
      [],
    );
  });
}

test('the versions of the snippet exist', () => {
  const { body } = (json('snippets/vmconf.json') as Record<string, Snippet>)['Version of vmd']!;
  const [, list] = /\|([^|]*)\|/.exec(body[0]!)!;
  for (const id of list!.split(','))
    assert.ok(
      VMD_VERSIONS.some((version) => version.id === id),
      id,
    );
});

test('every keyword is in the TextMate grammar', () => {
  const grammar = readFileSync(join(process.env.BOOTPATH_ROOT!, 'syntaxes/vmconf.tmLanguage.json'), 'utf8');
  for (const word of KEYWORDS) assert.match(grammar, new RegExp(`[(|]${word}[|)]`), word);
});

test('every pattern of the TextMate grammar is a regular expression', () => {
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const [key, value] of Object.entries(node)) {
      if (['match', 'begin', 'end'].includes(key)) assert.ok(new RegExp(value as string), key);
      else visit(value);
    }
  };
  visit(json('syntaxes/vmconf.tmLanguage.json'));
});
