/**
 * Images of our own on our core and on QEMU: every mode with its registers, and exceptions with error code, frame and
 * CR2; and on Bochs, which also judges what QEMU does not check. Where one is known to differ from the manuals, the
 * manuals decide; each such case is listed in disagreements.ts.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BOCHS_DISAGREEMENTS, QEMU_IMAGES, type BochsDisagreement, type Disagreement } from './disagreements';
import { runOnBochs } from './onBochs';
import { runOnCore } from './onCore';
import { testProfile } from './profile';
import { assemble, missingTools, runOnQemu } from './tools';

const source = (name: string): string =>
  readFileSync(join(process.env['BOOTPATH_ROOT'] ?? '.', 'test/core/oracle/images', `${name}.asm`), 'utf8');

/** QEMU's lines with its known mistakes put right; a case without an exception has only the part that is sure. */
function corrected(lines: readonly string[], disagreements: readonly Disagreement[]): string[] {
  return lines.map((line) => {
    let right = line;
    for (const { line: start, qemu, manual } of disagreements) {
      if (line.startsWith(start)) right = right.replace(qemu, manual);
    }
    return right;
  });
}

for (const [name, disagreements] of Object.entries(QEMU_IMAGES)) {
  test(
    `${name}: core and QEMU report the same`,
    { skip: missingTools('nasm', 'qemu-system-x86_64') },
    async () => {
      const rom = padded(assemble(source(name)));
      const console = await runOnQemu({
        rom,
        output: 'debug-port',
        arguments: ['-cpu', 'qemu64', '-m', '64'],
      });
      const expected = corrected(console.split('\n'), disagreements);
      assert.equal(expected.at(-2), 'status complete', `QEMU did not finish:\n${console}`);
      const run = runOnCore(rom);
      const got = run.output.split('\n');
      const different = expected.flatMap((line, index) =>
        sameReport(line, got[index] ?? '')
          ? []
          : [`QEMU ${line}\ncore ${got[index] ?? `(${run.exit.reason})`}`],
      );
      assert.equal(
        different.length,
        0,
        `${different.length} lines differ:\n${different.slice(0, 12).join('\n')}`,
      );
    },
  );
}

/** Where QEMU took no exception and the manual wants one, only its start is known. */
const sameReport = (expected: string, got: string): boolean =>
  expected === got || (expected.endsWith(' ') && got.startsWith(expected));

/** The smallest ROM that QEMU takes. */
function padded(image: Uint8Array): Uint8Array {
  const rom = new Uint8Array(0x10000);
  rom.set(image, rom.length - image.length);
  return rom;
}

/** Cases of images that QEMU cannot judge, and what the manuals say of them. */
type Expectations = Readonly<Record<string, RegExp>>;

const BEYOND_QEMU: Expectations = {
  'limit: last byte': /^no exception/,
  'limit: one beyond': /^vector 0xd error 0x0 /,
  'limit: a word across it': /^vector 0xd error 0x0 /,
  'limit: through SS': /^vector 0xc error 0x0 /,
  'expand down: below the limit': /^vector 0xd error 0x0 /,
  'expand down: above the limit': /^no exception/,
  'null DS': /^vector 0xd error 0x0 /,
  'write to read-only data': /^vector 0xd error 0x0 /,
  'write through CS': /^vector 0xd error 0x0 /,
  'rep stosb across the limit': /^vector 0xd error 0x0 .* ecx 0x6 .* edi 0x1000$/,
  'lock on mov': /^vector 0x6 /,
  icebp: /^vector 0x1 /,
  'unknown MSR, read': /^vector 0xd error 0x0 /,
  'unknown MSR, write': /^vector 0xd error 0x0 /,
  'cr0: PG without PE': /^vector 0xd error 0x0 /,
  'cr0: NW without CD': /^vector 0xd error 0x0 /,
  'cr4: reserved bit': /^vector 0xd error 0x0 /,
  'cr4: PCIDE outside long mode': /^vector 0xd error 0x0 /,
  'efer: reserved bit': /^vector 0xd error 0x0 /,
  'pae: a PDPTE with reserved bits': /^vector 0xd error 0x0 /,
  'long mode without PAE': /^vector 0xd error 0x0 /,
  'IDT target beyond the limit of its segment': /^vector 0xd error 0x0 /,
  'RF in the image of a fault': /^vector 0x40 .* eax 0x10046 /,
  'non-canonical through RBP': /^vector 0xc error 0x0 /,
  'push to a non-canonical stack': /^vector 0xc error 0x0 .* stack 0x18:0x1234567800000000 /,
  'near jump to a non-canonical address': /^vector 0xd error 0x0 at 0x10:0xf/,
  'ret to a non-canonical address': /^vector 0xd error 0x0 at 0x10:0xf.* stack 0x18:0x6ff8 /,
  'iretq to a non-canonical address': /^vector 0xd error 0x0 at 0x10:0xf/,
  'vector without a gate': /^vector 0xd error 0x302 /,
  'absent gate': /^vector 0xb error 0x212 /,
  'gate with a non-canonical target': /^vector 0xd error 0x0 /,
  'hardware exception through an absent gate': /^vector 0xb error 0x33 /,
  'interrupt stack table keeps SS without a change of ring': /^vector 0x41 .* ss 0x18 /,
  'far jump to code with L and D': /^vector 0xd error 0x80 /,
  'mov cr0 with an upper bit': /^vector 0xd error 0x0 /,
  'clearing PG in 64-bit mode': /^vector 0xd error 0x0 /,
  'clearing PAE': /^vector 0xd error 0x0 /,
  'cr4: reserved upper bit': /^vector 0xd error 0x0 /,
  'cr3: reserved bit': /^vector 0xd error 0x0 /,
  'cr8: reserved bit': /^vector 0xd error 0x0 /,
  'efer: LME changed under PG': /^vector 0xd error 0x0 /,
  'lgdt with a non-canonical base': /^vector 0xd error 0x0 /,
  'LSTAR non-canonical': /^vector 0xd error 0x0 /,
  'ltr of null': /^vector 0xd error 0x0 /,
  'null SS with RPL 3 in ring 0': /^vector 0xd error 0x0 /,
  'page: ignored bit': /^no exception/,
  'page: reserved bit': /^vector 0xe error 0x9 .* cr2 0x100001000 /,
  'page: XD without NXE': /^vector 0xe error 0xb .* cr2 0x100002000 /,
  'read-modify-write of an absent page': /^vector 0xe error 0x2 .* cr2 0x100008000 /,
  'SYSCALL keeps DF unless masked': /^vector 0x40 .* flags 0x402 /,
};

