/** Hover and completion in a Propolis config. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { SourceText } from '../../../server/src/text/sourceText';
import { propolis } from '../../../server/src/vmm/propolis/language';
import { boxlite } from '../../../server/src/vmm/libkrun/boxlite/language';

const at = (text: string, language = propolis, version?: string) => {
  const offset = text.indexOf('$0');
  const source = new SourceText('file:///vm', text.slice(0, offset) + text.slice(offset + 2));
  const document = language.parse(source, {
    files: new Map(),
    ...(version ? { choice: { vmm: 'propolis', version } } : {}),
  });
  return { document, position: source.lines.positionAt(offset) };
};
const hover = (text: string, language = propolis) => {
  const { document, position } = at(text, language);
  return language.describe!(document, position)?.markdown ?? '';
};
const labels = (text: string, version?: string) => {
  const { document, position } = at(text, propolis, version);
  return propolis.complete!(document, position).map(({ label }) => label);
};

test('a hover says what a key takes', () => {
  assert.match(hover('[main]\nmem$0ory = 1024\n'), /Guest memory in MiB/);
  assert.match(hover('[dev.a]\ndriver = "pci-nvme"\npci-pa$0th = "0.4.0"\n'), /bus\.device\.function/);
  assert.match(hover('[dev.a]\ndriver = "pci-n$0vme"\n'), /NVMe disk/);
  assert.equal(hover('[main]\n# mem$0ory\n'), '');
  assert.match(hover('{"rootfs": {"Image": "a"}, "det$0ach": true}', boxlite), /outlives the process/);
});

test('keys that are missing are suggested, those that must be there first', () => {
  const found = labels('[main]\nname = "a"\n$0\n');
  assert.deepEqual(found.slice(0, 3), ['cpus', 'bootrom', 'memory']);
  assert.ok(!found.includes('name'));
});

test('keys depend on the driver, and on the version', () => {
  const viona = labels('[dev.a]\ndriver = "pci-virtio-viona"\n$0\n');
  assert.ok(viona.includes('vnic') && viona.includes('rx-queue-size') && !viona.includes('block_dev'));
  assert.ok(!labels('[main]\n$0\n', '2023-05').includes('exit_on_halt'));
});

test('words are suggested in quotes', () => {
  assert.ok(labels('[dev.a]\ndriver = "$0"\n').includes('pci-virtio-block'));
  assert.ok(labels('[block_dev.a]\ntype = $0\n').includes('mem-async'));
});

test('what is written for a key is of its type', () => {
  const { document, position } = at('[dev.a]\ndriver = "pci-nvme"\n$0\n');
  const key = propolis.complete!(document, position).find(({ label }) => label === 'block_dev')!;
  assert.match(JSON.stringify(key), /disk0/);
});
