import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import { test } from 'node:test';
import * as esbuild from 'esbuild';
import type { Language } from '../../server/src/machine/language';
import { createService } from '../../server/src/service';
import { toy } from './features/toyLanguage';

const jsonVmm: Language = {
  kind: 'firecracker',
  vmm: null,
  recognise: (text) => text.includes('"boot-source"'),
  parse: (source, context) => toy.parse(source, context),
};

const service = createService({ languages: [toy, jsonVmm], versions: {} });

for (const [languageId, text, kind] of [
  ['vmconf', 'anything', 'vmconf'],
  ['properties', '# toy', 'vmconf'],
  ['', '# toy', 'vmconf'],
  ['properties', 'a = b', null],
  ['json', '{"boot-source": {}}', 'firecracker'],
  ['json', '{"name": "x"}', null],
  ['markdown', '# toy', null],
  ['typescript', '{"boot-source": {}}', null],
  ['firecracker', '', 'firecracker'],
] as const) {
  test(`a text ${JSON.stringify(text)} under the id "${languageId}" is ${kind ?? 'not ours'}`, () => {
    assert.equal(service.claim(languageId, text, '')?.kind ?? null, kind);
  });
}

test('symbols are given under our own ids, not beside the language of somebody else', () => {
  assert.equal(service.ownsOutline('vmconf'), true);
  assert.equal(service.ownsOutline('json'), false);
});

test('a VMM that nobody knows has no versions', () => {
  assert.deepEqual(service.versions('constructor'), []);
  assert.deepEqual(service.versions(null), []);
});

test('the service is bundled for a browser: nothing in it needs Node', async () => {
  const root = process.env.BOOTPATH_ROOT!;
  const { metafile } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: [join(root, 'server/src/service.ts')],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    loader: { '.wasm': 'binary', '.bin': 'binary' },
    logLevel: 'silent',
  });
  const inputs = Object.keys(metafile.inputs);
  assert.ok(inputs.includes('server/src/features/hover.ts'), 'it bundles the features');
  assert.deepEqual(
    inputs.filter((name) => /vscode-(languageserver|jsonrpc)\//.test(name)),
    [],
  );
});
