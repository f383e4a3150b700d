/** The static check of libkrun-i8042-reset: which command lines it reports, where, and how strongly. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { hidesEarlyPanic } from '../../../server/src/checks/commandLine/earlyPanic';
import { bootpathService } from '../../../server/src/service';
import { SourceText } from '../../../server/src/text/sourceText';

const SILENT = 'reboot=k panic=-1 console=hvc0';

for (const [line, hidden, why] of [
  [SILENT, true, 'the three together'],
  [`${SILENT} quiet rw init=/init.krun`, true, 'with more'],
  ['panic=-5 console=hvc1 reboot=w,k', true, 'any value below 0, any hvc, reboot=k behind a comma'],
  [`${SILENT} -- earlyprintk=serial`, true, 'what is behind -- is init’s'],
  [`${SILENT} earlyprintk`, true, 'earlyprintk without a value does nothing on x86'],
  [`panic=1 ${SILENT}`, true, 'the last panic= counts'],
  [`init="/bin/sh panic=0" ${SILENT}`, true, 'quotes keep words together'],
  [`${SILENT} panic=1`, false, 'the last panic= counts'],
  ['reboot=k panic=0 console=hvc0', false, 'the guest stays'],
  ['reboot=k panic=1 console=hvc0', false, 'a second to look'],
  ['reboot=k console=hvc0', false, 'Linux’s own panic= is 0'],
  ['panic=-1 console=hvc0', false, 'no reboot=k'],
  ['reboot=t panic=-1 console=hvc0', false, 'another way to reboot'],
  [`${SILENT} earlyprintk=serial,ttyS0,115200`, false, 'a boot console'],
  [`${SILENT} earlycon=uart8250,io,0x3f8`, false, 'a boot console'],
  [`${SILENT} console=ttyS0`, false, 'a serial console comes early'],
  ['reboot=k panic=-1', false, 'no console is named'],
  ['', false, 'empty'],
] as const) {
  test(`${hidden ? 'hides' : 'does not hide'} an early panic (${why}): ${line}`, () => {
    assert.equal(hidesEarlyPanic(line), hidden);
  });
}

const findingsOf = (text: string, uri: string) => {
  const language = bootpathService.claim('', text, uri);
  assert.ok(language, 'recognised');
  const document = bootpathService.parse(language, new SourceText(uri, text), { files: new Map() });
  return bootpathService
    .findings(document)
    .filter(({ code }) => code === 'libkrun-i8042-reset')
    .map(({ severity, at, message, evidence }) => ({
      severity,
      line: at?.range.start.line,
      message,
      evidence,
    }));
};

test('a box without a kernel of its own: a note at its root file system, since libkrun’s own line decides', () => {
  const found = findingsOf(
    '{\n  "memory_mib": 512,\n  "rootfs": { "Image": "alpine" }\n}',
    'file:///box.json',
  );
  assert.deepEqual(
    found.map(({ severity, line, evidence }) => ({ severity, line, evidence })),
    [{ severity: 'information', line: 2, evidence: 'mechanism' }],
  );
  assert.match(found[0]!.message, /krun_set_env/);
});

test('a command line of the box’s own that hides it: a warning at the text', () => {
  const box = (line: string) =>
    `{\n "memory_mib": 512, "rootfs": { "Image": "a" },\n "advanced": { "kernel": { "path": "/k",\n  "command_line": "${line}" } } }`;
  assert.deepEqual(
    findingsOf(box(SILENT), 'file:///box.json').map(({ severity, line }) => ({ severity, line })),
    [{ severity: 'warning', line: 3 }],
  );
  assert.deepEqual(findingsOf(box(`${SILENT} earlyprintk=serial`), 'file:///box.json'), []);
});

const c = (...calls: string[]) =>
  ['#include <libkrun.h>', 'krun_set_vm_config(ctx, 1, 512);', ...calls].join('\n');

for (const [title, text, severities] of [
  ['libkrun’s own line', c(), ['information']],
  ['a kernel without a line', c('krun_set_kernel(ctx, "/k", 1, NULL, NULL);'), ['information']],
  ['a line that hides it', c(`krun_set_kernel(ctx, "/k", 1, NULL, "${SILENT}");`), ['warning']],
  ['a line that the program works out', c('krun_set_kernel(ctx, "/k", 1, NULL, line);'), []],
  ['a firmware', c('krun_set_firmware(ctx, "/fw");'), []],
  ['a serial console in the place of hvc0', c('krun_set_kernel_console(ctx, "ttyS0");'), []],
] as const) {
  test(`C, ${title}: ${severities.join(', ') || 'nothing'}`, () => {
    assert.deepEqual(
      findingsOf(text, 'file:///vm.c').map(({ severity }) => severity),
      severities,
    );
  });
}

test('a memory map tells nothing of a command line', () => {
  const text = '# bootpath: libkrun@1.19.0\nBIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable\n';
  assert.deepEqual(findingsOf(text, 'file:///dmesg.txt'), []);
});

test('a suppression comment silences it', () => {
  assert.deepEqual(
    findingsOf(
      '#include <libkrun.h>\nkrun_set_vm_config(ctx, 1, 512); // bootpath-disable-line libkrun-i8042-reset',
      'file:///vm.c',
    ),
    [],
  );
});

test('a command line of any length is looked through', () => {
  const hidden = 'reboot=k panic=-1 console=hvc0';
  assert.equal(hidesEarlyPanic(`${'x'.repeat(12_000_000)} ${hidden}`), true);
  assert.equal(hidesEarlyPanic(`"${'x '.repeat(6_000_000)}${hidden}`), false, 'all of it is one quoted word');
});
