import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { vmconf } from '../../../server/src/vmm/vmd/language';
import { recogniseVmConf } from '../../../server/src/vmm/vmd/recognise';
import { applied, atMark, codes, findings, read, URI } from './read';

for (const [what, text, ours] of [
  ['a VM', 'vm "a" {\n\tmemory 1G\n}\n', true],
  ['a VM with its brace glued to the name', '# comment\n\nvm foo{ disable\n}\n', true],
  ['an instance', 'vm "a" instance "b" {\n\tdisk "/b"\n}\n', true],
  ['a VM that is being typed', 'vm "a" {\n', true],
  ['a switch', 'switch "uplink" {\n\tinterface bridge0\n}\n', true],
  ['a global setting', 'local prefix 10.0.0.0/8\n', true],
  ['the control socket', 'socket owner :wheel\n', true],
  ['a version comment alone', '# bootpath: vmd@7.8\n', true],
  ['CR LF', 'vm "a" {\r\n\tdisk "/a"\r\n}\r\n', true],
  ['the first vm.conf', 'vm "a" {\n\tkernel "/bsd"\n}\n', true],
  ['nothing', '', false],
  ['a Juniper topology', 'vm "R1" {\n\thostname "R1";\n\tinterfaces {\n\t};\n};\n', false],
  ['one with a preprocessor', '#include "x.defs"\nvm "R1" {\n\tmemory 1G\n}\n', false],
  ['shell variables', 'VM_NAME=foo\nMEMORY=512\nDISK="/a.img"\n', false],
  ['a shell script with a vm.conf in it', '#!/bin/sh\ncat <<EOF\nvm "a" {\n\tdisk "/a"\n}\nEOF\n', false],
  ['a make fragment', 'VM = foo\n$(VM): $(OBJS)\n\tcc -o $@\n', false],
  ['a Jinja template', 'vm "{{ name }}" {\n\tmemory {{ mem }}\n}\n', true],
  ['a template with the name alone', 'vm {{ name }} {\n\tdisk "/a"\n}\n', true],
  ['a template of something else', 'server {\n\tlisten {{ port }};\n}\n', false],
  ['a switch of OpenBSD 6.2', 'switch "local" {\n\tadd vether0\n\tup\n}\n', true],
  ['a switch of Go', 'switch x {\ncase 1:\n\treturn\n}\n', false],
  ['JavaScript', 'switch (vm) {\n  case 1: break;\n}\n', false],
  ['bytes', 'vm "a" {\n\0', false],
  ['a VM whose brace is on the next line', 'vm "a"\n{\n\tdisk "/a"\n}\n', true],
  ['a line of prose before a brace', 'vm setup\n{\n  foo\n}\n', false],
] as const) {
  test(`${what} is ${ours ? 'ours' : 'not ours'}`, () => assert.equal(recogniseVmConf(text), ours));
}

for (const [text, part] of [
  ['vm "a" {\n\tmem$0ory 2G\n}', 'Guest memory'],
  ['vm "a" {\n\tmemory 2$0G\n}', '2147483648 bytes (0x80000000)'],
  ['vm "a" {\n\tmemory 10000$000000\n}', 'rounded down from'],
  ['vm "a" {\n\tmemory 5$012\n}', 'too small'],
  ['vm "a$0" {\n\tmemory 2G\n}', 'VM `a`: 2 GiB of memory'],
  ['vm "a$0" { disable\n}', '512 MiB of memory (the default)'],
  ['s = "/x"\nvm "a" {\n\tboot $$0s/bsd\n}', '`$s` is `/x`, defined in line 1'],
  ['s$0 = "/x"\nvm "a" {\n\tboot $s/bsd\n}', 'Used once'],
  ['switch "u" { interface veb0\n}\nvm "a" {\n\tinterface { switch "u$0" }\n}', 'Switch `u` on `veb0`'],
  ['vm "a" {\n\tinterface { switch "u$0" }\n}', 'No switch is called `u`'],
  ['vm "a" {\n\tdisk "/a"$0 "/b"\n}', 'joins these 2 strings'],
  ['vm "a" {\n\tsi$0ze 4\n}', 'no rule of the grammar'],
] as const) {
  test(`hover at ${JSON.stringify(text)} says ${part}`, () => {
    const { text: plain, offset } = atMark(text);
    const document = read(plain);
    const description = vmconf.describe!(document, document.source.lines.positionAt(offset));
    assert.ok(description?.markdown.includes(part), description?.markdown);
  });
}

