/** The JSON of every command, field by field, and what odd input must not do to the command line. */
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { elfFile } from '../unit/simulation/elfFile';
import { buildCommandLine, type CommandLine } from './bundledCommandLine';

const example = join(process.env.BOOTPATH_ROOT!, 'examples/vmd-alpine');
let cli: CommandLine;

before(async () => {
  cli = await buildCommandLine();
});

after(() => cli.remove());

type Shape =
  'string' | 'number' | 'hex' | 'any' | readonly [Shape] | { readonly [name: string]: Shape } | Rule;
interface Rule {
  (value: unknown): boolean;
}

const HEX = /^0x(?:0|[1-9a-f][0-9a-f]*)$/;
const oneOf =
  (...values: readonly unknown[]): Rule =>
  (value) =>
    values.includes(value);
const orNull =
  (shape: Shape): Rule =>
  (value) =>
    value === null || violations(value, shape, '').length === 0;
const list =
  (shape: Shape): Rule =>
  (value) =>
    Array.isArray(value) && value.every((item) => violations(item, shape, '').length === 0);

/** Where a value is not of the shape. Fields beyond those of a shape are allowed. */
function violations(value: unknown, shape: Shape, path: string): string[] {
  const bad = [`${path}: ${JSON.stringify(value)?.slice(0, 200)}`];
  if (shape === 'any') return value === undefined ? bad : [];
  if (shape === 'hex') return typeof value === 'string' && HEX.test(value) ? [] : bad;
  if (typeof shape === 'string') return typeof value === shape ? [] : bad;
  if (typeof shape === 'function') return shape(value) ? [] : bad;
  if (typeof value !== 'object' || value === null) return bad;
  if (Array.isArray(shape)) {
    if (!Array.isArray(value) || value.length === 0) return [`${path} is empty`];
    return value.flatMap((item, index) => violations(item, shape[0] as Shape, `${path}[${index}]`));
  }
  return Object.entries(shape).flatMap(([name, inner]) =>
    violations((value as Record<string, unknown>)[name], inner, `${path}.${name}`),
  );
}

const SEVERITY = oneOf('error', 'warning', 'information', 'hint');
const EVIDENCE = oneOf('proven', 'reproduced', 'mechanism', 'counterfactual', 'inferred', null);
const MODE = oneOf('real', 'v86', 'protected-16', 'protected-32', 'compatibility', 'long', null);
const FINDING = {
  code: 'string',
  severity: SEVERITY,
  message: 'string',
  file: orNull('string'),
  line: orNull('number'),
  column: orNull('number'),
} as const;
const SEGMENT = { selector: 'hex', base: 'hex', limit: 'hex', attributes: 'hex' } as const;
const CRASH_FINDING = {
  ...FINDING,
  confidence: oneOf('certain', 'likely', 'possible'),
  evidence: EVIDENCE,
  cause: oneOf('config', 'vmm', 'guest', 'host', null),
} as const;

