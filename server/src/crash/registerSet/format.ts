/** Registers without a header: what QEMU, vmm(4), a debugger or `bootpath simulate` prints of a vCPU (F2). */
import { hex } from '../../address/format';
import { bit } from '../../x86/bitField';
import { register } from '../crashFacts';
import { defineFormat } from '../dumpFormat';
import { tableBase, type GuestPhysical } from '../locate';
import { vmdDirectLaunch } from '../knownIssues';
import { registerFacts, type RegisterFacts } from './facts';
import { compatibilityMode, impossibleState } from './rules/cpuState';
import { paeTransition } from './rules/paeTransition';
import { vmdDirectLaunchMatch } from './rules/vmdDirectLaunch';
import { RegisterSetScanner } from './scanner';
import { readVmdEntry } from './vmdEntry';

export const registerSet = defineFormat({
  id: 'register-set',
  plural: 'register sets',
  sign: /CR0|cr0|[RE]AX=[0-9a-f]{8}/,
  lineStarts: [
    '[RE]AX=[0-9a-f]{8}',
    '[RE]SI=[0-9a-f]{8}',
    'R8 =[0-9a-f]{16}',
    'R12=[0-9a-f]{16}',
    '[RE]IP=[0-9a-f]{8}',
    '(?:[C-GES]S|LDT|TR) ?=[0-9a-f]{4} [0-9a-f]{8}',
    '[GI]DT= {1,8}[0-9a-f]{8}',
    'CR0=[0-9a-f]{8} CR2=',
    'DR0=[0-9a-f]{8}',
    'DR6=[0-9a-f]{8}',
    'EFER=[0-9a-f]{16}',
  ],
  joined: [],
  looksFor:
    'a register set: lines of nothing but registers ("CR0=80000011 …", "cr0 0x80000011", what QEMU prints for info registers), with CR0 and two of RIP, CR3, CR4, EFER and CS',
  rules: [vmdDirectLaunchMatch, impossibleState, paeTransition, compatibilityMode],
  scanner: () => new RegisterSetScanner(),
  facts: registerFacts,
  title: titleOf,
  verdict: verdictOf,
  hypotheses: (facts) => (readVmdEntry(facts) ? vmdDirectLaunch.hypotheses : []),
  addresses: addressesOf,
});

function titleOf(facts: RegisterFacts): string {
  const rip = register(facts, 'rip');
  const at = rip === undefined ? '' : ` at ${hex(rip)}`;
  const mode = facts.mode.mode === null ? '' : `, ${facts.mode.mode} mode`;
  return `Register set of a vCPU${at}${mode}`;
}

function verdictOf(facts: RegisterFacts): string {
  const entry = readVmdEntry(facts);
  if (entry?.kind === 'flat64') {
    return 'vmd’s entry state for an amd64 kernel: compatibility mode, which is legal and boots. It is no fault.';
  }
  if (entry?.kind === 'flat32') {
    return 'vmd’s entry state for an i386 kernel, which is legal. An amd64 kernel that set CR4.PAE in it would fault: a prediction, not what happened here.';
  }
  if (entry?.kind === 'proposed') {
    return 'The entry state of the 32-bit direct launch proposed for vmd: paging off, which is legal for both kinds of kernel.';
  }
  if (entry) return 'vmd’s newer entry state for both kinds of kernel: paging off, which is legal for both.';
  return 'A register set without a report of what happened: nothing in it is illegal, and no cause can be read from it.';
}

const GIB_4 = 1n << 32n;

/** CR3 with paging on; everything else only where the mode makes linear addresses physical ones. */
function addressesOf(facts: RegisterFacts): readonly GuestPhysical[] {
  const found: GuestPhysical[] = [];
  const cr0 = register(facts, 'cr0')!;
  const cr3 = register(facts, 'cr3');
  const paged = bit(cr0, 31);
  const entry = readVmdEntry(facts);
  if (paged && cr3 !== undefined) {
    found.push({
      what: 'CR3 page table',
      address: tableBase(cr3),
      role: 'certain',
      why: 'certain: CR3 holds the guest-physical address of the top page table, and paging is on',
      register: 'cr3',
    });
  }
  const identity = entry?.kind === 'flat64' || entry?.kind === 'flat32';
  if (paged && !identity) return found;
  const role = paged ? 'identity-mapped' : 'unpaged';
  const why = paged
    ? 'if identity-mapped: vmd’s entry tables map low memory one to one'
    : 'certain while paging is off: linear addresses are guest-physical';
  const code = facts.block.segments.get('cs');
  const rip = register(facts, 'rip');
  // Without the hidden base of CS an address in real or 16-bit mode is not known.
  if (rip !== undefined && (code?.base ?? null) !== null) {
    const address = (code!.base! + rip) % GIB_4;
    found.push({ what: 'CS:RIP', address, role, why, register: 'rip' });
  }
  const table = facts.block.segments.get('gdtr');
  if (table?.base) found.push({ what: 'GDT', address: table.base, role, why, register: 'gdtr' });
  return found;
}