test('no hover in a comment', () => {
  assert.equal(vmconf.describe!(read('# memory\n'), { line: 0, character: 4 }), null);
});

/** The labels at `$0`, and what they leave of the text when the first is taken. */
for (const [text, some, none] of [
  ['$0', ['vm', 'switch', 'include', 'local', 'vm { … }'], ['memory', 'prefix']],
  ['v$0', ['vm'], []],
  ['vm "a" {\n\t$0\n}', ['memory', 'disk', 'interface', 'allow'], ['lladdr', 'vm']],
  ['vm "a" {\n\tmemory $0\n}', ['512M', '2G'], ['disk']],
  ['m = 1G\nvm "a" {\n\tmemory $m$0\n}', ['$m'], ['512M']],
  ['vm "a" {\n\tboot $0\n}', ['device'], ['disk']],
  ['vm "a" {\n\tboot device $0\n}', ['cdrom', 'disk', 'net'], ['device']],
  ['vm "a" {\n\tdisk "/a" $0\n}', ['format'], []],
  ['vm "a" {\n\tdisk "/a" format $0\n}', ['raw', 'qcow2'], []],
  ['vm "a" {\n\tlocal $0\n}', ['interface'], ['prefix']],
  ['vm "a" {\n\tinterface { $0 }\n}', ['switch', 'group', 'lladdr'], ['memory']],
  ['switch "up" { interface veb0\n}\nvm "a" {\n\tinterface { switch "$0" }\n}', ['up'], ['group']],
  ['vm "a" {\n\tinterface { locked $0\n}', ['lladdr'], ['switch']],
  ['vm "a" {\n\tallow $0\n}', ['instance'], []],
  ['vm "a" {\n\tallow instance { $0 }\n}', ['boot', 'owner', 'memory'], ['enable']],
  ['switch "a" {\n\t$0\n}', ['interface', 'locked', 'rdomain'], ['memory']],
  ['switch "a" {\n\tinterface $0\n}', ['bridge0', 'veb0'], []],
  ['local $0', ['prefix', 'inet6'], ['interface']],
  ['staggered start $0', ['parallel'], ['delay']],
  ['staggered start parallel 3 $0', ['delay'], ['parallel']],
  ['agentx $0', ['context', 'path'], []],
  ['vm "a" { disable\n}\nvm $0', ['a'], []],
  ['vm "a" $0', ['instance'], []],
  ['# bootpath: $0', ['vmd@7.8', 'vmd@x86_vm-1.27'], ['vm']],
  ['# bootpath: vmd@7$0', ['vmd@7.8'], []],
] as const) {
  test(`completion at ${JSON.stringify(text)}`, () => {
    const { text: plain, offset } = atMark(text);
    const document = read(plain);
    const labels = vmconf.complete!(document, document.source.lines.positionAt(offset)).map(
      ({ label }) => label,
    );
    for (const label of some)
      assert.ok(labels.includes(label), `${label} is missing in ${labels.join(', ')}`);
    for (const label of none) assert.ok(!labels.includes(label), `${label} has no place here`);
  });
}

for (const text of ['# memory $0', 'vm "a" { # m$0', 'vm "a" {\n\towner $0\n}']) {
  test(`no completion at ${JSON.stringify(text)}`, () => {
    const { text: plain, offset } = atMark(text);
    const document = read(plain);
    assert.deepEqual(vmconf.complete!(document, document.source.lines.positionAt(offset)), []);
  });
}

