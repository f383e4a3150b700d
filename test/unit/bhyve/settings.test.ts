/** What the board of bhyve makes of a config's own options. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { GuestDescription, Setting } from '../../../server/src/machine/machine';
import { bhyveSettings } from '../../../server/src/vmm/bhyve/settings';
import { NEWEST_BHYVE } from '../../../server/src/vmm/bhyve/versions';

function guest(settings: Record<string, Setting>): GuestDescription {
  const origin = { kind: 'vmm', vmm: 'bhyve', version: NEWEST_BHYVE.id, citation: 'this test' } as const;
  const facts = Object.entries(settings).map(([key, value]) => [key, { value, origin }] as const);
  return {
    name: 'guest',
    memory: null,
    vcpus: { value: 1, origin },
    images: [],
    settings: new Map(facts),
    at: null,
    nameAt: null,
  };
}

for (const [text, cores] of [
  ['4', 4],
  // strtoul with base 0, as parse_int_value calls it (usr.sbin/bhyve/bhyverun.c).
  ['010', 8],
  ['0x10', 16],
  ['0', 1],
  ['2x', 1],
] as const) {
  test(`cores=${text} makes ${cores} a socket`, () => {
    assert.equal(bhyveSettings(guest({ cores: text }), NEWEST_BHYVE.facts).cores, cores);
  });
}
