/** K1 to K5 and K7: what the Linux kernel itself says or leaves in registers. */
import { formatSize, hex } from '../../../address/format';
import { GIB } from '../../../address/range';
import { bit } from '../../../x86/bitField';
import { selectorErrorText } from '../../../x86/exceptions';
import { explainPageFaultError } from '../../../x86/pageFaultError';
import { linesOf, register, type CrashRule, type RuleFinding } from '../../crashFacts';
import type { OopsFacts } from '../facts';
import { DEFAULT_DIRECT_MAP, isExactMagic1, rebootLines } from '../reboot';

/** What the exception was, in the kernel's words and the error code's. */
export const reportedException: CrashRule<OopsFacts> = {
  id: 'K1',
  code: 'reported-exception',
  title: 'What the kernel reported',
  confidence: 'certain',
  check(facts): readonly RuleFinding[] {
    const message = reported(facts);
    if (message === null) return [];
    return [
      {
        message,
        severity: 'error',
        evidence: 'proven',
        cause: null,
        lines: facts.oops.headerLines.slice(0, 3),
      },
    ];
  },
};

function reported(facts: OopsFacts): string | null {
  const { kind, title, errorCode, faultAddress, access, accessReason } = facts.oops;
  const at = faultAddress === null ? '' : ` at ${hex(faultAddress)}`;
  switch (kind) {
    case 'page-fault': {
      const code =
        errorCode === null
          ? ''
          : `, error code ${hex(errorCode)}: ${explainPageFaultError(errorCode).summary}`;
      const words = access ? `${access}${accessReason ? `, ${accessReason}` : ''}` : null;
      return `Page fault${at}${words ? ` (${words})` : ''}${code}. ${mappedNote(facts)}`;
    }
    case 'general-protection':
      return `General protection fault${at}, error code ${hex(errorCode ?? 0n)}. ${errorCode ? `The code names ${selectorErrorText(Number(errorCode & 0xffffn)) ?? 'no selector'}: a segment or gate was refused.` : 'An error code of 0 names no selector: it comes, for example, from a non-canonical address, a privileged instruction or a reserved bit.'}`;
    case 'double-fault':
      return 'Double fault: an exception could not be delivered because of another one. The dump shows the last event of the chain, not the first.';
    case 'stack-guard':
      return 'The guard page of a kernel stack was hit. The stack overflowed, or RSP is wrong; the addresses that this header prints are hashed and say nothing.';
    case 'invalid-opcode':
      return 'Invalid opcode (#UD). The CPU does not know the instruction at RIP, or the kernel stopped itself with UD2.';
    case 'divide-error':
      return 'Divide error (#DE). The divisor was 0 or the quotient too large.';
    case 'bug':
      return `${title || 'kernel BUG'}. The kernel checked a condition, found it broken and stopped itself.`;
    case 'panic':
      return `Kernel panic: ${facts.oops.panic || 'no reason given'}. The kernel stopped itself; there is no faulting instruction.`;
    case 'other':
      return `The kernel reported "${title}". The words are the kernel’s own; no rule knows more about them.`;
    case 'fragment':
      return null;
  }
}

function mappedNote(facts: OopsFacts): string {
  const last = facts.oops.walk.at(-1);
  if (!last) return 'The kernel printed no page walk.';
  if (!bit(last.value, 0))
    return `Its page walk ends at a ${last.level} entry that is not present (${hex(last.value)}).`;
  return `Its page walk ends at the present ${last.level} entry ${hex(last.value)}.`;
}

export const panicReason: CrashRule<OopsFacts> = {
  id: 'K1',
  code: 'kernel-panic',
  title: 'The kernel panicked after the crash',
  confidence: 'certain',
  check(facts) {
    const { kind, panic, panicLine } = facts.oops;
    if (kind === 'panic' || panic === null || !panicLine) return [];
    return [
      {
        message: `The kernel panicked: ${panic}. The machine stopped after this crash and did not go on.`,
        severity: 'information',
        evidence: 'proven',
        cause: null,
        lines: [panicLine],
      },
    ];
  },
};

export const rebootCall: CrashRule<OopsFacts> = {
  id: 'K2',
  code: 'linux-reboot-call',
  title: 'The crash is inside reboot(2)',
  confidence: 'certain',
  check(facts) {
    const { reboot, block } = facts;
    if (!reboot || !block) return [];
    const { magic1, magic2 } = reboot;
    const partly = isExactMagic1(magic1) ? '' : ' with its low byte overwritten';
    return [
      {
        message: `${magic2.register.toUpperCase()} ${hex(magic2.value)} is LINUX_REBOOT_MAGIC2 and ${magic1.register.toUpperCase()} ${hex(magic1.value)} is LINUX_REBOOT_MAGIC1${partly}. The crash happened inside reboot(2).`,
        severity: 'information',
        evidence: 'proven',
        cause: null,
        lines: rebootLines(block, reboot),
      },
    ];
  },
};

