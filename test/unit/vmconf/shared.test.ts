/** What two VMs that start together cannot both have. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { codes, findings } from './read';

const vm = (name: string, ...options: string[]) =>
  `vm "${name}" {\n${options.map((o) => `\t${o}\n`).join('')}}\n`;
const SWITCH = 'switch "s" {\n\tinterface veb0\n}\n';
const nic = (address: string) => `interface { switch "s" lladdr ${address} }`;

for (const [what, text, expected] of [
  ['one image twice in a VM', vm('a', 'disk "/x"', 'disk "/x"'), 'vmconf-disk-shared'],
  ['one image for two VMs', vm('a', 'disk "/x"') + vm('b', 'disk "/x"'), 'vmconf-disk-shared'],
  ['one tap twice in a VM', vm('a', 'disk "/x"', 'interface tap1', 'interface tap1'), 'vmconf-tap-shared'],
  [
    'one tap for two VMs',
    vm('a', 'disk "/x"', 'interface tap1') + vm('b', 'disk "/y"', 'interface tap1'),
    'vmconf-tap-shared',
  ],
  [
    'one address on a switch, in two spellings',
    SWITCH + vm('a', 'disk "/x"', nic('fe:e1:ba:00:00:01')) + vm('b', 'disk "/y"', nic('FE:E1:BA:0:0:1')),
    'vmconf-lladdr-shared',
  ],
] as const) {
  test(`${what} is told`, () => assert.deepEqual(codes(text), [expected]));
}

test('an image twice in one VM is an error, for two VMs a warning', () => {
  assert.equal(findings(vm('a', 'disk "/x"', 'disk "/x"'))[0]?.severity, 'error');
  assert.equal(findings(vm('a', 'disk "/x"') + vm('b', 'disk "/x"'))[0]?.severity, 'warning');
});

for (const [what, text] of [
  ['VMs of which one is started by hand', vm('a', 'disk "/x"') + vm('b', 'disable', 'disk "/x"')],
  ['the next tap device', vm('a', 'disk "/x"', 'interface tap') + vm('b', 'disk "/y"', 'interface tap')],
  ['a CD-ROM image for two VMs', vm('a', 'cdrom "/x"') + vm('b', 'cdrom "/x"')],
  [
    'addresses on other switches',
    SWITCH +
      SWITCH.replace('"s"', '"t"').replace('veb0', 'veb1') +
      vm('a', 'disk "/x"', nic('fe:e1:ba:00:00:01')) +
      vm('b', 'disk "/y"', nic('fe:e1:ba:00:00:01').replace('"s"', '"t"')),
  ],
  [
    'addresses that vmd draws',
    SWITCH + vm('a', 'disk "/x"', nic('00:00:00:00:00:00')) + vm('b', 'disk "/y"', nic('00:00:00:00:00:00')),
  ],
] as const) {
  test(`nothing is said about ${what}`, () => assert.deepEqual(codes(text), []));
}
