import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { hex } from '../../../server/src/address/format';
import { renderText } from '../../../server/src/picture/text';
import { anyMachine, region, VMD } from './sample';

const pathOf = (uri: string): string => uri.replace('file:///', '');

test('every region has its address, kind, size, name, place and reason', () => {
  const lines = renderText(VMD, { pathOf }).split('\n');
  const at = lines.findIndex((line) => line.trim().startsWith('0xffc00000 '));
  assert.match(lines[at]!, /^ 0xffc00000 ├─+┤$/);
  assert.match(lines[at + 1]!, /│▒▒ reserved +4 MiB │ firmware · vm\.conf:3$/);
  assert.match(lines[at + 2]!, /why firmware$/);
  assert.match(lines.at(-1)!, /^0x210000000 └─+┘$/);
});

test('the columns of the box stand below each other', () => {
  for (const ascii of [false, true]) {
    const lines = renderText(VMD, { pathOf, ascii }).split('\n');
    const column = lines[0]!.search(ascii ? /\+/ : /┌/);
    for (const line of lines) assert.match(line[column]!, /[┌├└│┆+|:]/, line);
  }
});

test('a hole is drawn torn, an overlap is said, a selection is pointed at', () => {
  const machine = {
    ...VMD,
    regions: [
      region(0n, 0x3000n, 'ram', 'a'),
      region(0x2000n, 0x4000n, 'rom', 'b'),
      region(0x9000n, 0xa000n, 'ram', 'c'),
    ],
  };
  const text = renderText(machine, { selected: [1] });
  assert.match(text, /┆ +not mapped 20 KiB +┆/);
  assert.match(text, /0x2000 ├─+┤ overlaps what is above/);
  assert.match(text, /▶ │▓▓ ROM/);
});

test('a region without a place or with an approximate end says so', () => {
  const machine = {
    ...VMD,
    regions: [{ ...region(0n, 3n << 30n, 'ram', 'sysmem'), approximate: true, permissions: 'rwx', at: null }],
  };
  assert.match(renderText(machine, { pathOf }), /~3 GiB │ sysmem · rwx\n/);
});

test('a machine without regions is one sentence', () => {
  assert.equal(renderText({ ...VMD, regions: [] }), 'no region is known');
});

test('any machine keeps within the width, ends no line with a blank, and names every start', () => {
  fc.assert(
    fc.property(anyMachine, fc.integer({ min: 60, max: 160 }), fc.boolean(), (machine, width, ascii) => {
      fc.pre(machine.regions.length > 0);
      const text = renderText(machine, { width, ascii, pathOf });
      const lines = text.split('\n');
      for (const line of lines) {
        assert.equal(line, line.trimEnd());
        // eslint-disable-next-line no-control-regex
        assert.doesNotMatch(line, /[\u0000-\u001f]/);
      }
      for (const line of lines) assert.ok(line.length <= width, `${line.length}: ${line}`);
      for (const { range } of machine.regions)
        assert.ok(lines.some((line) => line.trimStart().startsWith(hex(range.start) + ' ')));
    }),
  );
});

test('what lies in another region is set in below it and says where it lies', () => {
  const nested = {
    ...VMD,
    regions: [
      region(0x1000n, 0x9000n, 'ram', 'System RAM'),
      { ...region(0x2000n, 0x3000n, 'ram', 'Kernel code'), level: 1 },
    ],
  };
  const lines = renderText(nested, { ascii: true }).split('\n');
  assert.ok(lines.some((line) => /0x2000 \+-+\+ in System RAM$/.test(line)));
  assert.ok(
    lines.some((line) => /^ +\| ## RAM +4 KiB \| Kernel code$/.test(line)),
    lines.join('\n'),
  );
  assert.match(lines.at(-1)!, /0x9000 \+-+\+$/);
});
