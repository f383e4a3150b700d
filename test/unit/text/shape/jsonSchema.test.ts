/** Shapes as JSON schemas of draft 2020-12. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonSchema } from '../../../../server/src/text/shape/jsonSchema';
import { inVersionOf, type ObjectShape, type Shape } from '../../../../server/src/text/shape/shape';

const TITLE = { id: 'https://example.org/x.json', title: 'X', description: 'An x.' };
const HEAD = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: TITLE.id,
  title: TITLE.title,
  description: TITLE.description,
};

test('each kind of shape', () => {
  const cases: readonly [Shape, object][] = [
    [{ kind: 'boolean' }, { type: 'boolean' }],
    [{ kind: 'number' }, { type: 'number' }],
    [{ kind: 'any' }, {}],
    [
      { kind: 'integer', least: 1n, most: 8n },
      { type: 'integer', minimum: 1, maximum: 8 },
    ],
    // JSON schema counts in doubles: a bound that none holds is left out.
    [
      { kind: 'integer', least: 0n, most: (1n << 64n) - 1n },
      { type: 'integer', minimum: 0 },
    ],
    [
      { kind: 'string', pattern: /^a+$/, expected: 'a’s' },
      { type: 'string', pattern: '^a+$' },
    ],
    [{ kind: 'string', pattern: /^a+$/i, expected: 'a’s' }, { type: 'string' }],
    [
      { kind: 'string', values: [{ value: 'on', text: 'On.' }] },
      { type: 'string', enum: ['on'], markdownEnumDescriptions: ['On.'] },
    ],
    [
      { kind: 'array', of: { kind: 'boolean' }, least: 1, most: 2 },
      { type: 'array', items: { type: 'boolean' }, minItems: 1, maxItems: 2 },
    ],
    [
      { kind: 'names', of: { kind: 'boolean' }, what: 'a switch' },
      { type: 'object', additionalProperties: { type: 'boolean' } },
    ],
    [
      { kind: 'either', of: [{ kind: 'boolean' }, { kind: 'number' }] },
      { anyOf: [{ type: 'boolean' }, { type: 'number' }] },
    ],
  ];
  for (const [shape, schema] of cases) assert.deepEqual(jsonSchema(shape, TITLE), { ...HEAD, ...schema });
});

const OBJECT: ObjectShape = {
  kind: 'object',
  others: 'refused',
  members: {
    size: { shape: { kind: 'number' }, text: 'The **size**, see [x](y).', required: true },
    name: {
      shape: { kind: 'string' },
      text: 'A `name`.',
      default: '"x"',
      nullable: true,
      aliases: ['title'],
    },
    since2: { shape: { kind: 'boolean' }, text: 'Later.', since: '2' },
  },
};

test('keys with their texts, required ones, other spellings, and null where it is as good as absent', () => {
  const schema = jsonSchema(OBJECT, TITLE, inVersionOf([{ id: '1' }, { id: '2' }], '1'));
  const name = {
    description: 'A name. Default: "x".',
    markdownDescription: 'A `name`. Default: "x".',
    anyOf: [{ type: 'string' }, { type: 'null' }],
  };
  assert.deepEqual(schema, {
    ...HEAD,
    type: 'object',
    properties: {
      size: {
        description: 'The size, see x.',
        markdownDescription: 'The **size**, see [x](y).',
        type: 'number',
      },
      name,
      title: name,
    },
    required: ['size'],
    additionalProperties: false,
  });
});

test('keys that are ignored are not refused by the schema either', () => {
  assert.equal('additionalProperties' in jsonSchema({ ...OBJECT, others: 'ignored' }, TITLE), false);
});

test('a variant is one whole object for each value of its key', () => {
  const schema = jsonSchema(
    {
      kind: 'variant',
      by: 'kind',
      common: {
        kind: 'object',
        others: 'refused',
        members: { kind: { shape: { kind: 'string' }, text: 'Which.', required: true } },
      },
      variants: { a: { x: { shape: { kind: 'boolean' }, text: 'X.', required: true } }, b: {} },
    },
    TITLE,
  );
  const [a, b] = schema['oneOf'] as readonly Record<string, unknown>[];
  assert.deepEqual(a!['required'], ['kind', 'x']);
  assert.deepEqual((a!['properties'] as Record<string, unknown>)['kind'], {
    description: 'Which.',
    markdownDescription: 'Which.',
    const: 'a',
  });
  assert.deepEqual(Object.keys(b!['properties'] as object), ['kind']);
});
