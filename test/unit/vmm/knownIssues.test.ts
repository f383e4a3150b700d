/** What holds for every known issue: its page, its place in the index, its versions, and a detection that exists. */
import { strict as assert } from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CHECKS } from '../../../server/src/checks/catalogue';
import { CRASH_RULES } from '../../../server/src/crash/rules';
import { PROBES } from '../../../server/src/simulation/probes/probes';
import { VMM_MODELS } from '../../../server/src/vmm/models';

const root = process.env.BOOTPATH_ROOT ?? '.';
const index = readFileSync(join(root, 'docs/known-issues/README.md'), 'utf8');

for (const model of VMM_MODELS) {
  const versions = model.versions.map(({ id }) => id);
  for (const issue of model.knownIssues) {
    const { id, title, link, affected, statements, simulation } = issue;

    test(`${id} has its page, to which its link leads, and a row of the index with its title`, () => {
      assert.ok(existsSync(join(root, `docs/known-issues/${id}.md`)));
      assert.ok(link.endsWith(`/docs/known-issues/${id}.md`));
      const row = index.split('\n').find((line) => line.includes(`(${id}.md)`)) ?? '';
      assert.ok(row.includes(title), `no row with "${title}"`);
      const [first, last] = [affected[0]!, affected.at(-1)!];
      assert.ok(row.includes(`| ${first === last ? first : `${first} to ${last}`} |`), `affected: ${row}`);
      const shown = simulation ? `| ${simulation.cells.length} runs, ` : '| – |';
      assert.ok(row.includes(shown), `${shown}: ${row}`);
    });

    test(`${id}: what is stated has a source, and the affected versions are versions of ${model.name}`, () => {
      assert.equal(issue.vmm, model.name);
      assert.ok(affected.length > 0);
      assert.deepEqual(
        affected.filter((version) => !versions.includes(version)),
        [],
      );
      assert.ok(statements.length > 0);
      for (const { text, citation } of statements) assert.ok(citation.length > 8, text);
      assert.ok(issue.fix.length > 0);
    });

    test(`${id} is shown by runs, or found by a check or a signature of its name`, () => {
      const checked = CHECKS.some(({ code }) => code === id);
      const decoded = CRASH_RULES.some(({ code }) => code === id);
      assert.ok(simulation ?? (checked || decoded));
    });

    if (!simulation) continue;
    test(`${id}: the main run is under an affected version, and each run has a version, a probe and a name of its own`, () => {
      const { cells } = simulation;
      assert.ok(affected.includes(cells[0]!.version));
      for (const { version, probe } of cells) {
        assert.ok(versions.includes(version), version);
        assert.ok(
          PROBES.some(({ name }) => name === probe),
          probe,
        );
      }
      assert.equal(new Set(cells.map(({ name }) => name)).size, cells.length);
    });
  }
}

for (const [id, folder] of [
  ['vmd-lowmem', 'vmd-alpine'],
  ['illumos-14042', 'illumos-14042'],
  ['illumos-13253', 'illumos-13253'],
  ['vmd-direct-launch', 'vmd-direct-launch'],
  ['libkrun-i8042-reset', 'libkrun-i8042-reset'],
] as const) {
  test(`${id} has an example to follow`, () => {
    const text = readFileSync(join(root, `examples/${folder}/README.md`), 'utf8');
    assert.ok(text.includes(id));
  });
}
