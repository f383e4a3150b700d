import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

interface Rule {
  readonly match?: string;
  readonly name?: string;
  readonly include?: string;
  readonly captures?: Readonly<Record<string, { readonly name: string }>>;
  readonly patterns?: readonly Rule[];
}
interface Grammar {
  readonly scopeName: string;
  readonly patterns: readonly Rule[];
  readonly repository: Readonly<Record<string, Rule>>;
}

const grammar = JSON.parse(
  readFileSync(join(process.env.BOOTPATH_ROOT!, 'syntaxes/memmap.tmLanguage.json'), 'utf8'),
) as Grammar;

/** The rules in the order in which the editor tries them. */
function flatten(rules: readonly Rule[]): Rule[] {
  return rules.flatMap((rule) => {
    if (rule.include) return flatten([grammar.repository[rule.include.slice(1)]!]);
    return rule.patterns ? flatten(rule.patterns) : [rule];
  });
}
const RULES = flatten(grammar.patterns).map((rule) => ({
  ...rule,
  pattern: new RegExp(rule.match!.replace(/^\(\?i\)/, ''), rule.match!.startsWith('(?i)') ? 'dgi' : 'dg'),
}));

/** Scopes of a line as an editor finds them: the earliest match wins, at one place the first rule. */
function scopes(line: string): [string, string][] {
  const found: [string, string][] = [];
  let at = 0;
  while (at < line.length) {
    let best: { rule: (typeof RULES)[number]; match: RegExpExecArray } | null = null;
    for (const rule of RULES) {
      rule.pattern.lastIndex = at;
      const match = rule.pattern.exec(line);
      if (match && (best === null || match.index < best.match.index)) best = { rule, match };
    }
    if (!best) break;
    const { rule, match } = best;
    for (const [index, { name }] of Object.entries(rule.captures ?? {})) {
      const text = match[Number(index)];
      if (text) found.push([text, name]);
    }
    if (rule.name) found.push([match[0], rule.name]);
    at = match.index + Math.max(1, match[0].length);
  }
  return found;
}
const scopeOf = (line: string, text: string): string | undefined =>
  scopes(line).find(([part]) => part === text)?.[1];