export const biosRebootPath: CrashRule<OopsFacts> = {
  id: 'K3',
  code: 'linux-bios-reboot-path',
  title: 'Linux was on its BIOS reboot path',
  confidence: 'certain',
  check(facts) {
    const blob = facts.reboot?.blob;
    if (!blob) return [];
    const { pointer, physical, directMap, ripOffset, trampoline, restartType } = blob;
    const randomised = directMap === DEFAULT_DIRECT_MAP ? '' : 'randomised ';
    const table =
      trampoline === null ? '' : ` CR3 ${hex(trampoline)} is the trampoline page table beside it.`;
    const type =
      restartType === null
        ? ''
        : ` RDI ${restartType === 'BIOS' ? 0 : 1} is the restart type ${restartType}, so the jump was to the ${restartType} restart code.`;
    return [
      {
        message: `${pointer.register.toUpperCase()} ${hex(pointer.value)} is the ${randomised}direct map base ${hex(directMap)} plus ${hex(physical)}, the pointer to Linux’s real-mode blob, and RIP lies ${hex(ripOffset)} into it.${table}${type}`,
        severity: 'information',
        evidence: 'proven',
        cause: null,
        lines: linesOf(facts, pointer.register, 'rip', 'cr3', 'rdi'),
      },
    ];
  },
};

export const restartEntryPending: CrashRule<OopsFacts> = {
  id: 'K4',
  code: 'restart-entry-not-executed',
  title: 'The first instruction of the restart code did not retire',
  confidence: 'certain',
  check(facts) {
    const blob = facts.reboot?.blob;
    if (!blob?.entryPending) return [];
    return [
      {
        message: `The restart code begins with mov $0x18,%eax and mov %eax,%ds, but RAX still has the blob’s pointer and DS is 0: its first instruction did not retire, so the far jump worked and the fault is at its target ${hex(register(facts, 'rip')!)}. Selectors 08 and 18 are the same in the kernel’s and the trampoline’s GDT and do not tell which is loaded.`,
        severity: 'information',
        evidence: 'proven',
        cause: null,
        lines: linesOf(facts, 'rax', 'ds', 'rip'),
      },
    ];
  },
};

/**
 * Linux's trampoline page table maps one PUD entry, 1 GiB, where the direct map is randomised (arch/x86/mm/kaslr.c,
 * since commit 0925dda5962e of Linux 5.2). The file of the crashed kernel is not in the dump: an inference.
 */
export const stackBeyondTrampoline: CrashRule<OopsFacts> = {
  id: 'K7',
  code: 'stack-beyond-trampoline',
  title: 'The stack pointer lies past what the trampoline maps',
  confidence: 'likely',
  check(facts) {
    const rsp = register(facts, 'rsp');
    const blob = facts.reboot?.blob;
    if (rsp === undefined || !blob || blob.trampoline === null || blob.directMap === DEFAULT_DIRECT_MAP)
      return [];
    if (facts.mode.mode !== 'compatibility' || rsp < GIB || rsp >= 4n * GIB) return [];
    return [
      {
        message: `RSP ${hex(rsp)} is ${formatSize(rsp - GIB)} past the first GiB, which is all that the trampoline page table maps when the direct map is randomised (Linux since 5.2). Whatever the first fault was, no frame could be pushed there.`,
        severity: 'information',
        evidence: 'inferred',
        cause: null,
        lines: linesOf(facts, 'rsp', 'cr3'),
      },
    ];
  },
};

/** Kernel half of the address space, and what is no user address: copy_from_kernel_nofault_allowed. */
const USER_END = 1n << 47n;

export const opcodeBytesRefused: CrashRule<OopsFacts> = {
  id: 'K5',
  code: 'opcode-bytes-refused',
  title: 'The kernel refused to read the code bytes',
  confidence: 'certain',
  check(facts) {
    const refused = facts.block?.codeRefused;
    if (refused === null || refused === undefined || refused >= USER_END) return [];
    if (((facts.block?.segments.get('cs')?.selector ?? 0) & 3) !== 0) return [];
    return [
      {
        message: `"Unable to access opcode bytes at ${hex(refused)}" is RIP - 42 in the user half of the address space, which the kernel refuses unread. It does not say that RIP’s page is unmapped.`,
        severity: 'information',
        evidence: 'inferred',
        cause: null,
        lines: linesOf(facts, 'code'),
      },
    ];
  },
};
