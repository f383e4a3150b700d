/** A comment that the quick fix writes is one that the reader of the format takes for a comment, and that silences. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { codeActions, type CodeActionQuery } from '../../../server/src/features/codeActions';
import { bootpathService } from '../../../server/src/service';
import type { Document } from '../../../server/src/machine/language';
import type { Finding } from '../../../server/src/text/finding';
import { SourceText } from '../../../server/src/text/sourceText';
import { applyEdits } from '../../lsp/markers';

const URI = 'file:///guest';

/** Each with one finding that is no error, by its code. */
const TEXTS: readonly [kind: string, code: string, text: string][] = [
  ['vmconf', 'vmconf-macro-unused', 'iso = "/x.iso"\nvm "a" {\n\tdisk "/d"\n}\n'],
  [
    'bhyve-config',
    'bhyve-unknown-key',
    'name=guest\nmemory.size=1G\nx86.vmexit_on_true=true\nbootrom=/r\npci.0.0.0.device=hostbridge\npci.0.31.0.device=lpc\n',
  ],
  [
    'bhyve-command',
    'bhyve-command-no-op',
    '#!/bin/sh\nif true; then\n\tbhyve -A -c 2 -m 1G -s 0,hostbridge -s 31,lpc -l bootrom,/r guest\nfi\n',
  ],
  [
    'vm-bhyve',
    'vm-bhyve-unknown-key',
    'loader="uefi"\ncpu=1\nmemory=1G\nnetwork0_type="virtio-net"\nnetwork0_switch="public"\ndisk0_type="virtio-blk"\ndisk0_name="d"\ngrpahics="yes"\n',
  ],
  [
    'propolis',
    'propolis-unknown-key',
    '[main]\nname = "a"\ncpus = 1\nmemory = 512\nbootrom = "/r"\nexit-on-halt = 3\n',
  ],
  [
    'boot-plan',
    'boot-plan-closed-end',
    'name = "a"\n[[region]]\nkind = "ram"\nstart = 0\nlast = 0x90000\n[expect]\noutcome = "halted"\n',
  ],
  ['qemu-config', 'qemu-key-twice', '[machine]\n  type = "pc"\n[memory]\n  size = "512"\n  size = "1G"\n'],
  [
    'libkrun-c',
    'libkrun-deprecated',
    '#include <libkrun.h>\nint main(void) {\n  int ctx = krun_create_ctx();\n  krun_set_vm_config(ctx, 1, 512);\n  krun_set_root_disk(ctx, "/d");\n  return krun_start_enter(ctx);\n}\n',
  ],
  [
    'memmap',
    'map-unsorted',
    '  0x0 header\nBIOS-e820: [mem 0x0000000000100000-0x000000000fffffff] usable\nBIOS-e820: [mem 0x0000000000000000-0x000000000009ffff] usable\n',
  ],
];

function read(text: string): { document: Document; findings: Finding[] } {
  const language = bootpathService.claim('', text, URI);
  assert.ok(language, 'the text is recognised');
  const document = bootpathService.parse(language, new SourceText(URI, text), { files: new Map() });
  return { document, findings: bootpathService.findings(document) };
}

for (const [kind, code, text] of TEXTS) {
  test(`${kind}: the comment silences its line and changes nothing else`, () => {
    const { document, findings } = read(text);
    assert.equal(document.language, kind);
    const found = findings.filter((finding) => finding.code === code);
    assert.equal(found.length, 1, findings.map((finding) => finding.code).join());
    const query: CodeActionQuery = { range: found[0]!.at!.range, diagnostics: [], only: ['quickfix'] };
    const action = codeActions(document, found, query).find(({ title }) => title.startsWith('Silence'));
    assert.equal(action?.title, `Silence ${code} on this line`);
    const silenced = read(applyEdits(text, action.edit!.changes![URI]!));
    const rest = (list: readonly Finding[]) =>
      list.map((finding) => finding.code).filter((other) => other !== code);
    assert.deepEqual(
      silenced.findings.map((finding) => finding.code),
      rest(findings),
    );
    assert.deepEqual(
      silenced.document.machines.map(({ regions }) => regions.length),
      document.machines.map(({ regions }) => regions.length),
    );
  });
}

test('JSON has no comments: the finding is silenced in the settings', () => {
  const { document, findings } = read(
    '{"boot-source": {"kernel_image_path": "/k"}, "drives": [], "machine_config": {}}',
  );
  const found = findings.find(({ code }) => code === 'firecracker-unknown-key')!;
  const query: CodeActionQuery = { range: found.at!.range, diagnostics: [], only: ['quickfix'] };
  const actions = codeActions(document, [found], query);
  const { command } = actions.find(({ title }) => title.startsWith('Silence'))!;
  assert.deepEqual(command?.arguments, ['firecracker-unknown-key', URI]);
});

test('a command over several lines takes no comment between them', () => {
  const text = '#!/bin/sh\nbhyve -c 2 -m 1G \\\n\t-A -s 0,hostbridge -s 31,lpc -l bootrom,/r guest\n';
  const { document, findings } = read(text);
  const found = findings.find(({ code }) => code === 'bhyve-command-no-op')!;
  const query: CodeActionQuery = { range: found.at!.range, diagnostics: [], only: ['quickfix'] };
  const silence = codeActions(document, [found], query).find(({ title }) => title.startsWith('Silence'));
  assert.deepEqual([silence?.edit, silence?.command?.arguments?.[0]], [undefined, 'bhyve-command-no-op']);
});

test('what a VMM refuses is not silenced: the guest does not start, silence or not', () => {
  const { document, findings } = read('vm "a" {\n\tmemory 512\n\tdisk "/d"\n}\n');
  const found = findings.find(({ severity }) => severity === 'error')!;
  const query: CodeActionQuery = { range: found.at!.range, diagnostics: [], only: ['quickfix'] };
  const titles = codeActions(document, [found], query).map(({ title }) => title);
  assert.ok(!titles.some((title) => title.startsWith('Silence')), titles.join());
});