for (const [line, text, scope] of [
  [
    '[    0.000000] BIOS-e820: [mem 0x0000000000000000-0x000000000009f7ff] usable',
    'BIOS-e820',
    'entity.name.tag.producer.memmap',
  ],
  [
    '[    0.000000] BIOS-e820: [mem 0x0000000000000000-0x000000000009f7ff] usable',
    '0x000000000009f7ff',
    'constant.numeric.hex.address.memmap',
  ],
  [
    '[    0.000000] BIOS-e820: [mem 0x0000000000000000-0x000000000009f7ff] usable',
    'usable',
    'support.type.ram.memmap',
  ],
  [
    '[    0.000000] BIOS-e820: [mem 0x0000000000000000-0x000000000009f7ff] usable',
    '[    0.000000]',
    'comment.other.prefix.memmap',
  ],
  ['BIOS-e820: [gap 0xa0000-0xeffff]', 'gap', 'keyword.other.memmap'],
  [
    ' BIOS-e820: 0000000000100000 - 000000001fff0000 (usable)',
    '000000001fff0000',
    'constant.numeric.hex.address.memmap',
  ],
  ['e820: update [mem 0x00000000-0x00000fff] usable ==> reserved', 'update', 'keyword.control.memmap'],
  [
    'e820: update [mem 0x00000000-0x00000fff] usable ==> reserved',
    'reserved',
    'storage.type.reserved.memmap',
  ],
  [
    'e820 update range: 0000000000000000 - 0000000000010000 (usable) ==> (reserved)',
    'update',
    'keyword.control.memmap',
  ],
  ['  000c0000-000c99ff : Video ROM', '000c99ff', 'constant.numeric.hex.address.memmap'],
  ['00001000-0009f7ff : System RAM', 'System RAM', 'support.type.ram.memmap'],
  [
    'efi: mem01: [Conventional |   |  |WB] range=[0x1000-0x9ffff] (0MB)',
    'Conventional',
    'support.type.segment.memmap',
  ],
  [
    'EFI: mem01: type=7, attr=0xf, range=[0x1000-0xa0000) (0MB)',
    ')',
    'punctuation.definition.range.end.memmap',
  ],
  [
    'Available  0000000000001000-000000000009FFFF 000000000000009F 000000000000000F',
    'Available',
    'support.type.segment.memmap',
  ],
  ['FFE00000    2048KB      bootrom     0           R-X   ', 'bootrom', 'support.type.segment.memmap'],
  ['FFE00000    2048KB      bootrom     0           R-X   ', 'R-X', 'storage.modifier.permissions.memmap'],
  ['0           3072MB      sysmem      0           RWX   \0wired', 'wired', 'storage.modifier.flags.memmap'],
  ['# bootpath: bhyve@illumos-2021-08', 'bhyve', 'entity.name.type.memmap'],
  [
    'e820: BIOS-provided physical RAM map:',
    'BIOS-provided physical RAM map:',
    'markup.heading.memmap entity.name.section.memmap',
  ],
  ['address-space: cpu-memory-0', 'cpu-memory-0', 'entity.name.section.memmap'],
  [' AS "memory", root: system', 'system', 'variable.other.region.memmap'],
  [
    '  0000000000000000-ffffffffffffffff (prio -1, i/o): pci',
    'ffffffffffffffff',
    'constant.numeric.hex.address.memmap',
  ],
  [
    '  0000000000000000-ffffffffffffffff (prio -1, i/o): pci',
    '-1',
    'constant.numeric.decimal.priority.memmap',
  ],
  ['  0000000000000000-ffffffffffffffff (prio 0, nv-ram): a b', 'nv-ram', 'storage.type.region.memmap'],
  [
    '0000000000000000-0000000007ffffff (prio 0, ram): alias ram-below-4g @pc.ram 0000000000000000-0000000007ffffff',
    'pc.ram',
    'variable.other.region.memmap',
  ],
  [
    '  00000000000c0000-00000000000cafff (prio 0, rom): pc.ram @00000000000c0000 KVM',
    '@00000000000c0000',
    'constant.numeric.hex.offset.memmap',
  ],
  ['0000000000000000-0000000000403000 0000000000403000 -rw', '-rw', 'storage.modifier.permissions.memmap'],
  ['0000000000400000: 0000000000005000 -------UW', '0000000000005000', 'constant.numeric.hex.address.memmap'],
  ['(XEN)  [0000000000000000, 000000000009dfff] (usable)', '(XEN)', 'comment.other.prefix.memmap'],
  [
    '(XEN)  [0000000000000000, 000000000009dfff] (usable)',
    '000000000009dfff',
    'constant.numeric.hex.address.memmap',
  ],
  ['(XEN)  [0000000000000000, 000000000009dfff] (usable)', 'usable', 'support.type.ram.memmap'],
  ['(d5)  [00]: 00000000:00000000 - 00000000:000a0000: RAM', 'RAM', 'storage.type.memmap'],
  ['  0: 0000000000000000 - 000000000009fc00 = 1 RAM', 'RAM', 'storage.type.memmap'],
  ['SMAP type=01 base=0000000000000000 len=000000000009fc00', '01', 'storage.type.numbered.memmap'],
  ['Region 0: type 1 at 0x0 for 639KB', 'Region 0', 'entity.name.tag.producer.memmap'],
  [
    '     ConventionalMemory 000000001000          0x0 0000009f WB',
    '0000009f',
    'constant.numeric.hex.pages.memmap',
  ],
  ['E820 table:', 'E820 table:', 'markup.heading.memmap entity.name.section.memmap'],
] as const) {
  test(`${JSON.stringify(text)} in ${JSON.stringify(line.slice(0, 40))} is ${scope}`, () =>
    assert.equal(scopeOf(line, text), scope));
}

test('plain log lines keep their colour', () => {
  assert.deepEqual(scopes('NX (Execute Disable) protection: active'), []);
});
