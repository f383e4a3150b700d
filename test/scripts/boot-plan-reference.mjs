// `npm run boot-plan:reference`: writes docs/boot-plan.schema.json and the tables of keys in docs/boot-plan.md from the
// definition in server/src/boot-plan/keys. `-- --check` writes nothing and exits 1 where a file is not what that says.
import * as esbuild from 'esbuild';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as prettier from 'prettier';
import { shared } from '../../esbuild.mjs';
import { temporaryFolder } from './vscode-host.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const schemaFile = join(root, 'docs/boot-plan.schema.json');
const page = join(root, 'docs/boot-plan.md');
const BEGIN = '<!-- keys: written by npm run boot-plan:reference -->';
const END = '<!-- end of keys -->';
/** More words than this are counted, not listed. */
const MOST_WORDS = 40;

async function load() {
  const folder = temporaryFolder('boot-plan-reference');
  try {
    const outfile = join(folder, 'keys.cjs');
    await esbuild.build({
      ...shared,
      absWorkingDir: root,
      stdin: {
        contents: `export { BOOT_PLAN } from './server/src/boot-plan/keys/plan';
          export { NUMBER } from './server/src/boot-plan/keys/values';
          export { jsonSchema } from './server/src/text/shape/jsonSchema';
          export { nameOf } from './server/src/text/shape/checkShape';`,
        resolveDir: root,
        loader: 'ts',
      },
      outfile,
      platform: 'node',
      format: 'cjs',
    });
    return createRequire(import.meta.url)(outfile);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const { BOOT_PLAN, NUMBER, jsonSchema, nameOf } = await load();
/** The two alternatives of a number, where they stand among others. */
const NUMBER_PARTS = `an integer; or ${NUMBER.of.find(({ expected }) => expected).expected}`;

const alternatives = (shape) => (shape.kind === 'either' ? shape.of.flatMap(alternatives) : [shape]);
const code = (word) => `\`${word.replaceAll('|', '\\|')}\``;
const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** What a value may be, in a cell. */
function takes(shape) {
  if (shape === NUMBER) return 'a number';
  const parts = alternatives(shape).map((one) => {
    if (one.kind === 'string' && one.values) {
      const words = one.values.map(({ value }) => code(value));
      return words.length <= MOST_WORDS ? words.join(', ') : `one of ${words.length} words`;
    }
    if (one.kind === 'string' && one.expected) return one.expected;
    if (one.kind === 'array') return listOf(takes(one.of));
    if (one.kind === 'integer' && one.most !== undefined)
      return `an integer from ${one.least} to ${one.most}`;
    return nameOf(one).replace('an object', 'a table');
  });
  return [...new Set(parts)].join('; or ').replace(NUMBER_PARTS, 'a number');
}

function listOf(inner) {
  if (inner === 'a table') return 'a list of tables';
  if (inner === 'a number') return 'a list of numbers';
  return inner.includes('; or ') ? `a list; each item is ${inner}` : `a list of ${inner}`;
}

/** Keys that follow one another and differ in their names alone stand in one row, which names them all. */
function rows(members) {
  const lines = ['| key | takes | what it means |', '|---|---|---|'];
  let last = null;
  for (const [key, { shape, text, required, default: otherwise }] of members) {
    const name = key.toUpperCase();
    const same = JSON.stringify([
      takes(shape),
      text.replaceAll(name, '…').replaceAll(key, '…'),
      required,
      otherwise,
    ]);
    if (last?.same === same) {
      last.keys.push(key);
      lines[lines.length - 1] = last.line();
      continue;
    }
    const extra = [
      required ? ' **Required.**' : '',
      otherwise === undefined ? '' : ` Default: ${otherwise}.`,
    ].join('');
    const keys = [key];
    const line = () => {
      const names = keys.map((each) => each.toUpperCase()).join(', ');
      const means = cell(text.replaceAll(name, names) + extra);
      return `| ${keys.map(code).join(', ')} | ${cell(takes(shape))} | ${means} |`;
    };
    last = { same, keys, line };
    lines.push(line());
  }
  return lines;
}

/** The tables of an object, then those of the objects within. */
function sections(title, shape) {
  const lines = [];
  for (const one of alternatives(shape)) {
    if (one.kind === 'array') lines.push(...sections(title, one.of));
    if (one.kind === 'names') lines.push(...sections(`${title}, each`, one.of));
    if (one.kind === 'variant') {
      lines.push('', `### ${title}`, '', ...rows(Object.entries(one.common.members)));
      for (const [value, members] of Object.entries(one.variants)) {
        const own = Object.entries(members);
        if (own.length > 0) lines.push('', `${code(value)} also has:`, '', ...rows(own));
      }
    }
    if (one.kind !== 'object') continue;
    lines.push('', `### ${title}`, '', ...rows(Object.entries(one.members)));
    for (const [key, member] of Object.entries(one.members)) {
      if (!INLINE.has(key)) lines.push(...sections(`${title}: ${code(key)}`, member.shape));
    }
  }
  return lines;
}

/** Tables that are the same for many keys: shown once. */
const INLINE = new Set(['ldtr', 'tr', 'es', 'ss', 'ds', 'fs', 'gs', 'idtr', 'vcpu', 'pml4e', 'pdpte', 'pde']);

function reference() {
  const top = Object.entries(BOOT_PLAN.members);
  const lines = ['', '### Top level', '', ...rows(top)];
  for (const [key, { shape }] of top) {
    const title = shape.kind === 'array' ? `\`[[${key}]]\`` : `\`[${key}]\``;
    lines.push(...sections(title, shape));
  }
  return `${lines.join('\n')}\n\n`;
}

async function formatted(file, text, parser) {
  return prettier.format(text, { ...(await prettier.resolveConfig(file)), parser });
}

const schema = jsonSchema(BOOT_PLAN, {
  id: 'https://github.com/bootpath/bootpath/blob/main/docs/boot-plan.schema.json',
  title: 'Bootpath boot plan',
  description: 'A boot path written down and asserted: docs/boot-plan.md.',
});
const before = readFileSync(page, 'utf8');
const [from, to] = [before.indexOf(BEGIN), before.indexOf(END)];
if (from < 0 || to < from) throw new Error(`docs/boot-plan.md lacks ${BEGIN} and ${END}`);
const after = before.slice(0, from + BEGIN.length) + '\n' + reference() + before.slice(to);
const files = [
  [schemaFile, await formatted(schemaFile, JSON.stringify(schema), 'json')],
  [page, await formatted(page, after, 'markdown')],
];
for (const [file, text] of files) {
  if (!process.argv.includes('--check')) writeFileSync(file, text);
  else if (readFileSync(file, 'utf8') !== text) {
    console.error(`${file} is not what server/src/boot-plan/keys says: run \`npm run boot-plan:reference\``);
    process.exitCode = 1;
  }
}