/** SDM vol. 1, the chapter on Control-flow Enforcement Technology; far transfers: vol. 2, JMP and CALL. Vector 0x15 is #CP, error code 3 a missing ENDBR. */
const IBT: Expectations = {
  'CR4.CET with WP clear': /^vector 0xd error 0x0 /,
  'clearing WP with CR4.CET': /^vector 0xd error 0x0 /,
  'S_CET with a reserved bit': /^vector 0xd error 0x0 /,
  'not enabled: any target': /^reached/,
  'call to ENDBR64': /^reached/,
  'call to something else': /^vector 0x15 error 0x3 .* stack 0x18:0x6ff8 /,
  'jump to something else': /^vector 0x15 error 0x3 .* stack 0x18:0x7000 /,
  'jump through memory': /^vector 0x15 error 0x3 /,
  'call through memory to ENDBR64': /^reached/,
  'jump to ENDBR32': /^vector 0x15 error 0x3 /,
  'direct call and return': /^reached/,
  'return to anywhere': /^reached/,
  'iretq to anywhere': /^reached/,
  'no-track prefix, not allowed': /^vector 0x15 error 0x3 /,
  'no-track prefix, allowed': /^reached/,
  'without the prefix still tracked': /^vector 0x15 error 0x3 /,
  'interrupt handler without ENDBR64': /^vector 0x15 error 0x3 /,
  'interrupt handler with ENDBR64': /^vector 0x40 /,
  'ENDBR64 that nobody waits for': /^reached/,
  'far jump through memory to 32-bit code': /^vector 0x15 error 0x3 at 0x8:0xf/,
  'far jump through memory to ENDBR32': /^reached/,
  'far return to 32-bit code': /^reached/,
  'direct far jump to something else': /^vector 0x15 error 0x3 at 0x10:0xf/,
  'direct far call to something else': /^vector 0x15 error 0x3 at 0x10:0xf/,
  'an exception at the target keeps the tracker for nobody': /^vector 0x6 /,
  'ring 3 without U_CET: any target': /^vector 0x40 .* at 0x43:/,
  'ring 3 with U_CET': /^vector 0x15 error 0x3 at 0x43:/,
  'ring 3 again: its tracker still waits': /^vector 0x15 error 0x3 at 0x43:/,
  'SYSCALL to something else': /^vector 0x15 error 0x3 at 0x10:/,
  'SYSCALL to ENDBR64': /^reached/,
  'legacy bitmap: a marked page': /^reached/,
  'legacy bitmap, not enabled': /^vector 0x15 error 0x3 /,
  'legacy bitmap: a page that is not marked': /^vector 0x15 error 0x3 /,
  'suppressed: any target': /^reached/,
  'a far jump ends the suppression': /^vector 0x15 error 0x3 /,
};