test('a completed switch name replaces its quotes too', () => {
  const text = 'switch "up" { interface veb0\n}\nvm "a" {\n\tinterface { switch "u" }\n}';
  const document = read(text);
  const offset = text.indexOf('"u"') + 2;
  const [suggestion] = vmconf.complete!(document, document.source.lines.positionAt(offset));
  const { range, insert } = suggestion!;
  const { lines } = document.source;
  assert.equal(text.slice(lines.offsetAt(range.start), lines.offsetAt(range.end)), '"u"');
  assert.equal(insert, '"up"');
});

/** The text after a fix, outcome for outcome. */
for (const [text, code, title, result] of [
  [
    'vm "a" {\n\tdisk "/a.img" "/b.img" format raw\n}\n',
    'vmconf-paths-joined',
    'Give each disk a line of its own',
    'vm "a" {\n\tdisk "/a.img" format raw\n\tdisk "/b.img" format raw\n}\n',
  ],
  [
    'vm "a" {\n\tdisk "/a"\n\tmemory 512\n}\n',
    'vmconf-memory-unit',
    'Change to 512M',
    'vm "a" {\n\tdisk "/a"\n\tmemory 512M\n}\n',
  ],
  [
    'vm "a" {\n\tdisk "/a"\n\tmemory 2GB\n}\n',
    'vmconf-memory-size',
    'Change to 2G',
    'vm "a" {\n\tdisk "/a"\n\tmemory 2G\n}\n',
  ],
  [
    'x = y\nvm "a" {\n\tdisk "/a"\n}\n',
    'vmconf-macro-unused',
    'Remove macro x',
    'vm "a" {\n\tdisk "/a"\n}\n',
  ],
  ['x = 5\n', 'vmconf-macro-definition', 'Quote the value', 'x = "5"\n'],
  [
    'vm switch {\n\tdisk "/a"\n}\n',
    'vmconf-reserved-word',
    'Quote switch',
    'vm "switch" {\n\tdisk "/a"\n}\n',
  ],
  [
    'vm "a" {\n\tdisk ./a.img\n}\n',
    'vmconf-unexpected-character',
    'Quote ./a.img',
    'vm "a" {\n\tdisk "./a.img"\n}\n',
  ],
  ['vm "a"\n{\n\tdisk "/a"\n}\n', 'vmconf-missing-brace', 'Move the brace up', 'vm "a" {\n\tdisk "/a"\n}\n'],
  [
    'vm "a" {\n\tdisk "/a"\n\tmemory 1G }\n',
    'vmconf-option-separator',
    'Break the line',
    'vm "a" {\n\tdisk "/a"\n\tmemory 1G\n\t}\n',
  ],
  [
    'vm "a" {\n\tdisk "/a"\n\tinterface tap, up\n}\n',
    'vmconf-syntax',
    'Remove the comma',
    'vm "a" {\n\tdisk "/a"\n\tinterface tap up\n}\n',
  ],
  [
    'vm "a" {\n\tdisk "/a"\n\tmemroy 1G\n}\n',
    'vmconf-unknown-option',
    'Change to memory',
    'vm "a" {\n\tdisk "/a"\n\tmemory 1G\n}\n',
  ],
  ['local prefix 10/8\n', 'vmconf-syntax', 'Quote 10/8', 'local prefix "10/8"\n'],
  [
    'vm "a" {\n\tdisk "/a"\n\tinterface { switch "u" }\n}\n',
    'vmconf-switch-undefined',
    'Declare switch u',
    'switch "u" {\n\tinterface bridge0\n}\n\nvm "a" {\n\tdisk "/a"\n\tinterface { switch "u" }\n}\n',
  ],
  [
    'switch "uplink" { interface veb0\n}\nvm "a" {\n\tdisk "/a"\n\tinterface { switch "uplnk" }\n}\n',
    'vmconf-switch-undefined',
    'Change to uplink',
    'switch "uplink" { interface veb0\n}\nvm "a" {\n\tdisk "/a"\n\tinterface { switch "uplink" }\n}\n',
  ],
  [
    '# bootpath: vmd@7.7\n',
    'vmconf-pragma',
    'Use vmd@7.8 (OpenBSD 7.8: 640 KiB, 4 MiB firmware area below 4 GiB)',
    '# bootpath: vmd@7.8\n',
  ],
  [
    'vm "a" {\n\tdisk "/a"\n\tmemory 1G\n\tmemory 2G\n}\n',
    'vmconf-option-repeated',
    'Remove this line',
    'vm "a" {\n\tdisk "/a"\n\tmemory 1G\n}\n',
  ],
] as const) {
  test(`fix of ${code}: ${title}`, () => {
    const found = findings(text).find((finding) => finding.code === code);
    assert.ok(
      found,
      findings(text)
        .map((finding) => finding.code)
        .join(', '),
    );
    assert.equal(applied(text, found, title), result);
    assert.ok(!codes(result).includes(code), 'the fix leaves the finding');
  });
}

