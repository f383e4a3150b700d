/** The examples of the pages on vm.conf: the wrong ones get the finding of their page, the right ones don't. */
import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runChecks } from '../../../server/src/checks/catalogue';
import { read } from './read';

const PAGES = join(process.env.BOOTPATH_ROOT!, 'docs/checks');
/** Pages whose finding the newest vmd does not have, and a version that has it. */
const VERSIONS: Readonly<Record<string, string>> = {
  'vmconf-boot-only': '7.8',
  'vmconf-instance-interface': '7.8',
  'vmconf-instance-lladdr': '7.8',
  'vmconf-instance-owner': '7.8',
};
const INTERFACE_OPTION = /^(?:group|lladdr|rdomain)\b/;
const VM_OPTION = /^(?:boot|cdrom|disk|interfaces?|memory)\b/;

/** A page may show single options: they go into a VM, or into an interface of one. */
function wholeConfig(example: string): string {
  const lines = example.trimEnd().split('\n');
  const nested = (option: RegExp) => lines.filter((line) => option.test(line));
  const open = (line: string) =>
    VM_OPTION.test(line)
      ? `vm "x" {\n\tdisk "/x.img"\n\t${line}\n}`
      : `vm "x" {\n\tdisk "/x.img"\n\tinterface { ${line} }\n}`;
  if (nested(VM_OPTION).length === 0 && nested(INTERFACE_OPTION).length === 0) return example;
  return lines
    .map((line, index) =>
      VM_OPTION.test(line) || INTERFACE_OPTION.test(line)
        ? open(line).replaceAll('"x"', `"x${index}"`)
        : line,
    )
    .join('\n')
    .concat('\n');
}

for (const name of readdirSync(PAGES).filter((page) => page.startsWith('vmconf-'))) {
  const code = name.replace(/\.md$/, '');
  const page = readFileSync(join(PAGES, name), 'utf8');
  for (const kind of ['Wrong', 'Right'] as const) {
    const example = new RegExp(`## ${kind}\n\n\`\`\`\n([^]*?)\`\`\``).exec(page)?.[1];
    if (example === undefined) continue;
    const version = VERSIONS[code];
    const options = version ? { version } : {};
    test(`${code}: the ${kind.toLowerCase()} example`, () => {
      const found = runChecks(read(wholeConfig(example), options)).map((finding) => finding.code);
      assert.equal(found.includes(code), kind === 'Wrong', `found: ${found.join(', ')}`);
    });
  }
}