const CONTRACT: readonly {
  readonly args: readonly string[];
  readonly code: number;
  readonly shape: Shape;
}[] = [
  {
    args: ['check', 'vm.conf'],
    code: 0,
    shape: { files: [{ file: 'string', language: oneOf('vmconf'), vmm: 'string', findings: [FINDING] }] },
  },
  {
    args: ['layout', 'vm.conf'],
    code: 0,
    shape: {
      machines: [
        {
          name: 'string',
          vmm: 'string',
          regions: [
            {
              start: 'hex',
              end: 'hex',
              kind: oneOf('ram', 'reserved', 'rom', 'mmio', 'acpi', 'nvs', 'unusable', 'persistent', 'hole'),
              name: 'string',
              permissions: orNull('string'),
              file: orNull('string'),
              line: orNull('number'),
            },
          ],
        },
      ],
    },
  },
  {
    args: ['simulate', 'vm.conf', '--known-issue', 'vmd-lowmem', '--compare', 'vmd@x86_vm-1.27'],
    code: 0,
    shape: {
      outcome: oneOf('halted'),
      reason: 'string',
      instructions: 'number',
      exitStatus: orNull('number'),
      vcpus: [
        {
          registers: { rip: 'hex', rflags: 'hex', cr0: 'hex', efer: 'hex', cs: SEGMENT, tr: SEGMENT },
          mode: MODE,
        },
      ],
      console: 'string',
      firmwareLog: 'string',
      screen: 'string',
      exits: ['any'],
      timeline: [{ at: 'number', vcpu: 'number', event: 'string' }],
      faultChain: list('any'),
      findings: [FINDING],
      evidence: oneOf('mechanism'),
      notModelled: ['string'],
      divergence: { instructions: 'number', left: { event: 'string' }, right: { event: 'string' } },
      start: list('any'),
    },
  },
  {
    args: ['simulate', '--known-issue', 'vmd-lowmem'],
    code: 0,
    shape: {
      outcome: oneOf('halted'),
      evidence: oneOf('mechanism'),
      findings: [FINDING],
      issue: {
        id: oneOf('vmd-lowmem'),
        title: 'string',
        link: 'string',
        affected: ['string'],
        fix: 'string',
      },
      cells: [
        {
          name: 'string',
          vmm: 'string',
          probe: 'string',
          parameters: 'any',
          vendor: orNull('string'),
          commandLine: orNull('string'),
          settings: 'any',
          evidence: EVIDENCE,
          outcome: 'string',
          reason: 'string',
          exitStatus: orNull('number'),
          reached: orNull('string'),
          instructions: 'number',
          console: 'string',
          faultChain: list('any'),
        },
      ],
    },
  },
  {
    args: ['decode', 'reboot-crash.txt', '--config', 'vm.conf'],
    code: 0,
    shape: {
      crashes: [
        {
          format: 'string',
          mode: MODE,
          registers: { rip: 'hex', rsp: 'hex', rflags: 'hex', cr0: 'hex', cs: { selector: 'hex' } },
          findings: [CRASH_FINDING],
          rootCause: orNull(CRASH_FINDING),
          hypotheses: [{ message: 'string', for: ['string'], against: ['string'], experiment: 'string' }],
          mappings: [
            {
              what: 'string',
              address: 'hex',
              region: orNull('any'),
              file: orNull('string'),
              line: orNull('number'),
            },
          ],
        },
      ],
    },
  },
  {
    args: ['explain', 'cr0', '0x80000011'],
    code: 0,
    shape: {
      kind: oneOf('cr0'),
      value: oneOf('0x80000011'),
      summary: 'string',
      fields: [{ name: 'string', bits: 'string', value: 'any', meaning: 'string' }],
      set: ['string'],
      problems: list('string'),
    },
  },
  {
    args: ['versions'],
    code: 0,
    shape: { vmms: [{ name: 'string', versions: [{ id: 'string', title: 'string', source: 'string' }] }] },
  },
];

for (const { args, code, shape } of CONTRACT) {
  test(`the JSON of ${args[0]!} has every field of the contract`, () => {
    const run = cli.run([...args, '--format', 'json'], { cwd: example });
    assert.deepEqual(violations(JSON.parse(run.stdout), shape, args[0]!), []);
    assert.equal(run.code, code, run.stderr);
  });
}

interface Findings {
  files: { findings: { code: string; line: number; column: number }[] }[];
}

const json = <T>(args: readonly string[]): T =>
  JSON.parse(cli.run([...args, '--format', 'json']).stdout) as T;

test('columns count UTF-16 units from 1', () => {
  const file = cli.write(
    'astral.conf',
    'vm "a" { disk "/\u{1f600}\u{1f600}"\n\tmemory 1X # \u{1f600}\n}\nvm b { cdrom "\u{1f600}" memory 1Y\n}\n',
  );
  const places = json<Findings>(['check', file]).files[0]!.findings.map(({ line, column }) => [line, column]);
  assert.deepEqual(places, [
    [2, 9],
    [4, 1 + 'vm b { cdrom "\u{1f600}" memory '.length],
  ]);
});

test('a range that ends with the address space ends at 2^64', () => {
  const file = cli.write('top.txt', 'BIOS-e820: [mem 0xfffffffffffff000-0xffffffffffffffff] reserved\n');
  const { machines } = json<{ machines: { regions: { start: string; end: string }[] }[] }>(['layout', file]);
  assert.equal(machines[0]!.regions[0]!.end, '0x10000000000000000');
});

test('an address in no region has no region, and a note with both neighbours', () => {
  const map = cli.write(
    'gap.txt',
    'BIOS-e820: [mem 0x0-0x8ffff] usable\nBIOS-e820: [mem 0x100000-0x1fffffff] usable\n',
  );
  const { crashes } = json<{ crashes: { mappings: { address: string; region: null; note: string }[] }[] }>([
    'decode',
    join(example, 'reboot-crash.txt'),
    '--config',
    map,
  ]);
  const rip = crashes[0]!.mappings.find(({ address }) => address === '0x9a070')!;
  assert.equal(rip.region, null);
  assert.match(rip.note, /\[0x0, 0x90000\).*\[0x100000, 0x20000000\)/);
});