for (const [text, code, titles] of [
  ['vm "a" {\n\tdisk "/a"\n\tmemory 512\n}\n', 'vmconf-memory-unit', ['Change to 512M']],
  ['vm "a" {\n\tdisk "/a"\n\tmemory 4\n}\n', 'vmconf-memory-unit', ['Change to 4M', 'Change to 4G']],
  ['vm "a" {\n\tdisk "/a"\n\tmemory 0\n}\n', 'vmconf-memory-unit', []],
  ['# bootpath: vmd@loadfile-1.11\nvm "a" {\n\tdisk "/a"\n\tsev\n}\n', 'vmconf-unknown-option', []],
] as const) {
  test(`fixes of ${code} that lead to no other error: ${titles.join(', ') || 'none'}`, () => {
    const found = findings(text).find((finding) => finding.code === code);
    assert.deepEqual(
      found?.fixes?.map(({ title }) => title),
      titles,
    );
  });
}

test('a macro, a switch and a parent have a definition and references', () => {
  const { symbols } = read(
    's = "/x"\nswitch "u" { interface veb0\n}\nvm "a" {\n\tboot $s\n\tinterface { switch "u" }\n}\nvm "a" instance "b" {\n\tdisk $s\n\tinterface { switch "v" }\n}\n',
  );
  const shown = symbols.map(({ kind, name, definition, references }) => [
    kind,
    name,
    definition?.range.start.line ?? null,
    references.map(({ range }) => range.start.line),
  ]);
  assert.deepEqual(shown, [
    ['macro', 's', 0, [4, 8]],
    ['switch', 'u', 1, [5]],
    ['switch', 'v', null, [9]],
    ['machine', 'a', 3, [7]],
    ['machine', 'b', 7, []],
  ]);
});

test('the outline has VMs with their options, switches, macros and settings', () => {
  const { outline } = read(
    's = "/x"\nlocal prefix 10.0.0.0/8\nswitch "u" { interface veb0\n}\nvm "a" { disable\n\tmemory 1G\n\tlocal interface tap\n}\n',
  );
  assert.deepEqual(
    outline.map(({ kind, name, detail, children }) => [
      kind,
      name,
      detail,
      children.map((child) => child.name),
    ]),
    [
      ['macro', 's', '/x', []],
      ['option', 'local prefix', 'prefix 10.0.0.0/8', []],
      ['switch', 'u', 'veb0', []],
      ['machine', 'a', '1 GiB, disabled', ['disable', 'memory', 'local interface tap']],
    ],
  );
});

test('links carry the path as vmd joins it, without quotes', () => {
  const document = read(
    'd = "/images"\ninclude "/etc/more.conf"\nvm "a" {\n\tdisk $d/a.img\n\tcdrom "/x.iso"\n\tboot $nobody\n}\n',
  );
  assert.deepEqual(
    document.links.map(({ path, range }) => [
      path,
      range.start.line,
      range.start.character,
      range.end.character,
    ]),
    [
      ['/etc/more.conf', 1, 9, 23],
      ['/images/a.img', 3, 6, 14],
      ['/x.iso', 4, 8, 14],
    ],
  );
});

