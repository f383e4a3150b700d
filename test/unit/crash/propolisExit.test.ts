/** Unhandled exits of Propolis: lines in the shape of its sources, with the values of its public issues. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { crashDump } from '../../../server/src/crash/language';
import { SourceText } from '../../../server/src/text/sourceText';
import { parsePropolis } from '../../../server/src/vmm/propolis/document';
import { codes, crashOf, messageOf, report } from './dumps';

/** Issue 340. */
const ROM_WRITE = `thread 'vcpu-3' panicked at 'vCPU 3: Unhandled VM exit: Paging(4294967292, 2)', vm/mod.rs:436:9`;
/** Issue 1168. */
const STRING_INPUT =
  'ERRO Unhandled exit @rip:00859f60 InstEmul(InstEmul { inst_data: [243, 108, 235, 10, 227, 8, 236, 136, 7, 72, 255, 199, 226, 248, 76], len: 15 })';
/** Issue 300 has an instruction that could not be fetched. */
const NO_FETCH =
  'vCPU 1: Unhandled VM exit: InstEmul(InstEmul { inst_data: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], len: 0 })';

const config = `[main]
name = "vm"
cpus = 4
bootrom = "/opt/OVMF.fd"
memory = 1024
`;
const machines = parsePropolis(new SourceText('file:///vm.toml', config), { files: new Map() }).machines;

test('a write to the boot ROM is the known issue, its address lies in the ROM, and the config’s line is named', () => {
  const crash = crashOf(ROM_WRITE, { machines });
  assert.equal(crash.format, 'propolis-exit');
  assert.deepEqual(codes(crash), ['propolis-rom-write']);
  assert.equal(crash.rootCause?.code, 'propolis-rom-write');
  assert.equal(crash.rootCause?.cause, 'vmm');
  assert.match(crash.rootCause?.message ?? '', /wrote to 0xfffffffc, in the boot ROM's segment \[0xffe00000/);
  assert.equal(crash.hypotheses.length, 1);
  const [related] = crash.findings[0]!.related!;
  assert.deepEqual([related!.at.uri, related!.at.range.start.line], ['file:///vm.toml', 3]);
  const mapping = crash.mappings.find(({ what }) => what === 'Paging exit');
  assert.deepEqual([mapping?.address, mapping?.region, mapping?.machine], [0xfffffffcn, 'bootrom', 'vm']);
});

for (const [text, title] of [
  ['vCPU 0: Unhandled VM exit: Paging(4096, 2)', 'a write elsewhere'],
  ['vCPU 0: Unhandled VM exit: Paging(4294967292, 1)', 'a read of the ROM'],
  ['vCPU 0: Unhandled VM exit: Paging(4292870143, 2)', 'a write right below the ROM'],
  ['vCPU 0: Unhandled VM exit: Paging(4294967296, 2)', 'a write right above it'],
] as const) {
  test(`${title} is not that issue, and has no root cause`, () => {
    const crash = crashOf(text, { machines });
    assert.deepEqual(codes(crash), ['propolis-unhandled-exit']);
    assert.equal(crash.rootCause, null);
  });
}

test('bytes of an instruction are shown in hexadecimal; string I/O points to the hosts that lack decode assists', () => {
  const message = messageOf(crashOf(STRING_INPUT), 'propolis-unhandled-exit');
  assert.match(
    message,
    /propolis-standalone .* at rip 0x859f60.*bytes f3 6c eb 0a .*INS or OUTS.*issue 1168/,
  );
  const other = STRING_INPUT.replace('243, 108', '15, 11');
  assert.doesNotMatch(messageOf(crashOf(other), 'propolis-unhandled-exit'), /1168/);
});

test('no bytes mean that the instruction could not be fetched, redacted ones that nobody may see them', () => {
  assert.match(messageOf(crashOf(NO_FETCH), 'propolis-unhandled-exit'), /could not even fetch/);
  const redacted = NO_FETCH.replace(/\[.*\]/, '<guest data redacted>').replace('len: 0', 'len: 15');
  assert.match(messageOf(crashOf(redacted), 'propolis-unhandled-exit'), /kept back/);
});

test('the same exit in a log and a panic is one crash, another vCPU’s another', () => {
  const { crashes } = report(`${NO_FETCH}\n${NO_FETCH}\n${NO_FETCH.replace('vCPU 1', 'vCPU 2')}\n`);
  assert.deepEqual(
    crashes.map(({ title }) => title),
    [
      'propolis-server: unhandled exit InstEmul of vCPU 1',
      'propolis-server: unhandled exit InstEmul of vCPU 2',
    ],
  );
});

test('such a text is recognised as a crash dump, words about exits are not', () => {
  assert.ok(crashDump.recognise(ROM_WRITE, 'log.txt'));
  assert.ok(crashDump.recognise(STRING_INPUT, 'log.txt'));
  assert.deepEqual(report('Unhandled VM exit: none\nUnhandled exit @rip:\n').crashes, []);
});
