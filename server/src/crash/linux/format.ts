/** Linux x86 oopses and panics (F1). */
import { hex } from '../../address/format';
import type { Hypothesis } from '../../machine/knownIssue';
import { defineFormat } from '../dumpFormat';
import type { CrashFinding } from '../report';
import { guestPhysicalAddresses } from './addresses';
import { oopsFacts, type OopsFacts } from './facts';
import { formatSymbol } from './oops';
import { OopsScanner } from './scanner';
import { doubleFaultFirstEvent } from './rules/doubleFaultFirstEvent';
import { ebdaWindow } from './rules/ebdaWindow';
import { exceptionFrameUnpushable, faultBelowStack, pushFaulted } from './rules/exceptionFrame';
import { fetchInVgaWindow } from './rules/fetchInVgaWindow';
import { severalOopses, taintedKernel, vmmIdentified, vmmOwnedBits } from './rules/identity';
import {
  biosRebootPath,
  opcodeBytesRefused,
  panicReason,
  rebootCall,
  reportedException,
  restartEntryPending,
  stackBeyondTrampoline,
} from './rules/linuxKernel';
import { missingEndbranch } from './rules/missingEndbranch';
import { nullPointer } from './rules/nullPointer';
import { unfitRegion } from './rules/unfitRegion';
import { hypothesesOf, vmdLowmemMatch } from './rules/vmdLowmem';

export const linuxOops = defineFormat({
  id: 'linux-oops',
  plural: 'oopses',
  sign: null,
  // Every alternative starts with literal characters and is bounded, so that one pass over the text is linear.
  lineStarts: [
    // headers
    'BUG: (?:unable to handle|kernel NULL|[A-Za-z# ]{0,24}stack guard page)',
    'kernel BUG at ',
    'traps: PANIC: ',
    'PANIC: ',
    'Oops: ',
    'general protection fault[:,]',
    'double fault: ',
    'invalid opcode: ',
    'divide[ _]error: ',
    'stack segment: ',
    'Kernel panic - not syncing',
    'Internal error: Oops',
    'WARNING: CPU: ',
    '#PF: ',
    '#PF error: ',
    'PGD [0-9a-f]{1,16} ',
    'Missing ENDBR: ',
    // body
    String.raw`CPU: \d{1,5} (?:UID: \d{1,10} )?PID: `,
    'Hardware name: ',
    'RIP: [0-9a-f]{4}:',
    'EIP: ',
    'Code: ',
    'RSP: [0-9a-f]{4}:',
    'RAX: [0-9a-f]{16}',
    'RDX: [0-9a-f]{16}',
    'RBP: [0-9a-f]{16}',
    'R10: [0-9a-f]{16}',
    'R13: [0-9a-f]{16}',
    'EAX: [0-9a-f]{8}',
    'ESI: [0-9a-f]{8}',
    String.raw`FS: {1,2}[0-9a-f]{16}\(`,
    'CS: {1,2}[0-9a-f]{4} DS: ',
    'DS: [0-9a-f]{4} ES: [0-9a-f]{4} FS: ',
    'CR0: [0-9a-f]{8} CR2: ',
    'CR2: [0-9a-f]{8}',
    'DR0: [0-9a-f]{8}',
    'DR3: [0-9a-f]{8}',
    'PKRU: [0-9a-f]{8}',
    'Call Trace:',
    'Modules linked in:',
    String.raw`-{3}\[ end `,
    String.raw`-{4,16}\[ cut here \]`,
  ],
  joined: ['Oops: ', 'traps: ', 'PANIC: ', 'not syncing: ', '[ end '],
  looksFor:
    'a Linux x86 oops: a line with "BUG: unable to handle", "kernel NULL pointer dereference", "PANIC: double fault", "kernel BUG at", "Kernel panic - not syncing" or an oops number such as "[#1]", or at least eight registers after a kernel "RIP:" line',
  rules: [
    vmdLowmemMatch,
    exceptionFrameUnpushable,
    pushFaulted,
    faultBelowStack,
    nullPointer,
    fetchInVgaWindow,
    unfitRegion,
    reportedException,
    doubleFaultFirstEvent,
    rebootCall,
    biosRebootPath,
    restartEntryPending,
    stackBeyondTrampoline,
    missingEndbranch,
    ebdaWindow,
    opcodeBytesRefused,
    panicReason,
    severalOopses,
    taintedKernel,
    vmmIdentified,
    vmmOwnedBits,
  ],
  scanner: () => new OopsScanner(),
  facts: oopsFacts,
  title: titleOf,
  verdict: verdictOf,
  hypotheses: hypothesesOf,
  addresses: guestPhysicalAddresses,
});

function titleOf({ oops, block, vmm }: OopsFacts): string {
  const number = oops.number === null ? '' : ` [#${oops.number}]`;
  const what =
    oops.kind === 'fragment'
      ? 'Registers of a Linux kernel without a header'
      : `Linux ${oops.kind === 'panic' ? `panic: ${oops.panic}` : oops.title || oops.kind.replaceAll('-', ' ')}`;
  const rip = block?.values.get('rip');
  const cs = block?.segments.get('cs')?.selector;
  const selector = cs === undefined || cs === null ? '' : `${cs.toString(16).padStart(4, '0')}:`;
  const where = block?.symbol
    ? ` in ${formatSymbol(block.symbol)}`
    : rip === undefined
      ? ''
      : ` at ${selector}${hex(rip)}`;
  const who = [oops.process, oops.kernel ? `Linux ${oops.kernel}` : null, vmm?.title ?? oops.hardware].filter(
    (part) => part !== null,
  );
  return `${what}${number}${where}${who.length > 0 ? ` (${who.join(', ')})` : ''}`;
}

function verdictOf(
  { oops }: OopsFacts,
  findings: readonly CrashFinding[],
  hypotheses: readonly Hypothesis[],
): string {
  const has = (code: string): boolean => findings.some((finding) => finding.code === code);
  if (has('restart-entry-not-executed') && has('exception-frame-not-pushed')) {
    const open =
      hypotheses.length > 0
        ? ` It is consistent with ${hypotheses.length} hypotheses; none is established.`
        : '';
    return `Linux BIOS reboot path. A fault at the first instruction after the jump to the restart code could not be delivered: the push onto the stack pointer, cut to 32 bits, faulted too. The first fault is not in the dump.${open}`;
  }
  if (has('exception-frame-not-pushed')) {
    return 'An exception could not be delivered, because the CPU could not push its frame. The first fault is not in the dump.';
  }
  const possible = findings.find(({ confidence, cause }) => confidence === 'possible' && cause !== null);
  if (possible) return `Possibly: ${possible.message}`;
  if (oops.kind === 'fragment') {
    return 'Unexplained: the text has registers without the header that says what happened.';
  }
  return 'Unexplained: no rule knows a cause for this crash. What the kernel reported stands below.';
}
