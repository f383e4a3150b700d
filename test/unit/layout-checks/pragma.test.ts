import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memmap } from '../../../server/src/memory-map/language';
import { runChecks } from '../../../server/src/checks/catalogue';
import { SourceText } from '../../../server/src/text/sourceText';

/** With reserved memory that ends where RAM starts, so that the rule on such seams asks for the VMM. */
const MAP = [
  'BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable',
  'BIOS-e820: [mem 0x000000000009fc00-0x00000000000fffff] reserved',
  'BIOS-e820: [mem 0x0000000000100000-0x000000003fffffff] usable',
].join('\n');

test('a pragma that names a property of every object is a VMM that nobody knows', () => {
  for (const name of ['constructor', 'toString', 'hasOwnProperty']) {
    const source = new SourceText('file:///map.txt', `# bootpath: ${name}@1\n${MAP}`);
    assert.deepEqual(runChecks(memmap.parse(source, { files: new Map() })), [], name);
  }
});
