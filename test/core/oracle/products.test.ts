/**
 * Product tables on our core and on Bochs: every operation on selectors with every descriptor type, P, DPL, RPL and privilege
 * level; every single-bit change of the control registers. One line holds 32 results; any that differs has to be
 * listed with what decides it.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PRODUCT_DISAGREEMENTS, type ProductDisagreement } from './disagreements';
import { runOnBochs } from './onBochs';
import { runOnCore } from './onCore';
import { testProfile } from './profile';
import { assemble, missingTools } from './tools';

const source = (name: string): string =>
  readFileSync(join(process.env['BOOTPATH_ROOT'] ?? '.', 'test/core/oracle/images', `${name}.asm`), 'utf8');

const CONTROL_FEATURES = { smep: true, smap: true, fsgsbase: true, xsave: true };
/** Name, model of Bochs, our profile, how many results there are. */
const PRODUCTS = [
  ['descriptors-protected', 'broadwell_ult', testProfile(), 64_512],
  ['descriptors-long', 'broadwell_ult', testProfile(), 450_560],
  ['control-registers', 'ryzen', testProfile({ vendor: 'amd', features: CONTROL_FEATURES }), 827],
] as const;

for (const [name, cpu, profile, results] of PRODUCTS) {
  test(`${name}: ${results} results as on Bochs`, { skip: missingTools('nasm', 'bochs-bin') }, async () => {
    const image = assemble(source(name));
    const each = name === 'control-registers';
    const bochs = tableOf(await runOnBochs({ rom: image, cpu }), each);
    const core = tableOf(runOnCore(image, profile, 1_000_000_000).output, each);
    const count = [...core.values()].reduce((sum, words) => sum + words.trim().split(' ').length, 0);
    assert.equal(count, results);
    assert.deepEqual([...core.keys()], [...bochs.keys()]);
    assert.deepEqual(differences(core, bochs, PRODUCT_DISAGREEMENTS[name] ?? []), []);
  });
}

/** The lines with results, by what stands before the colon; `each`: the words one by one, by their number as well. */
function tableOf(text: string, each: boolean): Map<string, string> {
  assert.match(text, /^status complete$/m, `not finished: ${text.slice(-200)}`);
  return new Map(
    text.split('\n').flatMap((line) => {
      const at = line.indexOf(':');
      if (at < 0) return [];
      const words = line.slice(at + 1);
      if (!each) return [[line.slice(0, at), words] as const];
      return words
        .trim()
        .split(' ')
        .map((word) => [`${line.slice(0, at)} ${word.slice(0, -1)}`, word.slice(-1)] as const);
    }),
  );
}

function differences(
  core: ReadonlyMap<string, string>,
  bochs: ReadonlyMap<string, string>,
  known: readonly ProductDisagreement[],
): string[] {
  const unmet = new Set(known);
  const lines = [...core].flatMap(([line, ours]) => {
    const theirs = bochs.get(line) as string;
    if (ours === theirs) return [];
    const listed = known.find((each) => each.line.test(line));
    if (listed === undefined) return [`${line}\n  core  ${ours}\n  Bochs ${theirs}`];
    unmet.delete(listed);
    const right =
      typeof listed.core === 'string'
        ? ours === core.get(line.replace(/form 0x\d$/, listed.core))
        : listed.core.test(ours);
    return right ? [] : [`${line}\n  core  ${ours}\n  ${listed.source}`];
  });
  return [...lines, ...[...unmet].map((each) => `listed, but Bochs agrees: ${String(each.line)}`)];
}
