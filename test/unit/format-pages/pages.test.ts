/** The examples of the pages on formats: the wrong ones get the finding of their page, the right ones don't. */
import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runChecks } from '../../../server/src/checks/catalogue';
import { bootpathService } from '../../../server/src/service';
import { SourceText } from '../../../server/src/text/sourceText';

const PAGES = join(process.env.BOOTPATH_ROOT!, 'docs/checks');
/** Pages whose examples are whole texts, by the first part of their names, and how such a file ends. */
const WHOLE: Readonly<Record<string, { readonly ending: string; readonly kind: string }>> = {
  boxlite: { ending: 'json', kind: 'boxlite' },
  libkrun: { ending: 'c', kind: 'libkrun-c' },
  propolis: { ending: 'toml', kind: 'propolis' },
  qemu: { ending: 'cfg', kind: 'qemu-config' },
  'boot-plan': { ending: 'boot.toml', kind: 'boot-plan' },
};
/** The files that examples name. */
const FILES: ReadonlyMap<string, string> = new Map([
  [
    'file:///vm.conf',
    ['alpine', 'installer']
      .map((name) => `vm "${name}" {\n\tmemory 512M\n\tdisk "/${name}.img"\n}\n`)
      .join(''),
  ],
]);
/** Pages whose names begin otherwise. */
const OTHERS: Readonly<Record<string, (typeof WHOLE)[string]>> = {
  'config-pragma': { ending: 'json', kind: 'firecracker' },
  'illumos-13253': { ending: 'conf', kind: 'bhyve-config' },
  'json-syntax': { ending: 'json', kind: 'cloud-hypervisor' },
};

for (const name of readdirSync(PAGES)) {
  const code = name.replace(/\.md$/, '');
  const format = OTHERS[code] ?? Object.entries(WHOLE).find(([prefix]) => code.startsWith(`${prefix}-`))?.[1];
  if (!format) continue;
  const page = readFileSync(join(PAGES, name), 'utf8');
  for (const kind of ['Wrong', 'Right'] as const) {
    const example = new RegExp(`## ${kind}\n\n\`\`\`\\w*\n([^]*?)\`\`\``).exec(page)?.[1];
    test(`${code}: the ${kind.toLowerCase()} example`, () => {
      assert.ok(example !== undefined, 'there is one');
      const uri = `file:///vm.${format.ending}`;
      const language = bootpathService.claim('', example, uri);
      assert.equal(language?.kind, format.kind);
      const document = language.parse(new SourceText(uri, example), { files: FILES });
      const found = runChecks(document);
      const codes = found.map((finding) => finding.code);
      assert.equal(codes.includes(code), kind === 'Wrong', `found: ${codes.join(', ')}`);
      if (kind === 'Right') {
        const grave = found.filter(({ severity }) => severity === 'error' || severity === 'warning');
        assert.deepEqual(grave, [], 'a right example has nothing else wrong');
      }
    });
  }
}
