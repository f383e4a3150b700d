/** Our languages through the server: each feature once, on a text that a user would have. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type * as lsp from 'vscode-languageserver-types';
import type { DecodeResult, LayoutResult, RegionAtResult, StatusResult } from '../../server/src/protocol';
import { buildServer, Client, removeServer } from './client';
import { marked } from './markers';

const LIMIT = { timeout: 120_000 };
const EVERYTHING = { start: { line: 0, character: 0 }, end: { line: 100_000, character: 0 } };

let client: Client;
let opened = 0;
const uris: string[] = [];

before(async () => {
  client = await Client.start(await buildServer());
});

after(async () => {
  client.kill();
  await client.exited;
  removeServer();
});

/** Opens a fixture under a name of its own. */
async function open(fixture: string, languageId: string, name = 'vm.conf') {
  const uri = `file:///fixture/${++opened}/${name}`;
  const { text, cursor, expected } = marked(fixture);
  await client.open(uri, languageId, text);
  uris.push(uri);
  return { uri, text, position: cursor!, expected };
}

async function hover(fixture: string, languageId: string): Promise<string> {
  const { uri, position } = await open(fixture, languageId);
  const found = await client.about<lsp.Hover | null>('hover', uri, { position });
  return found ? (found.contents as lsp.MarkupContent).value : '';
}

const E820 = [
  'BIOS-provided physical RAM map:',
  'BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable',
  'BIOS-e820: [mem 0x000000000009fc00-0x000000000009ffff] reserved',
  'BIOS-e820: [mem 0x0000000000100000-0x000000007fffffff] usable',
].join('\n');

test('e820: the closed end of the text is shown as the half-open one', LIMIT, async () => {
  const { uri } = await open(E820, 'log', 'dmesg.log');
  const hints = await client.about<lsp.InlayHint[]>('inlayHint', uri, { range: EVERYTHING });
  assert.deepEqual(
    hints.map(({ position, label }) => [position.line, label]),
    [
      [1, '→ 0x9fc00 · 639 KiB · ram'],
      [2, '→ 0xa0000 · 1 KiB · reserved'],
      [3, '→ 0x80000000 · 2047 MiB · ram'],
    ],
  );
});

test('e820: a hover names the neighbours, an address its region', LIMIT, async () => {
  const text = await hover(E820.replace('0x000000000009ffff', '0x00000000000$09ffff'), 'plaintext');
  assert.match(text, /Below: .*`\[0x0, 0x9fc00\)`, which touches it/);
  assert.match(text, /Above: .*`\[0x100000, 0x80000000\)`, after a hole of 384 KiB/);
  const address = await hover(E820 + '\nthe guest jumped to 0x9f$0800\n', 'memmap');
  assert.match(address, /`0x9f800` is in .*, 0x400 before its end, where reserved begins/);
});

test('e820: a line leads to its region in the picture', LIMIT, async () => {
  const { uri } = await open(E820, 'memmap', 'map.txt');
  const found = await client.request<RegionAtResult>('bootpath/regionAt', {
    uri,
    position: { line: 2, character: 5 },
  });
  assert.deepEqual(
    found.selected.map((index) => found.machine.regions[index]?.start),
    ['0x9fc00'],
  );
});

test(
  'a memory map has the picture lens, and one that boots it as a VMM of the user’s choice',
  LIMIT,
  async () => {
    const { uri } = await open(E820, 'memmap', 'map.txt');
    const lenses = await client.about<lsp.CodeLens[]>('codeLens', uri);
    assert.deepEqual(
      lenses.map(({ command }) => command?.command),
      ['bootpath.simulateBootAs', 'bootpath.showAddressSpace'],
    );
  },
);

const OOPS = readFileSync(join(process.env.BOOTPATH_ROOT!, 'examples/vmd-alpine/reboot-crash.txt'), 'utf8');

test('a crash dump: a register is decoded under the cursor', LIMIT, async () => {
  const at = /CR0: 0{8}(?=[0-9a-f]{8})/.exec(OOPS)!;
  const end = at.index + at[0].length;
  assert.match(await hover(`${OOPS.slice(0, end)}$0${OOPS.slice(end)}`, 'crash-dump'), /\*\*cr0\*\*/);
});

test('a crash dump: an address is looked up in the configs that are open', LIMIT, async () => {
  for (const uri of uris.splice(0)) await client.close(uri);
  await open('vm "looked-up" {\n  memory 64M\n}\n', 'vmconf');
  const text = await hover('RIP: 0010:000000000009a0$070', 'crash-dump');
  assert.match(
    text,
    /If this is a guest-physical address:\n\n(?:.*\n\n)*In \*\*looked-up\*\* `0x9a070` is in/,
  );
});

test('a crash dump is decoded against the configs that are named', LIMIT, async () => {
  const { uri } = await open(E820, 'memmap', 'map.txt');
  const result = await client.request<DecodeResult>('bootpath/decode', {
    text: OOPS,
    uri: null,
    configs: [uri],
  });
  assert.equal(result.recognised, true);
  assert.ok(result.findings.length > 0);
  assert.match(result.text, /^ *clipboard:\d+:\d+/m);
  const nothing = await client.request<DecodeResult>('bootpath/decode', {
    text: 'hello',
    uri: null,
    configs: [],
  });
  assert.equal(nothing.recognised, false);
});

