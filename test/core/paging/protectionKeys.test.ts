/** Protection keys (SDM vol. 3, 4.6.2; vol. 2, RDPKRU and WRPKRU). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CODE, Lab, outcomeText } from '../lab';
import { pagingProfile } from './machine';

const PAGE = 0xb000n;
const CPU = { width: 40, amd: false, pages1g: false, pse36: true };
const PKE = 1n << 22n;
const PKS = 1n << 24n;
const KEY = 5n;
/** Access disable and write disable of KEY. */
const AD = 1n << 10n;
const WD = 2n << 10n;
const READ = '8b06';
const WRITE = '8906';

interface Row {
  readonly title: string;
  readonly rights: bigint;
  readonly use: string;
  readonly expect: string;
  readonly user?: boolean;
  readonly wp?: boolean;
  readonly supervisorPage?: boolean;
  readonly readOnly?: boolean;
  readonly cr4?: bigint;
}
const ROWS: readonly Row[] = [
  { title: 'no rights taken away', rights: 0n, use: WRITE, user: true, expect: 'ok' },
  { title: 'access disabled, user read', rights: AD, use: READ, user: true, expect: '#PF(25)' },
  { title: 'access disabled, user write', rights: AD, use: WRITE, user: true, expect: '#PF(27)' },
  { title: 'access disabled, supervisor read of a user page', rights: AD, use: READ, expect: '#PF(21)' },
  { title: 'write disabled, user read', rights: WD, use: READ, user: true, expect: 'ok' },
  {
    title: 'write disabled, user write, WP clear',
    rights: WD,
    use: WRITE,
    user: true,
    wp: false,
    expect: '#PF(27)',
  },
  { title: 'write disabled, supervisor write, WP set', rights: WD, use: WRITE, expect: '#PF(23)' },
  { title: 'write disabled, supervisor write, WP clear', rights: WD, use: WRITE, wp: false, expect: 'ok' },
  { title: 'another key', rights: AD << 2n, use: READ, user: true, expect: 'ok' },
  { title: 'CR4.PKE clear', rights: AD, use: READ, user: true, cr4: 0n, expect: 'ok' },
  {
    title: 'key and R/W both forbid: PK is set',
    rights: WD,
    use: WRITE,
    user: true,
    readOnly: true,
    expect: '#PF(27)',
  },
  {
    title: 'R/W alone forbids: PK is clear',
    rights: AD << 2n,
    use: WRITE,
    user: true,
    readOnly: true,
    expect: '#PF(7)',
  },
  {
    title: 'PKRU does not touch supervisor pages',
    rights: AD,
    use: READ,
    supervisorPage: true,
    expect: 'ok',
  },
  {
    title: 'PKS: access disabled, supervisor page',
    rights: AD,
    use: READ,
    supervisorPage: true,
    cr4: PKS,
    expect: '#PF(21)',
  },
  {
    title: 'PKS: write disabled, WP set',
    rights: WD,
    use: WRITE,
    supervisorPage: true,
    cr4: PKS,
    expect: '#PF(23)',
  },
  {
    title: 'PKS: write disabled, WP clear',
    rights: WD,
    use: WRITE,
    supervisorPage: true,
    cr4: PKS,
    wp: false,
    expect: 'ok',
  },
  { title: 'PKS does not touch user pages', rights: AD, use: READ, cr4: PKS, expect: 'ok' },
];

