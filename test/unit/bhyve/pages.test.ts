/** The examples of the pages on bhyve: the wrong ones get the finding of their page, the right ones don't. */
import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runChecks } from '../../../server/src/checks/catalogue';
import { SourceText } from '../../../server/src/text/sourceText';
import { bhyveCommand } from '../../../server/src/vmm/bhyve/command/language';
import { vmBhyve } from '../../../server/src/vmm/bhyve/vmBhyve/language';
import { bhyveConfig } from '../../../server/src/vmm/bhyve/config/language';

const PAGES = join(process.env.BOOTPATH_ROOT!, 'docs/checks');
const LANGUAGES = new Map([
  ['', bhyveConfig],
  ['sh', bhyveCommand],
  ['ini', vmBhyve],
]);

for (const name of readdirSync(PAGES).filter((page) => /^(?:vm-)?bhyve-/.test(page))) {
  const code = name.replace(/\.md$/, '');
  const page = readFileSync(join(PAGES, name), 'utf8');
  for (const kind of ['Wrong', 'Right'] as const) {
    const example = new RegExp(`## ${kind}\n\n\`\`\`(sh|ini|)\n([^]*?)\`\`\``).exec(page);
    if (!example) continue;
    test(`${code}: the ${kind.toLowerCase()} example`, () => {
      const language = LANGUAGES.get(example[1]!)!;
      const document = language.parse(new SourceText('file:///example', example[2]!), { files: new Map() });
      const found = runChecks(document).map((finding) => finding.code);
      assert.equal(found.includes(code), kind === 'Wrong', `found: ${found.join(', ')}`);
    });
  }
}
