/** bhyve's command lines in shell scripts. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { GIB, MIB } from '../../../server/src/address/range';
import { runChecks } from '../../../server/src/checks/catalogue';
import { SourceText } from '../../../server/src/text/sourceText';
import { parseBhyveCommands } from '../../../server/src/vmm/bhyve/command/document';
import { recogniseBhyveCommand } from '../../../server/src/vmm/bhyve/command/recognise';

const read = (text: string, version?: string) =>
  parseBhyveCommands(new SourceText('file:///start.sh', text), {
    files: new Map(),
    ...(version === undefined ? {} : { choice: { vmm: 'bhyve', version } }),
  });

/** `key=value` of the only command. */
const keys = (text: string, version?: string) => {
  const { configs } = read(text, version);
  assert.equal(configs.length, 1);
  return [...configs[0]!.values].map(([key, { value }]) => `${key}=${value}`);
};

const SCRIPT = `#!/bin/sh
# bhyve -m 1G is not run
name=web
MEM="-m 5G"
mkdir -p /vm && tap=$(ifconfig tap create)
sudo /usr/sbin/bhyve -c 4,cores=2,sockets=2 $MEM \\
  -HP -s 0,hostbridge \\
  -s 3:0,virtio-blk,"/vm/$name.img",ro \\
  -s 4,virtio-net,$tap \\
  -s 31,lpc -l com1,stdio -l bootrom,/fw/UEFI.fd \\
  "\${name}" > /var/log/web 2>&1 &
`;

test('a command is a machine with its layout, and its lens stands at the command', () => {
  const { machines, problems } = read(SCRIPT);
  assert.deepEqual(problems, []);
  const [machine] = machines;
  assert.equal(machine?.name, 'web');
  assert.equal(machine.memory?.value, 5n * GIB);
  assert.equal(machine.vcpus.value, 4);
  assert.deepEqual(
    machine.images.map(({ role, path }) => `${role} ${path}`),
    ['firmware /fw/UEFI.fd', 'disk /vm/web.img'],
  );
  assert.equal(machine.regions[0]?.range.end, 3n * GIB);
  assert.deepEqual(machine.nameAt?.range, {
    start: { line: 5, character: 5 },
    end: { line: 5, character: 20 },
  });
  assert.equal(machine.at?.range.end.line, 10);
  assert.deepEqual(
    runChecks(read(SCRIPT)).map(({ code }) => code),
    [],
  );
});

test('the place of a value is where it is written, also in quotes and of a variable', () => {
  const text = 'm=2G\nbhyve -m $m -s 3,virtio-blk,"/a b.img" x';
  const { configs } = read(text);
  const at = (key: string) => {
    const { start, end } = configs[0]!.values.get(key)!.entry.valueSpan;
    return text.slice(start, end);
  };
  assert.equal(at('memory.size'), '$m');
  assert.equal(at('pci.0.3.0.path'), '/a b.img');
  assert.equal(at('pci.0.3.0.device'), 'virtio-blk');
});

