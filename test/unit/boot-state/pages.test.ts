/** The examples of the pages on layouts, boot states and command lines: the wrong ones get the finding, the right ones don't. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BOOT_STATE_CHECKS } from '../../../server/src/checks/bootState/rows';
import { runChecks } from '../../../server/src/checks/catalogue';
import { COMMAND_LINE_CHECKS } from '../../../server/src/checks/commandLine/rows';
import { LAYOUT_CHECKS } from '../../../server/src/checks/layout/rows';
import { bootpathService } from '../../../server/src/service';
import { SourceText } from '../../../server/src/text/sourceText';

const PAGES = join(process.env.BOOTPATH_ROOT!, 'docs/checks');
/** The file that an example is, by the language of its fence. */
const FILES: Readonly<Record<string, string>> = {
  toml: 'example.boot.toml',
  text: 'map.txt',
  json: 'vm.json',
  conf: 'vm.conf',
};

for (const { code } of [...BOOT_STATE_CHECKS, ...LAYOUT_CHECKS, ...COMMAND_LINE_CHECKS]) {
  const page = readFileSync(join(PAGES, `${code}.md`), 'utf8');
  // Nobody reads a map of 20,000 entries.
  if (!page.includes('## Wrong')) continue;
  for (const kind of ['Wrong', 'Right'] as const) {
    const [, fence, example] = new RegExp(`## ${kind}\n\n\`\`\`(\\w+)\n([^]*?)\`\`\``).exec(page) ?? [];
    test(`${code}: the ${kind.toLowerCase()} example`, () => {
      assert.ok(fence !== undefined && example !== undefined && FILES[fence] !== undefined, 'there is one');
      const uri = `file:///${FILES[fence]}`;
      const language = bootpathService.claim('', example, uri);
      assert.ok(language, 'it is recognised');
      const found = runChecks(language.parse(new SourceText(uri, example), { files: new Map() }));
      const codes = found.map((finding) => finding.code);
      assert.equal(codes.includes(code), kind === 'Wrong', `found: ${codes.join(', ')}`);
      if (kind === 'Wrong') return;
      const grave = found.filter((one) => one.severity === 'error' || one.severity === 'warning');
      assert.deepEqual(grave, [], 'a right example has nothing else wrong');
    });
  }
}