const VMCONF = [
  'sets = "/var/www/htdocs/pub/"',
  'switch "uplink" {',
  '  interface bridge0',
  '}',
  'vm "alpine" {',
  '  memory 1G',
  '  boot $sets "bsd.rd"',
  '  disk "/home/vm/alpine.qcow2"',
  '  interface { switch "uplink" }',
  '}',
  '',
].join('\n');

for (const [what, fixture] of [
  ['an undefined macro', 'vm "a" {\n  disk $nothing\n       ^^^^^^^^ vmconf-undefined-macro\n}\n'],
  [
    'a column behind characters of two UTF-16 units',
    'vm "a" {\n disk "🐡🐡" $no\n             ^^^ vmconf-undefined-macro\n}\n',
  ],
] as const) {
  test(`vm.conf: ${what} is marked where it stands, with a page to read`, LIMIT, async () => {
    const { uri, expected } = await open(fixture, 'vmconf');
    const diagnostics = await client.diagnostics(uri);
    for (const { range, words } of expected) {
      const found = diagnostics.find(({ code }) => code === words);
      assert.deepEqual(found?.range, range, JSON.stringify(diagnostics));
      assert.equal(found?.source, 'bootpath');
      assert.match(found?.codeDescription?.href ?? '', new RegExp(`/docs/checks/${words}\\.md$`));
    }
  });
}

test('vm.conf: a finding can be turned off by a comment in the text', LIMIT, async () => {
  const { uri } = await open('vm "a" {\n  disk $nothing\n}\n', 'vmconf');
  const codes = async () => (await client.diagnostics(uri)).map(({ code }) => code);
  assert.ok((await codes()).includes('vmconf-undefined-macro'));
  await client.change(uri, 'vm "a" {\n  disk $nothing # bootpath-disable-line vmconf-undefined-macro\n}\n');
  assert.ok(!(await codes()).includes('vmconf-undefined-macro'));
});

test('vm.conf: found by content under the id that a bare VS Code gives it', LIMIT, async () => {
  const { uri } = await open(VMCONF, 'properties');
  const lenses = await client.about<lsp.CodeLens[]>('codeLens', uri);
  assert.deepEqual(
    lenses.map(({ range, command }) => [range.start.line, command?.command, command?.arguments]),
    [
      [4, 'bootpath.simulateBoot', [uri, 'alpine']],
      [4, 'bootpath.simulateBootAs', [uri, 'alpine']],
      [4, 'bootpath.showAddressSpace', [uri, 'alpine']],
    ],
  );
});