/** What options say, in keys. */
const OPTIONS: readonly { text: string; keys: readonly string[]; version?: string }[] = [
  { text: 'bhyve -c2 -m512 x', keys: ['cpus=2', 'memory.size=512', 'name=x'] },
  { text: "bhyve -c '' x", keys: ['sockets=1', 'cores=1', 'threads=1', 'cpus=1', 'name=x'] },
  {
    text: 'bhyve -SwuY x',
    keys: [
      'memory.wired=true',
      'x86.strictmsr=false',
      'rtc.use_localtime=false',
      'x86.mptable=false',
      'name=x',
    ],
  },
  { text: 'bhyve -A x', keys: ['name=x'] },
  { text: 'bhyve -A x', keys: ['acpi_tables=true', 'name=x'], version: 'illumos-2025' },
  {
    text: 'bhyve -G w1.2.3.4:6464 x',
    keys: ['gdb.wait=true', 'gdb.address=1.2.3.4', 'gdb.port=6464', 'name=x'],
  },
  { text: 'bhyve -p 0:1 -p 0:3 x', keys: ['vcpu.0.cpuset=1,3', 'name=x'] },
  { text: 'bhyve -o a.b=c=d -K de x', keys: ['a.b=c=d', 'keyboard.layout=de', 'name=x'] },
  { text: 'bhyve -n id=0,cpus=0-1,size=1G x', keys: ['domains.0.size=1G', 'domains.0.cpus=0-1', 'name=x'] },
  {
    text: 'bhyve -l bootrom,/a,/b,fwcfg=qemu x',
    keys: ['bootrom=/a', 'bootvars=/b', 'lpc.fwcfg=qemu', 'name=x'],
  },
  { text: 'bhyve -l bootrom,/a x', keys: ['lpc.bootrom=/a', 'name=x'], version: 'freebsd-14' },
  {
    text: 'bhyve -l tpm,passthru,/dev/tpm0 x',
    keys: ['tpm.type=passthru', 'tpm.path=/dev/tpm0', 'tpm.version=2.0', 'name=x'],
  },
  {
    text: 'bhyve -s 1:2:3,ahci-cd,/a.iso,ro x',
    keys: [
      'pci.1.2.3.device=ahci',
      'pci.1.2.3.port.0.type=cd',
      'pci.1.2.3.port.0.path=/a.iso',
      'pci.1.2.3.port.0.ro=true',
      'name=x',
    ],
  },
  {
    text: 'bhyve -s 3,ahci,hd:/a,ro,cd:/b x',
    keys: [
      'pci.0.3.0.device=ahci',
      'pci.0.3.0.port.0.type=hd',
      'pci.0.3.0.port.0.path=/a',
      'pci.0.3.0.port.0.ro=true',
      'pci.0.3.0.port.1.type=cd',
      'pci.0.3.0.port.1.path=/b',
      'name=x',
    ],
  },
  { text: 'bhyve -s 3,nvme,ram=64 x', keys: ['pci.0.3.0.device=nvme', 'pci.0.3.0.ram=64', 'name=x'] },
  {
    text: 'bhyve -s 3,virtio-console,a=/b x',
    keys: [
      'pci.0.3.0.device=virtio-console',
      'pci.0.3.0.port.0.name=a',
      'pci.0.3.0.port.0.path=/b',
      'name=x',
    ],
  },
  {
    text: 'bhyve -s 3,virtio-9p,home=/home,ro x',
    keys: [
      'pci.0.3.0.device=virtio-9p',
      'pci.0.3.0.sharename=home',
      'pci.0.3.0.path=/home',
      'pci.0.3.0.ro=true',
      'name=x',
    ],
  },
  {
    text: 'bhyve -s 3,passthru,2/0/1 x',
    keys: ['pci.0.3.0.device=passthru', 'pci.0.3.0.bus=2', 'pci.0.3.0.slot=0', 'pci.0.3.0.func=1', 'name=x'],
  },
  {
    text: 'bhyve -s 30,xhci,tablet x',
    keys: ['pci.0.30.0.device=xhci', 'pci.0.30.0.slot.1.device=tablet', 'name=x'],
  },
  { text: 'bhyve -s 0,amd_hostbridge x', keys: ['pci.0.0.0.device=hostbridge', 'name=x'] },
  { text: 'bhyve -m 1G -- x', keys: ['memory.size=1G', 'name=x'] },
];

for (const { text, keys: expected, version } of OPTIONS) {
  test(`${text}${version === undefined ? '' : ` (${version})`}`, () =>
    assert.deepEqual(keys(text, version), expected));
}

/** How many machines a script has. */
const SCRIPTS: readonly (readonly [title: string, text: string, machines: number])[] = [
  ['a function and a loop', 'run() {\n while bhyve -m 1G a; do :; done\n}', 1],
  ['an if', 'if ! doas bhyve -m 1G a; then exit; fi', 1],
  ['a subshell and a list', '(cd /; bhyve -m 1G a) || bhyve -m 2G b', 2],
  ['environment and wrappers', 'X=1 env A=b timeout 20 bhyve -m 1G a', 1],
  ['a variable that is sudo', '${SUDO} bhyve -m 1G a', 1],
  ['a variable that is bhyve', 'BHYVE=/usr/sbin/bhyve\n$BHYVE -m 1G a', 1],
  ['a here-document', 'cat <<EOF > x.sh\nbhyve -m 1G a\nEOF\necho done', 0],
  [
    'a here-document with tabs, and a command behind it',
    'cat <<-"E"\n\tbhyve -m 1G a\n\tE\nbhyve -m 2G b',
    1,
  ],
  ['an echo', 'echo bhyve -m 1G a', 0],
  ['a string', 'CMD="bhyve -m 1G a"', 0],
  ['its relatives', 'bhyveload -m 1G a\nbhyvectl --destroy --vm=a\nkldload bhyve', 0],
];

