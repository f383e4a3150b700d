/** Checks on a config that is read for another VMM than its own: what only concerns its own VMM is not said of the other. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { runChecks } from '../../../server/src/checks/catalogue';
import { documentUnder } from '../../../server/src/vmm/documentUnder';
import type { VmmChoice } from '../../../server/src/machine/language';
import { SourceText } from '../../../server/src/text/sourceText';
import { vmconf } from '../../../server/src/vmm/vmd/language';

const CONFIG = '# bootpath: vmd@7.8\nvm "alpine" {\n\tmemory 2G\n\tdisk "/a.img"\n}\n';

function codes(choice?: VmmChoice): string[] {
  const document = vmconf.parse(new SourceText('file:///vm.conf', CONFIG), { files: new Map() });
  return runChecks(documentUnder(document, choice)).map(({ code }) => code);
}

test('vmd-lowmem is said of a vm.conf under an affected vmd', () => {
  assert.ok(codes().includes('vmd-lowmem'));
});

for (const [vmm, version] of [
  ['firecracker', '1.4'],
  ['bhyve', 'illumos-2021-08'],
  ['propolis', '2025-05'],
  ['cloud-hypervisor', 'v52.0'],
  ['pc', 'i440fx'],
] as const) {
  test(`a vm.conf under ${vmm}: neither vmd-lowmem nor a warning of RAM that ${vmm} means so`, () => {
    assert.deepEqual(codes({ vmm, version }), []);
  });
}