test('the version comes from the caller, else from the comment, else it is the newest', () => {
  const text = '# bootpath: vmd@7.8\nvm "a" { disk "/a"\n}\n';
  assert.deepEqual([read(text).choice?.version, read(text).choiceReason], ['7.8', 'pragma']);
  assert.deepEqual(
    [read(text, { version: '7.6' }).choice?.version, read(text, { version: '7.6' }).choiceReason],
    ['7.6', 'asked'],
  );
  assert.deepEqual([read('').choice?.version, read('').choiceReason], ['x86_vm-1.27', 'newest']);
  assert.equal(read('\n'.repeat(10) + text).choiceReason, 'newest');
});

test('an unknown version says what is known of the release', () => {
  const [finding] = findings('# bootpath: vmd@7.9\n');
  assert.equal(finding!.code, 'vmconf-pragma');
  assert.match(finding!.message, /x86_vm-1\.27.*probably has the layout of 2026-01/);
});

test('VMs whose names are not known yet are no duplicates', () => {
  assert.equal(read('vm $a {\n\tdisk "/a"\n}\nvm $b {\n\tdisk "/b"\n}\n').machines.length, 2);
});

// vmd.c rev 1.169, vm_instance: macs[i] of both are compared at the same place; a name is looked for at every place.
const ADDRESS = 'vmconf-instance-lladdr';
const NAME = 'vmconf-instance-interface';
const OWNER = 'vmconf-instance-owner';
for (const [what, parent, child, refused] of [
  ['one inherited interface', 'interface', '', null],
  ['two inherited interfaces', 'interface\n\tinterface', '', null],
  ['two by count', 'interfaces 2', '', null],
  ['an inherited tap', 'interface tap', '', NAME],
  ['an inherited tap7', 'interface\n\tinterface tap7', 'interface', NAME],
  ['a tap that is replaced', 'interface tap7', 'interface tap8', null],
  ['a tap that is replaced by count', 'interface tap7', 'interfaces 1', null],
  ['an address of its own', 'interface', 'interface { lladdr fe:e1:bb:d1:c8:01 }', ADDRESS],
  [
    'the address of the parent',
    'interface { lladdr fe:e1:bb:d1:c8:01 }',
    'interface { lladdr FE:E1:BB:D1:C8:01 }',
    null,
  ],
  [
    'the address of the parent in another place',
    'interface\n\tinterface { lladdr fe:e1:bb:d1:c8:01 }',
    'interface { lladdr fe:e1:bb:d1:c8:01 }',
    ADDRESS,
  ],
  ['a group to inherit', 'owner joe:staff', '', OWNER],
  ['a group to inherit and a user', 'owner :staff', 'owner joe', OWNER],
  ['the owner of the parent', 'owner joe:staff', 'owner joe:staff', null],
  ['a user to inherit', 'owner joe', '', null],
  ['a number to inherit', 'owner 1000', '', null],
  ['a parent without interfaces', 'memory 1G', 'interface { lladdr fe:e1:bb:d1:c8:01 }', null],
] as const) {
  test(`an instance with ${what} ${refused ? `gets ${refused}` : 'is taken'} in 7.8`, () => {
    const text = `vm "a" {\n\tdisk "/a"\n\t${parent}\n}\nvm "a" instance "b" {\n\tdisk "/b"\n\t${child}\n}\n`;
    const found = (version: string) =>
      codes(text, { version }).filter((code) => code === ADDRESS || code === NAME || code === OWNER);
    assert.deepEqual(found('7.8'), refused ? [refused] : []);
    assert.deepEqual(found('x86_vm-1.27'), []);
  });
}

