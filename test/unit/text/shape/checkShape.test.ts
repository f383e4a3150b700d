import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseJson } from '../../../../server/src/text/json';
import { checkShape, type ShapeProblem } from '../../../../server/src/text/shape/checkShape';
import { configOfJson } from '../../../../server/src/text/shape/fromJson';
import { configOfToml } from '../../../../server/src/text/shape/fromToml';
import { inVersionOf, type Shape } from '../../../../server/src/text/shape/shape';
import { readToml } from '../../../../server/src/text/toml/read';

const WORDS = { text: '' };
const SHAPE: Shape = {
  kind: 'object',
  others: 'ignored',
  members: {
    'machine-config': {
      ...WORDS,
      required: true,
      shape: {
        kind: 'object',
        others: 'refused',
        members: {
          vcpu_count: { ...WORDS, required: true, shape: { kind: 'integer', least: 1n, most: 32n } },
          mem_size_mib: { ...WORDS, shape: { kind: 'integer', least: 1n, unit: 'MiB' } },
          smt: { ...WORDS, shape: { kind: 'boolean' }, nullable: true, formerly: ['ht_enabled'] },
          huge_pages: {
            ...WORDS,
            shape: {
              kind: 'string',
              values: [
                { value: 'None', text: '' },
                { value: '2M', text: '' },
                { value: 'Transparent', text: '', since: '3' },
              ],
            },
            since: '2',
          },
        },
      },
    },
    'network-interfaces': {
      ...WORDS,
      shape: {
        kind: 'array',
        most: 2,
        of: {
          kind: 'object',
          others: 'free',
          members: {
            mac: { ...WORDS, shape: { kind: 'string', pattern: /^[0-9a-f:]+$/, expected: 'a MAC' } },
          },
        },
      },
    },
    dev: {
      ...WORDS,
      shape: {
        kind: 'names',
        what: 'a device',
        of: {
          kind: 'variant',
          by: 'driver',
          common: {
            kind: 'object',
            others: 'ignored',
            members: {
              driver: {
                ...WORDS,
                required: true,
                shape: {
                  kind: 'string',
                  values: [
                    { value: 'disk', text: '' },
                    { value: 'net', text: '' },
                  ],
                },
              },
            },
          },
          variants: { disk: { path: { ...WORDS, shape: { kind: 'string' } } }, net: {} },
        },
      },
    },
    size: { ...WORDS, shape: { kind: 'either', of: [{ kind: 'integer', most: 9n }, { kind: 'string' }] } },
  },
};
const VERSIONS = ['1', '2', '3'].map((id) => ({ id }));
const CONFIG = '"machine-config": {"vcpu_count": 1}';

function problems(text: string, version = '3'): readonly ShapeProblem[] {
  const { root } = parseJson(text);
  return checkShape(configOfJson(root!), SHAPE, inVersionOf(VERSIONS, version));
}

/** What a problem says, for the table: its kind, the text that it is about, and what is special of it. */
function told(text: string, problem: ShapeProblem): string {
  const written = text.slice(problem.at.start, problem.at.end);
  const special = 'nearest' in problem ? problem.nearest : problem.kind === 'missing-key' ? problem.key : '';
  return [problem.kind, written, special].filter((word) => word !== '' && word !== null).join(' ');
}