for (const [title, text, machines] of SCRIPTS) {
  test(`${title}: ${JSON.stringify(text)}`, () => assert.equal(read(text).machines.length, machines));
}

/** Code and the text that it stands at. */
const FINDINGS: readonly (readonly [text: string, found: readonly string[], version?: string])[] = [
  ['bhyve -m 1G -Z -l bootrom,/x a', ['bhyve-command-option -Z']],
  ['bhyve -l bootrom,/x a -m', ['bhyve-command-name -m']],
  ['bhyve -l bootrom,/x -m', ['bhyve-command-option -m', 'bhyve-command-name bhyve']],
  ['bhyve -l bootrom,/x -m 1G', ['bhyve-command-name bhyve']],
  ['bhyve -l bootrom,/x -o name=a', []],
  ['bhyve -k a.conf', []],
  ['bhyve -l bootrom,/x a b', ['bhyve-command-name b']],
  ['bhyve -l bootrom,/x $opts $name', []],
  ['bhyve -l bootrom,/x a $more', []],
  ['bhyve -l bootrom,/x -s 3,virtio-rnd -s 3:0,virtio-rnd a', ['bhyve-command-slot 3:0']],
  ['bhyve -l bootrom,/x -s $n,virtio-rnd -s 3,virtio-rnd a', []],
  ['bhyve -l bootrom,/x -s 32,virtio-rnd a', ['bhyve-command-slot 32']],
  ['bhyve -l bootrom,/x -s 3 a', ['bhyve-command-slot 3']],
  ['bhyve -l bootrom,/x -s 3,virtio-blk,/a,nocach a', ['bhyve-unknown-key nocach']],
  ['bhyve -l bootrom,/x -s 3,virtio-blk,/a,$opts a', []],
  ['bhyve -l bootrom,/x -s 3,virtio-bl,/a a', ['bhyve-pci-device virtio-bl']],
  ['bhyve -l bootrom,/x -s 3,ahci,/a a', ['bhyve-command-slot /a']],
  ['bhyve -l bootrom,/x -s 3,passthru,2/0/0 a', ['bhyve-passthru-memory passthru']],
  ['bhyve -S -l bootrom,/x -s 3,passthru,2/0/0 a', []],
  ['bhyve -l bootrom,/x -l com1,stdio a', ['bhyve-lpc-missing stdio']],
  ['bhyve -l bootrom,/x -l com5,stdio -s 31,lpc a', ['bhyve-command-argument com5,stdio']],
  ['bhyve -l bootrom,/x -c 4,cores=3 a', ['bhyve-config-number 4']],
  ['bhyve -l bootrom,/x -c $CPUS,cores=3 -m $MEM a', []],
  ['bhyve -l bootrom,/x -m 1G -m 2G a', ['bhyve-duplicate-key 1G']],
  ['bhyve -l bootrom,/x -I a', ['bhyve-command-no-op -I']],
  ['bhyve -m 1G a', ['bhyve-no-bootrom bhyve']],
  ['bhyveload -m 1G a && bhyve -m 1G a', []],
  ['bhyve -l bootrom,/x -p 0:1 a', ['bhyve-command-option -p'], 'illumos-2025'],
  ['bhyve -l bootrom,/x a', ['bhyve-acpi-tables bhyve'], 'illumos-2025'],
  ['bhyve -A -l bootrom,/x a', [], 'illumos-2025'],
  ['# bootpath-disable-next-line bhyve-command-no-op\nbhyve -l bootrom,/x -I a', []],
];

for (const [text, expected, version] of FINDINGS) {
  test(`${JSON.stringify(text)} gets ${expected.join(', ') || 'nothing'}`, () => {
    const { lines } = new SourceText('file:///x', text);
    const found = runChecks(read(text, version)).map(
      ({ code, at }) =>
        `${code} ${text.slice(lines.offsetAt(at!.range.start), lines.offsetAt(at!.range.end))}`,
    );
    assert.deepEqual([...found].sort(), [...expected].sort());
  });
}