/** Long mode with PAGE under KEY; the rights were set by instructions before. */
function lab({
  rights,
  user = false,
  wp = true,
  supervisorPage = false,
  readOnly = false,
  cr4 = PKE,
}: Partial<Row>): Lab {
  const made = new Lab({ mode: 'long', profile: pagingProfile(CPU) });
  const state = made.core.state(0);
  made.set({ rax: rights ?? 0n, rcx: 0n, rdx: 0n }, { cr4: 0x20n | PKE });
  made.run('0f01ef b9e1060000 0f30');
  made.core.setActivity(0, 'running');
  const flags = (readOnly ? 1n : 3n) | (supervisorPage ? 0n : 4n);
  made.put(made.entryOf(PAGE), PAGE | flags | (KEY << 59n), 8);
  made.set({ rsi: PAGE }, { cr4: 0x20n | cr4, cr0: wp ? state.cr0 : 0x80000031n, rip: CODE });
  if (user) {
    made.segment('cs', { selector: 0x33, attributes: 0xa0fb });
    made.segment('ss', { selector: 0x3b, attributes: 0xc0f3 });
  }
  return made;
}
for (const row of ROWS)
  test(`${row.title}: ${row.expect}`, () => {
    const outcome = lab(row).run(`${row.use}${row.user ? 'ebfe' : ''}`, 50);
    assert.equal(outcomeText(outcome).replace('deadline', 'ok'), row.expect);
    if (row.expect.startsWith('#PF')) assert.equal(outcome.fault?.cr2, PAGE);
  });

test('a fetch is no data access: no key forbids it', () => {
  const made = lab({ rights: AD });
  made.put(PAGE, 0xf4n, 1);
  assert.equal(outcomeText(made.set({}, { rip: PAGE }).go()), 'ok');
});

test('WRPKRU takes effect on the next access, in both directions', () => {
  const made = lab({ rights: 0n });
  made.set({ rax: AD, rcx: 0n, rdx: 0n });
  const closed = made.run(`${READ.replace('06', '3e')} 0f01ef 8b3e`);
  assert.equal(outcomeText(closed), '#PF(21)');
  const opened = lab({ rights: AD });
  opened.set({ rax: 0n, rcx: 0n, rdx: 0n });
  assert.equal(outcomeText(opened.run('0f01ef 8b3e')), 'ok');
});

test('RDPKRU gives PKRU in EAX and clears EDX; OSPKE in CPUID follows CR4.PKE', () => {
  const made = lab({ rights: 0x12345678n });
  made.set({ rax: ~0n & 0xffffffffffffffffn, rcx: 0n, rdx: 5n });
  const { general } = made.run('0f01ee').state;
  assert.deepEqual([general.rax, general.rdx], [0x12345678n, 0n]);
  for (const [cr4, expected] of [
    [PKE, 0x10n],
    [0n, 0n],
  ] as const) {
    const asked = lab({ cr4 }).set({ rax: 7n, rcx: 0n }).run('0fa2').state.general.rcx;
    assert.equal(asked & 0x18n, 8n | expected);
  }
});

/** SDM vol. 2, RDPKRU and WRPKRU. */
for (const [title, code, registers, cr4, expected] of [
  ['RDPKRU with CR4.PKE clear', '0f01ee', {}, 0n, '#UD'],
  ['WRPKRU with CR4.PKE clear', '0f01ef', {}, 0n, '#UD'],
  ['RDPKRU with ECX not 0', '0f01ee', { rcx: 1n }, PKE, '#GP(0)'],
  ['RDPKRU with only the upper half of RCX not 0', '0f01ee', { rcx: 1n << 32n }, PKE, 'ok'],
  ['WRPKRU with ECX not 0', '0f01ef', { rcx: 1n }, PKE, '#GP(0)'],
  ['WRPKRU with EDX not 0', '0f01ef', { rdx: 1n }, PKE, '#GP(0)'],
  ['LOCK RDPKRU', 'f00f01ee', {}, PKE, '#UD'],
] as const)
  test(`${title}: ${expected}`, () => {
    assert.equal(
      outcomeText(
        lab({ cr4 })
          .set({ rcx: 0n, rdx: 0n, ...registers })
          .run(code),
      ),
      expected,
    );
  });

test('CR4.PKE and CR4.PKS exist where CPUID says so; IA32_PKRS takes 32 bits', () => {
  for (const bit of ['16', '18']) {
    const code = `0f20e0 480fbae8${bit} 0f22e0`;
    assert.equal(outcomeText(lab({ cr4: 0n }).run(code)), 'ok');
    assert.equal(outcomeText(new Lab({ mode: 'long' }).run(code)), '#GP(0)');
  }
  assert.equal(outcomeText(lab({}).set({ rcx: 0x6e1n, rdx: 1n, rax: 0n }).run('0f30')), '#GP(0)');
});
