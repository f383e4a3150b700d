/** What package.json promises and the sources keep. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { REGION_KINDS } from '../../../server/src/machine/machine';
import { PALETTES } from '../../../server/src/picture/palettes';

interface Manifest {
  readonly activationEvents: readonly string[];
  readonly icon: string;
  readonly contributes: {
    readonly languages: readonly { readonly id: string; readonly configuration?: string }[];
    readonly grammars: readonly { readonly language?: string; readonly path: string }[];
    readonly snippets: readonly { readonly language: string; readonly path: string }[];
    readonly commands: readonly { readonly command: string }[];
    readonly menus: Readonly<Record<string, readonly { readonly command: string }[]>>;
    readonly configuration: { readonly properties: Readonly<Record<string, { readonly scope: string }>> };
    readonly colors: readonly { readonly id: string; readonly defaults: Readonly<Record<string, string>> }[];
  };
  readonly capabilities: {
    readonly untrustedWorkspaces: { readonly restrictedConfigurations: readonly string[] };
  };
}

const root = process.env['BOOTPATH_ROOT']!;
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
const { contributes } = manifest;
const sources = readdirSync(join(root, 'client/src'))
  .map((name) => readFileSync(join(root, 'client/src', name), 'utf8'))
  .join('\n');

test('every command is registered by the client, and every menu entry is a command', () => {
  const commands = new Set(contributes.commands.map(({ command }) => command));
  for (const command of commands) assert.ok(sources.includes(`'${command}'`), `${command} is not registered`);
  for (const { command } of Object.values(contributes.menus).flat())
    assert.ok(commands.has(command), command);
});

test('every file that is contributed is there', () => {
  const paths = [
    ...contributes.languages.flatMap(({ configuration }) => configuration ?? []),
    ...contributes.grammars.map(({ path }) => path),
    ...contributes.snippets.map(({ path }) => path),
    manifest.icon,
  ];
  for (const path of paths) assert.ok(existsSync(join(root, path)), path);
});

test('grammars and snippets belong to languages that are contributed', () => {
  const ids = new Set(contributes.languages.map(({ id }) => id));
  for (const { language } of [...contributes.grammars, ...contributes.snippets])
    if (language !== undefined) assert.ok(ids.has(language), language);
});

test('each kind of region has a colour, the same in the panel as in other pictures', () => {
  const id = (kind: string) => `bootpath.region${kind[0]!.toUpperCase()}${kind.slice(1)}`;
  for (const kind of REGION_KINDS) {
    const colour = contributes.colors.find((one) => one.id === id(kind));
    assert.deepEqual(colour?.defaults, {
      light: PALETTES.light.kinds[kind].strong,
      dark: PALETTES.dark.kinds[kind].strong,
      highContrast: PALETTES['hc-dark'].kinds[kind].strong,
      highContrastLight: PALETTES['hc-light'].kinds[kind].strong,
    });
  }
});

test('settings that name images or ask the host are restricted in an untrusted workspace', () => {
  const settings = contributes.configuration.properties;
  for (const name of manifest.capabilities.untrustedWorkspaces.restrictedConfigurations)
    assert.ok(name in settings, name);
  const restricted = new Set(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations);
  for (const name of ['bootpath.simulate.firmware', 'bootpath.simulate.kernel', 'bootpath.checkHost'])
    assert.ok(restricted.has(name), name);
});