test('an included file is wanted, then read, with its macros and switches', () => {
  const text =
    'include "/etc/vm.d/net.conf"\nvm "a" {\n\tdisk $images/a.img\n\tinterface { switch "u" }\n}\n';
  const included = 'images = "/var/vmm"\nswitch "u" { interface veb0\n}\n';
  const before = read(text);
  assert.deepEqual(before.wanted, ['file:///etc/vm.d/net.conf']);
  assert.deepEqual(codes(text), [], 'what the file may define is not reported');
  const files = { 'file:///etc/vm.d/net.conf': included };
  const after = read(text, { files });
  assert.deepEqual(after.wanted, []);
  assert.deepEqual(after.read, [URI, 'file:///etc/vm.d/net.conf']);
  assert.equal(after.machines[0]!.images[0]!.path, '/var/vmm/a.img');
  assert.deepEqual(codes(text, { files }), []);
});

test('a finding in an included file stands in that file', () => {
  const files = { 'file:///etc/more.conf': 'vm "b" {\n\tdisk "/b"\n\tmemory 5\n}\n' };
  const [finding] = findings('include "more.conf"\n', { files });
  assert.equal(finding!.at!.uri, 'file:///etc/more.conf');
  assert.equal(finding!.at!.range.start.line, 2);
});

test('a file that includes itself is reported once and does not hang', () => {
  assert.deepEqual(codes('include "/etc/vm.conf"\n', { files: {} }), ['vmconf-include-cycle']);
  const files = { 'file:///etc/a.conf': 'include "b.conf"\n', 'file:///etc/b.conf': 'include "a.conf"\n' };
  assert.deepEqual(codes('include "a.conf"\n', { files }), ['vmconf-include-cycle']);
});

test('includes are read sixteen deep', () => {
  const files = Object.fromEntries(
    Array.from({ length: 20 }, (_, i) => [`file:///etc/${i}`, `include "${i + 1}"\n`]),
  );
  const document = read('include "0"\n', { files });
  assert.equal(document.read.length, 17);
  assert.deepEqual(
    document.problems.map(({ code }) => code),
    ['vmconf-include-depth'],
  );
});

test('files that include each other tenfold are read a thousand times, not without end', () => {
  const files = Object.fromEntries(
    Array.from({ length: 14 }, (_, i) => [`file:///etc/${i}`, `include "${i + 1}"\n`.repeat(10)]),
  );
  const document = read('include "0"\n', { files: { ...files, 'file:///etc/14': '' } });
  assert.equal(document.read.length, 16);
  assert.deepEqual(
    document.problems.map(({ code, message }) => [code, message.split(':')[0]]),
    [['vmconf-include-depth', 'More than 1000 files are included']],
  );
});

test('a macro given outside the text wins over one in it', () => {
  const document = read('images = "/a"\nvm "a" {\n\tdisk $images/x\n}\n', { defines: { images: '/b' } });
  assert.equal(document.machines[0]!.images[0]!.path, '/b/x');
});

test('a severity can be set, and a code turned off', () => {
  const text = 'x = y\n';
  assert.deepEqual(codes(text), ['vmconf-macro-unused']);
  const document = read(text);
  assert.equal(document.language, 'vmconf');
});

test('the example: a switch misspelt, a macro unused, the known issue at the memory line', () => {
  const text = readFileSync(join(process.env.BOOTPATH_ROOT!, 'examples/vmd-alpine/vm.conf'), 'utf8');
  const found = findings(text).map(
    ({ code, severity, at }) => `${severity} ${code} ${at!.range.start.line + 1}`,
  );
  assert.deepEqual(found, [
    'warning vmconf-macro-unused 7',
    'information vmd-lowmem 16',
    'warning vmconf-switch-undefined 20',
  ]);
});

test('includes and macros alone are a vm.conf by their name', () => {
  const text = 'dir="/etc/vm"\n\ninclude $dir/switch.conf\ninclude "/etc/vm/a.conf"\n';
  assert.equal(recogniseVmConf(text, '/etc/vm.conf'), true);
  assert.equal(recogniseVmConf(text, '/etc/httpd.conf'), false);
  assert.equal(recogniseVmConf('NAME="a"\n', '/etc/vm.conf'), false);
  assert.equal(recogniseVmConf('include "a"\nserver "x" {\n}\n', '/etc/vm.conf'), false);
});
