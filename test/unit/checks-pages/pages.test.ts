/** The pages of all checks have one form, and say of each check what its row says. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CHECKS } from '../../../server/src/checks/catalogue';

const PAGES = join(process.env.BOOTPATH_ROOT!, 'docs/checks');
const FENCED = /^```.*\n[^]*?^```$/gm;

for (const { code, severity } of CHECKS)
  test(`${code}: its page has a title, the severity of the table, why it matters, a source and how to silence it`, () => {
    const page = readFileSync(join(PAGES, `${code}.md`), 'utf8').replace(FENCED, '');
    const [title, blank, line] = page.split('\n');
    assert.match(title!, new RegExp(`^# ${code}: \\S`));
    assert.equal(blank, '');
    assert.match(line!, new RegExp(`^Default severity: ${severity}(?: \\(.+\\))?\\.$`));
    const headings = page.split('\n').flatMap((text) => /^## (.+)$/.exec(text)?.slice(1) ?? []);
    const examples = headings.includes('Wrong') ? ['Wrong', 'Right'] : [];
    assert.deepEqual(headings, ['Why it matters', ...examples, 'Source', 'Silence it']);
    assert.match(page, /\n## Source\n\n\S/);
    const silence = page.split('\n## Silence it\n')[1]!;
    assert.match(silence, new RegExp(code), 'it says how, with its own code');
  });
