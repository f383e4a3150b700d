/** The rules on BoxLite's options. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { runChecks } from '../../../server/src/checks/catalogue';
import { SourceText } from '../../../server/src/text/sourceText';
import { parseDocument } from '../../../server/src/vmm/libkrun/boxlite/document';

const findings = (text: string) =>
  runChecks(parseDocument(new SourceText('file:///box.json', text), { files: new Map() })).filter(
    ({ code }) => code.startsWith('boxlite-') || code === 'json-syntax',
  );
const codesOf = (options: object) =>
  findings(JSON.stringify({ rootfs: { Image: 'alpine' }, ...options }, null, 2)).map(({ code }) => code);
const VOLUME = { host_path: '/a', guest_path: '/b', read_only: false };

for (const [code, what, options] of [
  ['boxlite-unknown-key', 'another unit', { memory_mb: 1 }],
  ['boxlite-missing-key', 'a volume without read_only', { volumes: [{ host_path: '/a', guest_path: '/b' }] }],
  ['boxlite-wrong-type', 'an environment as an object', { env: { A: 'b' } }],
  ['boxlite-wrong-type', 'a number as text', { cpus: '2' }],
  ['boxlite-value', '256 vCPUs', { cpus: 256 }],
  ['boxlite-value', 'no memory', { memory_mib: 0 }],
  ['boxlite-value', 'a pair of three', { env: [['a', 'b', 'c']] }],
  ['boxlite-value', 'another network', { network: 'Host' }],
  ['boxlite-value', 'two root file systems', { rootfs: { Image: 'a', RootfsPath: '/b' } }],
  ['boxlite-value', 'a network that is neither on nor off', { network: {} }],
  ['boxlite-unknown-key', 'a network in lower case', { network: { enabled: {} } }],
  ['boxlite-detach', 'by default', { detach: true }],
  ['boxlite-detach', 'by auto_remove', { detach: true, auto_remove: true }],
  [
    'boxlite-detach',
    'by auto_delete, though auto_remove is false',
    { detach: true, auto_remove: false, auto_delete: 5 },
  ],
  ['boxlite-port', 'port 0', { ports: [{ guest_port: 0 }] }],
  ['boxlite-port', 'UDP', { ports: [{ guest_port: 53, protocol: 'Udp' }] }],
  ['boxlite-port', 'a name', { ports: [{ guest_port: 80, host_ip: 'localhost' }] }],
  [
    'boxlite-port',
    'one twice',
    {
      ports: [
        { host_port: 80, guest_port: 80 },
        { host_port: 80, guest_port: 81 },
      ],
    },
  ],
  ['boxlite-port', 'without a network', { network: 'Disabled', ports: [{ guest_port: 80 }] }],
  ['boxlite-volume', 'no origin', { volumes: [{ ...VOLUME, host_path: '' }] }],
  ['boxlite-volume', 'two', { volumes: [{ ...VOLUME, managed_volume: 'data' }] }],
  [
    'boxlite-network',
    'a list of those who may come in',
    { inbound_network: { Enabled: { allow_net: ['10.0.0.0/8'] } } },
  ],
  ['boxlite-network', 'the jail without network', { advanced: { security: { network_enabled: false } } }],
  [
    'boxlite-network',
    'a limit of nothing',
    { network: 'Disabled', advanced: { network_rate_limit: { tx_kbps: 9 } } },
  ],
  [
    'boxlite-kernel',
    'raw with a command line',
    { advanced: { kernel: { path: '/k', format: 'raw', command_line: 'x' } } },
  ],
  ['boxlite-kernel', 'arm64', { advanced: { kernel: { path: '/k', format: 'pe-gz' } } }],
] as const) {
  test(`${code}: ${what}`, () => assert.deepEqual(codesOf(options), [code]));
}

for (const [what, options] of [
  ['defaults', {}],
  ['nulls', { cpus: null, memory_mib: null, auto_delete: null, entrypoint: null }],
  ['a detached box that is kept', { detach: true, auto_remove: false }],
  ['a detached box that is kept by auto_delete', { detach: true, auto_delete: 0 }],
  ['the first versions', { network: 'Isolated', isolate_mounts: true }],
  [
    'one port at two addresses',
    {
      ports: [
        { host_port: 80, guest_port: 80, host_ip: '127.0.0.1' },
        { host_port: 80, guest_port: 80, host_ip: '::1' },
      ],
    },
  ],
  [
    'ports that the system picks',
    {
      ports: [
        { host_port: 0, guest_port: 80 },
        { host_port: null, guest_port: 81 },
      ],
    },
  ],
  ['a volume', { volumes: [VOLUME] }],
  ['a managed volume', { volumes: [{ managed_volume: 'd', guest_path: '/d', read_only: true }] }],
  [
    'no network in the jail either',
    { network: 'Disabled', advanced: { security: { network_enabled: false } } },
  ],
  ['a raw kernel alone', { advanced: { kernel: { path: '/k', format: 'raw', command_line: null } } }],
  ['a template', { memory_mib: '${MEM}' }],
] as const) {
  test(`nothing is said about ${what}`, () => assert.deepEqual(codesOf(options), []));
}

test('a request to a server has other keys, and is let be', () => {
  assert.deepEqual(findings('{"image": "alpine", "cpus": 300, "memory_mib": 512, "detach": true}'), []);
});

test('a length that leaves no choice is told as one number', () => {
  const [found] = findings('{"rootfs": {"Image": "a"}, "env": [["A"]]}');
  assert.match(found!.message, /^`env\[0\]` has 1 item, and takes 2: BoxLite/);
});

test('the fix of a detached box makes it silent', () => {
  const text = '{"rootfs": {"Image": "a"}, "detach": true}';
  const edit = findings(text)[0]!.fixes![0]!.edits[0]!;
  const { start, end } = edit.range;
  const fixed = text.slice(0, start.character) + edit.newText + text.slice(end.character);
  assert.deepEqual(findings(fixed), []);
});

test('no options make a rule throw', () => {
  const value = fc.jsonValue({ maxDepth: 3 });
  const keys = fc.constantFrom(
    'ports',
    'volumes',
    'network',
    'inbound_network',
    'advanced',
    'detach',
    'auto_delete',
    'env',
  );
  fc.assert(
    fc.property(fc.dictionary(keys, value), (options) => {
      codesOf(options);
    }),
  );
  for (const part of [
    '{"rootfs": {"Image": "a"}, "ports": [{',
    '{"rootfs": {"Image": "a"}, "volumes": [{"host_path":',
    '{"rootfs": {"RootfsPath":',
  ])
    findings(part);
});

test('a network that does not exist is told that an object may stand there too', () => {
  const [found] = findings('{"rootfs": {"Image": "a"}, "network": "Host"}');
  assert.match(found!.message, /takes only `Disabled` or `Isolated`, or an object with `Enabled`: BoxLite/);
});

test('of two root file systems the second is marked, and the keys are counted', () => {
  const text = '{"rootfs": {"Image": "a", "RootfsPath": "/b"}}';
  const [found] = findings(text);
  assert.match(found!.message, /^`rootfs` has 2 keys, and takes 1: BoxLite/);
  assert.equal(found!.at!.range.start.character, text.indexOf('"RootfsPath"'));
});
