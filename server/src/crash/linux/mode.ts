/** In which mode the CPU was, as far as an oops tells. */
import { bit } from '../../x86/bitField';
import type { CpuMode } from '../../x86/state';
import type { ModeReading } from '../registerBlock';
import { faultBlock, type LinuxOops } from './oops';

/**
 * The code selectors of Linux x86-64 and what their descriptors are (arch/x86/include/asm/segment.h, by RPL-free
 * selector). The trampoline's own GDT has the same 08 and 10 (arch/x86/realmode/rm/trampoline_64.S).
 */
const LINUX_64_CODE: ReadonlyMap<number, { readonly mode: CpuMode; readonly name: string }> = new Map([
  [0x08, { mode: 'compatibility', name: '__KERNEL32_CS' }],
  [0x10, { mode: 'long', name: '__KERNEL_CS' }],
  [0x20, { mode: 'compatibility', name: '__USER32_CS' }],
  [0x30, { mode: 'long', name: '__USER_CS' }],
]);

/** The code selectors of Linux i386, by RPL-free selector. */
const LINUX_32_CODE: ReadonlyMap<number, string> = new Map([
  [0x60, '__KERNEL_CS'],
  [0x70, '__USER_CS'],
]);

/**
 * An oops prints no EFER and no descriptor. LMA follows from the format: a kernel that prints 16 digits runs with
 * paging and PAE on in IA-32e mode. CS.L then follows from the selector, whose meaning is fixed in Linux.
 */
export function readMode(oops: LinuxOops): ModeReading {
  const block = faultBlock(oops);
  const selector = block?.segments.get('cs')?.selector ?? null;
  if (!block || selector === null || oops.arch === null) {
    return { mode: null, reason: 'the text has no RIP line with a code selector' };
  }
  const shown = `CS ${selector.toString(16).padStart(4, '0')}`;
  const cr0 = block.values.get('cr0');
  const cr4 = block.values.get('cr4');
  if (oops.arch === 'i386') {
    if (bit(block.values.get('rflags') ?? 0n, 17)) return { mode: 'v86', reason: 'EFLAGS.VM is 1' };
    const name = LINUX_32_CODE.get(selector & ~7);
    if (name) return { mode: 'protected-32', reason: `${shown} is Linux's ${name} on i386` };
    return { mode: null, reason: `${shown} is none of Linux's code selectors on i386` };
  }
  if (cr0 !== undefined && !(bit(cr0, 0) && bit(cr0, 31))) {
    return { mode: null, reason: 'CR0 has PE or PG off, which no 64-bit kernel prints from' };
  }
  if (cr4 !== undefined && !bit(cr4, 5)) {
    return { mode: null, reason: 'CR4.PAE is 0, which no 64-bit kernel runs with' };
  }
  const code = LINUX_64_CODE.get(selector & ~7);
  if (!code) return { mode: null, reason: `${shown} is none of Linux's code selectors` };
  const lma = 'EFER is not printed; LMA follows from the 16-digit registers of a 64-bit kernel';
  return {
    mode: code.mode,
    reason:
      code.mode === 'compatibility'
        ? `${lma}, and ${shown} is ${code.name}, a 32-bit code segment`
        : `${lma}, and ${shown} is ${code.name}, a 64-bit code segment`,
  };
}
