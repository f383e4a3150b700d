import assert from 'node:assert/strict';
import { test } from 'node:test';
import { regionViews, spoken, type WireMachine } from '../../../client/webview/view';

type Region = WireMachine['regions'][number];

const region = (start: string, end: string, more: Partial<Region> = {}): Region => ({
  start,
  end,
  kind: 'ram',
  name: 'RAM',
  permissions: 'rwx',
  reason: 'It was asked for.',
  uri: 'file:///vm.conf',
  range: { start: { line: 2, character: 1 }, end: { line: 2, character: 9 } },
  approximate: false,
  ...more,
});

const machine = (...regions: Region[]): WireMachine => ({
  name: 'alpine',
  vmm: 'vmd@7.8',
  uri: 'file:///vm.conf',
  range: { start: { line: 1, character: 3 }, end: { line: 1, character: 11 } },
  regions,
});

const keys = (...regions: Region[]): string[] => regionViews(machine(...regions)).map(({ key }) => key);

test('a key stays when sizes change, and tells regions of one name apart', () => {
  const before = keys(region('0x0', '0xa0000'), region('0x100000', '0x40000000'));
  const after = keys(region('0x0', '0x90000'), region('0x100000', '0xc0000000'));
  assert.deepEqual(before, after);
  assert.notEqual(before[0], before[1]);
});

test('a screen reader hears name, kind, both ends, size, access and the line', () => {
  const [view] = regionViews(
    machine(region('0xffc00000', '0x100000000', { kind: 'rom', name: 'firmware', permissions: 'r-x' })),
  );
  assert.equal(
    spoken(view!),
    'firmware, ROM; from 0xffc00000 to 0x100000000, exclusive; 4 MiB; permissions r-x; line 3',
  );
});

test('a region that only the VMM knows has no line', () => {
  const [view] = regionViews(machine(region('0x0', '0x1000', { uri: null, range: null, permissions: null })));
  assert.match(spoken(view!), /decided by the VMM$/);
});

test('the end of the 64-bit address space is exact', () => {
  const [view] = regionViews(machine(region('0xfffffffffffff000', '0x10000000000000000')));
  assert.equal(view!.size, '4 KiB');
});

test('a rounded end is marked', () => {
  const [view] = regionViews(machine(region('0x0', '0x100000', { approximate: true })));
  assert.ok(view!.size.startsWith('~'));
});
