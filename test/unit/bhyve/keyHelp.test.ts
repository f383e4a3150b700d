/** Hover and completion of bhyve's keys. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { SourceText } from '../../../server/src/text/sourceText';
import { bhyveConfig } from '../../../server/src/vmm/bhyve/config/language';

const document = (text: string, version = 'freebsd-15') =>
  bhyveConfig.parse(new SourceText('file:///a.conf', text), {
    files: new Map(),
    choice: { vmm: 'bhyve', version },
  });
const hover = (text: string, line: number) => bhyveConfig.describe!(document(text), { line, character: 2 });
const complete = (text: string, version?: string) => {
  const lines = text.split('\n');
  const position = { line: lines.length - 1, character: lines.at(-1)!.length };
  return bhyveConfig.complete!(document(text, version), position).map(({ label }) => label);
};

const DISK = 'memory.size=1G\npci.0.3.0.device=nvme\n';

test('a key says what it does and what holds without it', () => {
  assert.match(
    hover('memory.size=1G', 0)!.markdown,
    /^\*\*memory\.size\*\*: Guest memory.*Default: `256M`\.$/,
  );
  assert.match(hover(`${DISK}pci.0.3.0.ram=64`, 1)!.markdown, /^\*\*nvme\*\*/);
  assert.match(hover(`${DISK}pci.0.3.0.ram=64`, 2)!.markdown, /^\*\*ram\*\*: Size in MiB/);
  assert.equal(hover('memory.size=1G\nown.key=1', 1), null);
});

test('keys are those of the version, and below a device its own', () => {
  const keys = complete('memory.size=1G\nmem');
  assert.ok(
    keys.includes('memory.wired') && keys.includes('lpc.com1.path') && !keys.includes('memory.use_reservoir'),
  );
  assert.ok(complete('memory.size=1G\nmem', 'illumos-2025').includes('memory.use_reservoir'));
  const below = complete(`${DISK}pci.0.3.0.`);
  assert.ok(below.includes('pci.0.3.0.ram') && !below.includes('pci.0.3.0.mac'));
});

test('behind the equals sign stand the words of the key', () => {
  assert.deepEqual(complete('memory.size=1G\nmemory.wired='), ['true', 'false']);
  assert.deepEqual(complete('memory.size=1G\nlpc.fwcfg='), ['bhyve', 'qemu']);
  const devices = complete('memory.size=1G\npci.0.3.0.device=');
  assert.ok(devices.includes('virtio-blk') && !devices.includes('ahci-hd'));
  assert.deepEqual(complete('memory.size=1G\nname='), []);
  assert.deepEqual(complete('memory.size=1G\n# mem'), []);
});
