/** The examples of the pages on Firecracker and Cloud Hypervisor: the wrong ones get the finding of their page, the right ones none. */
import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CHECKS } from '../../../server/src/checks/catalogue';
import { findingsOf, type Vmm } from './read';

const PAGES = join(process.env['BOOTPATH_ROOT']!, 'docs/checks');
const VMMS: readonly Vmm[] = ['firecracker', 'cloud-hypervisor'];
/** Pages whose finding the newest release does not have. */
const VERSIONS: Readonly<Record<string, string>> = { 'firecracker-version': '1.12' };

for (const vmm of VMMS) {
  const codes = CHECKS.filter(({ code }) => code.startsWith(`${vmm}-`));
  test(`every page on ${vmm} has a code`, () => {
    const pages = readdirSync(PAGES).filter((name) => name.startsWith(`${vmm}-`));
    assert.deepEqual(
      pages.map((name) => name.replace(/\.md$/, '')).sort(),
      codes.map(({ code }) => code).sort(),
    );
  });
  for (const { code } of codes) {
    const page = readFileSync(join(PAGES, `${code}.md`), 'utf8');
    for (const kind of ['Wrong', 'Right'] as const) {
      test(`${code}: the ${kind.toLowerCase()} example`, () => {
        const example = new RegExp(`## ${kind}\n\n\`\`\`json\n([^]*?)\`\`\``).exec(page)![1]!;
        const found = findingsOf(vmm, example, VERSIONS[code]).map((finding) => finding.code);
        if (kind === 'Wrong') assert.ok(found.includes(code), `found: ${found.join(', ')}`);
        else
          assert.deepEqual(
            found.filter((each) => each.startsWith(`${vmm}-`)),
            [],
          );
      });
    }
  }
}