/** SDM vol. 3, Advanced Programmable Interrupt Controller: Local APIC Status and Location, and Extended xAPIC. */
const APIC: Expectations = {
  'base after reset': /^0xfee00900$/,
  'SVR after reset': /^0xff$/,
  'LINT0 after reset': /^0x10000$/,
  'DFR after reset': /^0xffffffff$/,
  'base, reserved bit 9': /^vector 0xd error 0x0 /,
  'base, reserved bit 0': /^vector 0xd error 0x0 /,
  'base, beyond the physical width': /^vector 0xd error 0x0 /,
  'base, EXTD without EN': /^vector 0xd error 0x0 /,
  'base, moved': /^0x1[0-9a-f] no exception/,
  'ESR after an IPI with vector 5': /^0x60$/,
  'CPUID APIC bit when disabled': /^0x0$/,
  'base, disabled to x2APIC': /^vector 0xd error 0x0 /,
  'SVR after enabling again': /^0xff$/,
  'x2APIC register in xAPIC mode': /^vector 0xd error 0x0 /,
  'x2APIC to xAPIC': /^vector 0xd error 0x0 /,
  'x2APIC id': /^0x0$/,
  'SVR, reserved bit': /^vector 0xd error 0x0 /,
  'write to the version': /^vector 0xd error 0x0 /,
  'read of EOI': /^vector 0xd error 0x0 /,
  'EOI with a value': /^vector 0xd error 0x0 /,
  'register without a meaning': /^vector 0xd error 0x0 /,
  'DFR is not there': /^vector 0xd error 0x0 /,
  'ICR, reserved bit': /^vector 0xd error 0x0 /,
  'ICR, to itself': /^vector 0x40 /,
  'SELF IPI': /^vector 0x41 /,
  'SELF IPI, reserved bit': /^vector 0xd error 0x0 /,
  'ICR by destination': /^vector 0x42 /,
};

for (const [name, expectations, profile] of [
  ['beyond-qemu', BEYOND_QEMU, testProfile()],
  ['ibt', IBT, testProfile({ ibt: true })],
  ['apic', APIC, testProfile({ x2apic: true })],
] as const) {
  test(`${name}: what QEMU cannot judge is as the manuals say`, { skip: missingTools('nasm') }, () => {
    const { output, exit } = runOnCore(padded(assemble(source(name))), profile);
    const got = new Map(
      output.split('\n').map((line): [string, string] => {
        const at = line.lastIndexOf(': ');
        return [line.slice(0, at), line.slice(at + 2)];
      }),
    );
    const wrong = Object.entries(expectations).flatMap(([title, expected]) =>
      expected.test(got.get(title) ?? '')
        ? []
        : [`${title}: ${got.get(title) ?? '(missing)'}, not ${expected}`],
    );
    assert.equal(wrong.length, 0, `${wrong.length} cases are wrong (${exit.reason}):\n${wrong.join('\n')}`);
    assert.match(output, /^status complete$/m);
  });
}

/** The image, the model of Bochs that has what it needs, and ours with the same. */
const ON_BOCHS = [
  ...['ladder', 'code-cache', 'interrupts', 'tasks'].map((name) => [name, 'broadwell_ult', {}] as const),
  ...[
    'exceptions-real',
    'exceptions-protected',
    'exceptions-long',
    'beyond-qemu',
    'virtual-interrupts',
    'events',
    'task-switches',
  ].map((name) => [name, 'broadwell_ult', {}] as const),
  ['ibt', 'tigerlake', { ibt: true }],
] as const;

for (const [name, cpu, change] of ON_BOCHS) {
  test(`${name}: core and Bochs report the same`, { skip: missingTools('nasm', 'bochs-bin') }, async () => {
    const rom = padded(assemble(source(name)));
    const bochs = await runOnBochs({ rom, cpu });
    assert.match(bochs, /^status complete$/m, `Bochs did not finish:\n${bochs}`);
    const core = runOnCore(rom, testProfile(change)).output;
    assert.deepEqual(differences(core, bochs, BOCHS_DISAGREEMENTS[name] ?? []), []);
  });
}

/** Lines that differ without being listed, and listed ones that no longer differ. */
function differences(core: string, bochs: string, known: readonly BochsDisagreement[]): string[] {
  const got = core.split('\n');
  const expected = bochs.split('\n');
  const unmet = new Set(known);
  const lines = Array.from({ length: Math.max(got.length, expected.length) }, (_, i) => {
    const [ours, theirs] = [got[i] ?? '(nothing)', expected[i] ?? '(nothing)'];
    if (ours === theirs) return [];
    const listed = known.find(({ line, core: right }) => ours.startsWith(line) && ours.includes(right));
    if (listed === undefined) return [`core  ${ours}\nBochs ${theirs}`];
    unmet.delete(listed);
    return [];
  });
  return [...lines.flat(), ...[...unmet].map(({ line }) => `listed, but Bochs agrees: ${line}`)];
}
