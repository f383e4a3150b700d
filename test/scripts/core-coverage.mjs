// `npm run coverage:core [-- --list] [-- --format json] [NAME-PART…]`: which lines of the core's AssemblyScript the core suite
// executes. c8 doesn't see WebAssembly, so every statement of a copy of the sources gets a call in front that marks it; the
// tests run on the core that is built from the copy. Prints a row a file; `--list` adds the lines that never ran. Fails below
// `--minimum PERCENT` (90 by default) where the whole suite ran.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { runNodeSuite } from './node-suite.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const sources = join(root, 'server/emulator/assembly');
const out = join(root, 'dist/coverage');

/** @typedef {{ file: string, line: number }} Statement A statement's place; its index is its number in the copy. */

/** The source with `__cov(number);` before each statement of a body; statements are appended to `statements`. */
function instrument(file, text, statements) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  /** @type {{ at: number, text: string }[]} */
  const insertions = [];
  const mark = (node) => {
    const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
    return `__cov(${statements.push({ file, line: line + 1 }) - 1});`;
  };
  const executes = (node) =>
    !ts.isFunctionDeclaration(node) && !ts.isEmptyStatement(node) && !ts.isBlock(node);
  const before = (nodes) => {
    for (const node of nodes)
      if (executes(node)) insertions.push({ at: node.getStart(source), text: mark(node) });
  };
  /** A single statement as a body becomes a block. */
  const wrap = (node) => {
    if (!node || ts.isBlock(node)) return;
    insertions.push({ at: node.getStart(source), text: `{${executes(node) ? mark(node) : ''}` });
    insertions.push({ at: node.getEnd(), text: '}' });
  };
  const visit = (node) => {
    if (ts.isBlock(node)) before(node.statements);
    else if (ts.isCaseOrDefaultClause(node)) before(node.statements);
    else if (ts.isIfStatement(node)) {
      wrap(node.thenStatement);
      wrap(node.elseStatement);
    } else if (ts.isIterationStatement(node, false)) wrap(node.statement);
    ts.forEachChild(node, visit);
  };
  visit(source);
  // Where several lie at one place, the outermost statement's comes first (it was found first), a closing brace before it.
  const ordered = insertions.map((insertion, order) => ({ ...insertion, order }));
  ordered.sort((a, b) => a.at - b.at || Number(a.text !== '}') - Number(b.text !== '}') || a.order - b.order);
  let result = '';
  let from = 0;
  for (const insertion of ordered) {
    result += text.slice(from, insertion.at) + insertion.text;
    from = insertion.at;
  }
  return `@external("coverage", "hit") declare function __cov(number: u32): void;\n${result}${text.slice(from)}`;
}

/** Builds the marked core; returns where each mark stands. */
function buildMarkedCore() {
  rmSync(out, { recursive: true, force: true });
  /** @type {Statement[]} */
  const statements = [];
  for (const name of readdirSync(sources, { recursive: true }).map(String)) {
    if (!name.endsWith('.ts')) continue;
    const target = join(out, 'assembly', name);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, instrument(name, readFileSync(join(sources, name), 'utf8'), statements));
  }
  const wasm = join(out, 'core.wasm');
  const config = JSON.parse(readFileSync(join(sources, 'asconfig.json'), 'utf8'));
  const release = { ...config.targets.release, outFile: wasm, sourceMap: false };
  const configFile = join(out, 'asconfig.json');
  writeFileSync(configFile, JSON.stringify({ ...config, targets: { release } }));
  const asc = join(root, 'node_modules/assemblyscript/bin/asc.js');
  const args = [asc, join(out, 'assembly/core.ts'), '--config', configFile, '--target', 'release'];
  const built = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (built.status !== 0) throw new Error('asc failed');
  return { wasm, statements };
}

/** Runs before a test bundle: answers the marks, and writes what was hit when the process ends. */
const collector = (count, folder) => `
if (!globalThis.bootpathCoverage) {
  const hits = (globalThis.bootpathCoverage = new Uint8Array(${count}));
  const coverage = { hit: (number) => { hits[number] = 1; } };
  const { Instance } = WebAssembly;
  WebAssembly.Instance = class extends Instance {
    constructor(module, imports) { super(module, { ...imports, coverage }); }
  };
  process.on('exit', () => require('node:fs').writeFileSync(${JSON.stringify(folder)} + '/' + process.pid + '.hits', hits));
}`;

/** Hits of all processes of the run. */
function collect(folder, count) {
  const hits = new Uint8Array(count);
  for (const name of readdirSync(folder))
    readFileSync(join(folder, name)).forEach((hit, number) => (hits[number] |= hit));
  return hits;
}

/** For each file, by line: whether a statement that begins there ran. */
function byLine(statements, hits) {
  /** @type {Map<string, Map<number, boolean>>} */
  const files = new Map();
  statements.forEach(({ file, line }, number) => {
    const lines = files.get(file) ?? new Map();
    files.set(file, lines.set(line, (lines.get(line) ?? false) || hits[number] === 1));
  });
  return files;
}

const runs = (lines) =>
  lines
    .reduce((list, line) => {
      const last = list.at(-1);
      if (last && last[1] === line - 1) last[1] = line;
      else list.push([line, line]);
      return list;
    }, [])
    .map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`))
    .join(' ');

const options = process.argv.slice(2);
const take = (name) => {
  const at = options.indexOf(name);
  return at < 0 ? undefined : options.splice(at, 2)[1];
};
const json = take('--format') === 'json';
const minimum = Number(take('--minimum') ?? 90);
const list = options.includes('--list');
const parts = options.filter((option) => option !== '--list');

const { wasm, statements } = buildMarkedCore();
const folder = join(out, 'hits');
mkdirSync(folder, { recursive: true });
const { passed, failed } = await runNodeSuite('core', parts, {
  banner: { js: collector(statements.length, folder) },
  plugins: [
    {
      name: 'marked-core',
      setup: (build) => build.onResolve({ filter: /core\.wasm$/ }, () => ({ path: wasm })),
    },
  ],
});
const hits = collect(folder, statements.length);
const rows = [...byLine(statements, hits)]
  .map(([file, lines]) => {
    const missed = [...lines].filter(([, hit]) => !hit).map(([line]) => line);
    return {
      file,
      lines: lines.size,
      covered: lines.size - missed.length,
      missed: missed.sort((a, b) => a - b),
    };
  })
  .sort((a, b) => a.file.localeCompare(b.file));
const sum = (key) => rows.reduce((total, row) => total + row[key], 0);
const percent = (covered, lines) => Math.round((1000 * covered) / lines) / 10;
const total = {
  lines: sum('lines'),
  covered: sum('covered'),
  percent: percent(sum('covered'), sum('lines')),
  statements: statements.length,
  coveredStatements: hits.reduce((count, hit) => count + hit, 0),
};
if (json) console.log(JSON.stringify({ total, files: rows }));
else {
  for (const { file, lines, covered, missed } of rows) {
    console.log(
      `${file.padEnd(28)} ${String(covered).padStart(5)} of ${String(lines).padStart(5)}  ${percent(covered, lines)} %`,
    );
    if (list && missed.length > 0) console.log(`    not run: ${runs(missed)}`);
  }
  console.log(
    `${total.covered} of ${total.lines} lines (${total.percent} %), ${total.coveredStatements} of ${total.statements} statements; ` +
      `${passed} tests passed, ${failed} failed`,
  );
}
if (failed > 0 || (parts.length === 0 && total.percent < minimum)) process.exitCode = 1;