test('two commands of one name are two machines', () => {
  const { machines } = read('bhyve -m 1G web\nbhyve -m 2G web');
  assert.deepEqual(
    machines.map(({ name, memory }) => [name, memory?.value]),
    [
      ['web', 1024n * MIB],
      ['web (2)', 2048n * MIB],
    ],
  );
});

test('scripts are recognised by a command, and others are not', () => {
  const yes: readonly (readonly [string, string])[] = [
    [SCRIPT, ''],
    ['#!/usr/bin/env bash\nset -e\nbhyve \\\n -m 1G a', ''],
    ['bhyve -c 1 -m 1G a\n', ''],
    ['# note\nsudo bhyve -m 1G a', ''],
    ['\t"$BHYVE" -m 1G a', 'file:///a.sh'],
  ];
  const no: readonly (readonly [string, string])[] = [
    ['#!/bin/sh\necho hello\n', ''],
    ['#!/bin/sh\n# bhyve -m 1G a\nbhyvectl --destroy --vm=a\n', ''],
    ['#!/bin/sh\necho "run bhyve -m 1G a"\necho bhyve -m 1G\n', ''],
    ['#!/bin/sh\ncat <<EOF >x\nbhyve -m 1G a\nEOF\n', ''],
    ['Run `bhyve -m 1G a` to start it.\n', 'file:///README.md'],
    ['#!/usr/bin/env python3\nrun("bhyve -m 1G a")\nbhyve -m\n', ''],
    ['int main(void) { return system("bhyve -m 1G a"); }\n', 'file:///a.c'],
    ['memory.size=1G\nname=bhyve -a\n', ''],
    ['', ''],
  ];
  for (const [text, path] of yes) assert.equal(recogniseBhyveCommand(text, path), true, text);
  for (const [text, path] of no) assert.equal(recogniseBhyveCommand(text, path), false, text);
});

test('no text makes the reader throw, and places lie in the text', () => {
  const token = fc.constantFrom(
    'bhyve ',
    '-s ',
    '3:0,',
    'ahci,',
    'hd:',
    '"',
    "'",
    '$(',
    ')',
    '`',
    '${',
    '}',
    '\\\n',
    '\n',
    '<<E\n',
    'E',
    ' -l com',
    '$x',
    'x=',
    ',',
    '=',
    '-c',
    ' ',
    '#',
    ';',
    '\0',
    '\ud800',
    '>&',
    '-p 0:1',
    '-o a.b=1 ',
  );
  fc.assert(
    fc.property(fc.array(token, { maxLength: 40 }), (tokens) => {
      const text = tokens.join('');
      recogniseBhyveCommand(text, 'file:///a.sh');
      const { lines } = new SourceText('file:///x', text);
      for (const { at } of runChecks(read(text))) {
        assert.ok(lines.offsetAt(at!.range.start) <= lines.offsetAt(at!.range.end));
        assert.ok(lines.offsetAt(at!.range.end) <= text.length);
      }
    }),
    { numRuns: 500 },
  );
});

test('scripts that are made to be slow are read in two seconds', () => {
  const texts = [
    `${'bhyve -s 3,ahci,hd:/a '.repeat(5000)}x`,
    `bhyve ${'-o a=b '.repeat(20_000)}x`,
    `${Array.from({ length: 500 }, (_, i) => `v${i}=${`$v${i + 1}`.repeat(30)}`).join('\n')}\nbhyve -m $v0 x`,
    '$('.repeat(20_000),
    `#!/bin/sh\n${'<<A '.repeat(10_000)}\n`,
    `#!/bin/sh\n${'bhyve x'.repeat(20_000)}`,
    `cat ${'"'.repeat(30_001)} bhyve`,
  ];
  const before = process.cpuUsage();
  for (const text of texts) {
    recogniseBhyveCommand(text, 'file:///a.sh');
    runChecks(read(text));
  }
  const { user } = process.cpuUsage(before);
  assert.ok(user < 2_000_000, `${user} µs`);
});