const CASES: readonly [title: string, text: string, expected: readonly string[], version?: string][] = [
  ['a config that fits', `{${CONFIG}, "network-interfaces": [{"mac": "06:0a", "x": 1}]}`, []],
  [
    'underscores for hyphens',
    `{${CONFIG}, "network_interfaces": []}`,
    ['unknown-key "network_interfaces" network-interfaces'],
  ],
  [
    'a typing error',
    '{"machine-config": {"vcpu_cuont": 1}}',
    ['unknown-key "vcpu_cuont" vcpu_count', 'missing-key { vcpu_count'],
  ],
  [
    'a key that is like one that is there already',
    `{${CONFIG}, "machine-konfig": {}, "machine_config": {}}`,
    ['unknown-key "machine-konfig"', 'unknown-key "machine_config" machine-config'],
  ],
  ['a key that is like none', `{${CONFIG}, "zebra": 1}`, ['unknown-key "zebra"']],
  [
    'a former name',
    '{"machine-config": {"vcpu_count": 1, "ht_enabled": true}}',
    ['unknown-key "ht_enabled" smt'],
  ],
  ['a missing object', '{}', ['missing-key { machine-config']],
  [
    'numbers out of range',
    '{"machine-config": {"vcpu_count": 33, "mem_size_mib": 0}}',
    ['out-of-range 33', 'out-of-range 0'],
  ],
  ['too many items', `{${CONFIG}, "network-interfaces": [{}, {}, {}]}`, ['out-of-range [{}, {}, {}]']],
  ['a number as a string', '{"machine-config": {"vcpu_count": "1"}}', ['wrong-type "1"']],
  [
    'a whole number with an exponent is no integer',
    '{"machine-config": {"vcpu_count": 1e0}}',
    ['wrong-type 1e0'],
  ],
  ['null where it is as good as absent', '{"machine-config": {"vcpu_count": 1, "smt": null}}', []],
  ['null where it is not', '{"machine-config": {"vcpu_count": null}}', ['wrong-type null']],
  [
    'a value that another version has',
    '{"machine-config": {"vcpu_count": 1, "huge_pages": "Transparent"}}',
    ['other-version "Transparent"'],
    '2',
  ],
  [
    'a key that another version has',
    '{"machine-config": {"vcpu_count": 1, "huge_pages": "2M"}}',
    ['other-version "huge_pages"'],
    '1',
  ],
  [
    'an unknown value with a near one',
    '{"machine-config": {"vcpu_count": 1, "huge_pages": "2m"}}',
    ['unknown-value "2m" 2M'],
  ],
  ['a value that does not match', `{${CONFIG}, "network-interfaces": [{"mac": "zz"}]}`, ['pattern "zz"']],
  [
    'templates say nothing',
    `{${CONFIG}, "\${X}": 1, "network-interfaces": [{"mac": "$MAC"}], "size": "{{ size }}"}`,
    [],
  ],
  ['a template for a number', '{"machine-config": {"vcpu_count": "${CPUS}"}}', []],
  ['a key twice', `{${CONFIG}, "size": 1, "size": 2}`, ['duplicate-key "size"']],
  ['the alternative of the value’s type counts', `{${CONFIG}, "size": 10}`, ['out-of-range 10']],
  [
    'members of another variant',
    `{${CONFIG}, "dev": {"a": {"driver": "net", "path": "/x"}}}`,
    ['unknown-key "path"'],
  ],
  ['members of this variant', `{${CONFIG}, "dev": {"a": {"driver": "disk", "path": "/x"}}}`, []],
  [
    'of an unknown variant only the driver is judged',
    `{${CONFIG}, "dev": {"a": {"driver": "disc", "p": 1}}}`,
    ['unknown-value "disc" disk'],
  ],
];

for (const [title, text, expected, version] of CASES) {
  test(`shape: ${title}`, () => {
    assert.deepEqual(
      problems(text, version).map((problem) => told(text, problem)),
      expected,
    );
  });
}

test('shape: TOML and JSON of one content have the same problems', () => {
  const toml = 'network_interfaces = []\n[machine-config]\nvcpu_count = 40\nsmt = "no"\n';
  const json = '{"network_interfaces": [], "machine-config": {"vcpu_count": 40, "smt": "no"}}';
  const ofToml = checkShape(configOfToml(readToml(toml).root), SHAPE);
  const plain = (list: readonly ShapeProblem[]) => list.map(({ kind, path }) => [kind, path]);
  assert.deepEqual(plain(ofToml), plain(problems(json)));
});

test('shape: any JSON value is judged without an exception, and every place lies in the text', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      for (const { at } of problems(text)) {
        assert.ok(0 <= at.start && at.start < at.end && at.end <= text.length);
      }
    }),
  );
});

test('shape: a version that the list lacks excludes nothing', () => {
  const inVersion = inVersionOf(VERSIONS, 'fork');
  assert.ok(inVersion({ since: '3' }) && inVersion({ until: '1' }));
});