test('vm.conf: the memory line tells what becomes of it', LIMIT, async () => {
  const { uri } = await open(VMCONF, 'vmconf');
  const hints = await client.about<lsp.InlayHint[]>('inlayHint', uri, { range: EVERYTHING });
  const memory = hints.find(({ position }) => position.line === 5);
  assert.match(JSON.stringify(memory?.label), /^"→ 0x[0-9a-f]+ · .*ram/);
  assert.match(
    await hover(VMCONF.replace('memory 1G', 'memory 1$0G'), 'vmconf'),
    /\| start \| end \(exclusive\)/,
  );
});

test('vm.conf: a macro leads to its definition, a switch to its block', LIMIT, async () => {
  for (const [mark, line] of [
    ['$se$0ts', 0],
    ['switch "upl$0ink" }', 1],
  ] as const) {
    const { uri, position } = await open(VMCONF.replace(mark.replace('$0', ''), mark), 'vmconf');
    const found = await client.about<lsp.Location>('definition', uri, { position });
    assert.equal(found.range.start.line, line, mark);
  }
});

test('vm.conf: disks and kernels are links', LIMIT, async () => {
  const { uri } = await open(VMCONF, 'vmconf');
  const links = await client.about<lsp.DocumentLink[]>('documentLink', uri);
  assert.ok(
    links.some(({ target }) => target === 'file:///home/vm/alpine.qcow2'),
    JSON.stringify(links),
  );
});

test('vm.conf: the outline has the machine, and its block folds', LIMIT, async () => {
  const { uri } = await open(VMCONF, 'vmconf');
  const symbols = await client.about<lsp.DocumentSymbol[]>('documentSymbol', uri);
  assert.ok(
    symbols.some(({ name }) => name === 'alpine'),
    JSON.stringify(symbols.map(({ name }) => name)),
  );
  const folds = await client.about<lsp.FoldingRange[]>('foldingRange', uri);
  assert.ok(
    folds.some(({ startLine, endLine }) => startLine === 4 && endLine === 8),
    JSON.stringify(folds),
  );
});

test('vm.conf: keywords are offered where they may stand, and explained', LIMIT, async () => {
  const { uri, position } = await open(VMCONF.replace('  memory 1G', '  mem$0'), 'vmconf');
  const items = await client.about<lsp.CompletionItem[]>('completion', uri, { position });
  assert.ok(
    items.some(({ label }) => label === 'memory'),
    JSON.stringify(items.map(({ label }) => label)),
  );
  assert.notEqual(await hover(VMCONF.replace('memory', 'mem$0ory'), 'vmconf'), '');
});

test('vm.conf: this host is asked for images where the setting says so', LIMIT, async () => {
  const text = 'vm "a" {\n  disk "/nowhere/a.img"\n  boot "/"\n}\n';
  const { uri } = await open(text, 'vmconf');
  const missing = async () =>
    (await client.diagnostics(uri))
      .filter(({ code }) => code === 'host-image-missing')
      .map(({ range }) => range.start.line);
  assert.deepEqual(await missing(), []);
  client.settings = { checkHost: true };
  await client.connection.sendNotification('workspace/didChangeConfiguration', { settings: null });
  assert.deepEqual(await missing(), [1]);
  client.settings = {};
  await client.connection.sendNotification('workspace/didChangeConfiguration', { settings: null });
});

test('vm.conf: the status says which vmd it was read for', LIMIT, async () => {
  const { uri } = await open('# bootpath: vmd@7.8\n' + VMCONF, 'vmconf');
  const status = await client.request<StatusResult>('bootpath/status', { uri });
  assert.deepEqual([status.vmm, status.version, status.reason], ['vmd', '7.8', 'pragma']);
  assert.ok(status.versions.length > 1);
});

const NUL_MAP = E820.replaceAll('\n', '\n\0\n');
for (const languageId of ['vmconf', 'memmap', 'crash-dump']) {
  for (const [what, text] of [
    ['NUL bytes', `${NUL_MAP}\0vm "a" {\0memory 512M }\0`],
    ['CRLF', E820.replaceAll('\n', '\r\n')],
    ['lone surrogates', '\ud800 vm "\udc00" {\n'],
    ['ten megabytes in one line', 'vm "' + '0x9fc00 '.repeat(1_250_000)],
    ['conflict markers', `<<<<<<< ours\n${E820}\n=======\nvm "a" {\n>>>>>>> theirs\n`],
    ['nothing', ''],
  ] as const) {
    test(`${languageId} survives ${what}`, LIMIT, async () => {
      const { uri } = await open('', languageId);
      await client.change(uri, text);
      const position = { line: 0, character: 3 };
      assert.ok(Array.isArray(await client.diagnostics(uri)));
      for (const [method, more] of [
        ['codeLens', {}],
        ['completion', { position }],
        ['documentSymbol', {}],
        ['foldingRange', {}],
        ['hover', { position }],
        ['inlayHint', { range: EVERYTHING }],
      ] as const) {
        await client.about(method, uri, more);
      }
      const { machines } = await client.request<LayoutResult>('bootpath/layout', { uri });
      assert.ok(Array.isArray(machines));
      const failures = client.logged.filter((line) => line.includes('failed'));
      assert.deepEqual(failures, []);
      await client.close(uri);
    });
  }
}

test('a boot plan: hover, completion, outline and findings come from its table of keys', LIMIT, async () => {
  const plan = '[[region]]\nkind = "ram"\nbase = 0\nsize = "640K"\n[[vcpu]]\ncr0 = ["PE", "$0"]\nrpi = 0\n';
  const { uri, position } = await open(plan, 'boot-plan', 'entry.boot.toml');
  const items = await client.about<lsp.CompletionItem[]>('completion', uri, { position });
  assert.ok(items.some(({ label }) => label === 'PG'));
  const found = await client.about<lsp.Hover>('hover', uri, { position: { line: 5, character: 1 } });
  assert.match((found.contents as lsp.MarkupContent).value, /CR0: protection/);
  const symbols = await client.about<lsp.DocumentSymbol[]>('documentSymbol', uri);
  assert.deepEqual(
    symbols.map(({ name }) => name),
    ['ram', 'vcpu 0'],
  );
  const diagnostics = await client.diagnostics(uri);
  const unknown = diagnostics.find(({ code }) => code === 'boot-plan-unknown-key')!;
  assert.match(unknown.message as string, /`rpi` is no key .* Probably `rip` was meant/);
  assert.match(unknown.codeDescription!.href, /docs\/checks\/boot-plan-unknown-key\.md$/);
});

test('Firecracker JSON: a key is explained and completed', LIMIT, async () => {
  const text = '{"boot-source": {"kernel_$0image_path": "vmlinux"}, "drives": []}';
  assert.match(await hover(text, 'json'), /\*\*kernel_image_path\*\* · a string · required/);
  const { uri, position } = await open('{"boot-source": {"$0"}, "drives": []}', 'json', 'fc.json');
  const items = await client.about<lsp.CompletionItem[] | lsp.CompletionList>('completion', uri, {
    position,
  });
  const labels = ('items' in items ? items.items : items).map(({ label }) => label);
  assert.deepEqual(labels, ['kernel_image_path', 'initrd_path', 'boot_args']);
});