test('a boot repeats exactly, and its JSON has no time of the host', () => {
  const args = ['simulate', join(example, 'vm.conf'), '--format', 'json'];
  const first = cli.run(args).stdout;
  assert.equal(cli.run(args).stdout, first);
  assert.doesNotMatch(first, /milliseconds/);
});

test('SARIF refers to files below the folder by relative references, to others by URIs', () => {
  cli.write('a b#.conf', 'vm a { memory 1\n disk /x\n}\n');
  const uris = (file: string): string[] => {
    const { stdout } = cli.run(['check', file, '--format', 'sarif'], {
      cwd: file.startsWith('/') ? '/' : cli.folder,
    });
    const { runs } = JSON.parse(stdout) as {
      runs: { results: { locations: { physicalLocation: { artifactLocation: { uri: string } } }[] }[] }[];
    };
    return runs[0]!.results.flatMap(({ locations }) =>
      locations.map((at) => at.physicalLocation.artifactLocation.uri),
    );
  };
  assert.deepEqual(uris('a b#.conf'), ['a%20b%23.conf']);
  const { stdout } = cli.run(['check', join(cli.folder, 'a b#.conf'), '--format', 'sarif'], { cwd: example });
  assert.match(stdout, /"uri": "file:\/\/\/.*\/a%20b%23\.conf"/);
});

test('an include that is no ordinary file is not read', () => {
  execFileSync('mkfifo', [join(cli.folder, 'fifo')]);
  const file = cli.write('fifo.conf', 'include "fifo"\nvm a { disk /x\n}\ninclude "/dev/zero"\n');
  assert.equal(cli.run(['check', file]).code, 0);
});

test('what a file is called or calls its VMs gives the terminal no commands', () => {
  const file = cli.write('escape.conf', 'vm "\u001b[31mred\u009b1m" { disk "/x"\n}\n');
  for (const command of ['check', 'layout', 'simulate'])
    // eslint-disable-next-line no-control-regex
    assert.doesNotMatch(cli.run([command, file]).stdout, /[\0-\x08\x0b-\x1f\x7f-\x9f]/);
});

test('a kernel that is packed with gzip boots as the unpacked one does', () => {
  const kernel = elfFile({
    entry: 0x1000000n,
    segments: [{ physical: 0x1000000n, virtual: 0x1000000n, bytes: Uint8Array.of(0xfa, 0xf4) }],
  });
  const boot = (image: Uint8Array): string => {
    const file = cli.write('kernel', image);
    return cli.run(['simulate', join(example, 'vm.conf'), '--image', file, '--format', 'json']).stdout;
  };
  const plain = boot(kernel);
  assert.equal((JSON.parse(plain) as { outcome: string }).outcome, 'halted', plain.slice(0, 400));
  assert.equal(boot(gzipSync(kernel)), plain);
});

const map = 'BIOS-e820: [mem 0x0-0x9ffff] usable\n';
for (const [what, args, input, message] of [
  [
    'a map without a VMM',
    ['simulate', '-'],
    map,
    /^bootpath: .* is a memory map without a VMM, which cannot be booted\.\n$/,
  ],
  [
    'a parameter that the probe has not',
    ['simulate', '-', '--set', 'x=1'],
    'vm a { disk /x\n}\n',
    /^bootpath: .*no parameter "x".*\n$/,
  ],
  [
    'no instructions',
    ['simulate', '-', '--max-instructions', '0'],
    'vm a { disk /x\n}\n',
    /^bootpath: --max-instructions takes 1 at least\n$/,
  ],
  [
    'no quantum',
    ['simulate', '-', '--quantum', '0'],
    'vm a { disk /x\n}\n',
    /^bootpath: --quantum takes 1 at least\n$/,
  ],
  [
    'a broken gzip file',
    ['simulate', '-', '--image', 'broken.gz'],
    'vm a { disk /x\n}\n',
    /^bootpath: The kernel image cannot be unpacked with gzip: .*\n$/,
  ],
] as const) {
  test(`${what} is told in one sentence, exit 2`, () => {
    cli.write('broken.gz', gzipSync(readFileSync(join(example, 'vm.conf'))).subarray(0, 30));
    const run = cli.run(args, { input });
    assert.match(run.stderr, message);
    assert.equal(run.code, 2);
  });
}

test('a layout without a machine says so on stderr', () => {
  const run = cli.run(['layout', '-', '--format', 'json'], {
    input: 'BIOS-e820: [mem 0x1000-0x0fff] usable\n',
  });
  assert.deepEqual(JSON.parse(run.stdout), { machines: [] });
  assert.match(run.stderr, /describes no machine/);
});
