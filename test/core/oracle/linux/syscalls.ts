/** The few system calls that a static program of glibc makes before, during and after printing (numbers: Linux's syscall tables). */
import type { LinuxProcess } from './process';

type Call = (process: LinuxProcess, ...args: bigint[]) => bigint;

const ENOENT = -2n;
const EFAULT = -14n;
const ENOTTY = -25n;
const ENOSYS = -38n;
const PROT_WRITE = 2n;

const CALLS = {
  write: (process, _file, at, length) => {
    const bytes = process.space.read(at, Number(length));
    if (!bytes) return EFAULT;
    process.output.push(bytes);
    return length;
  },
  writev: (process, _file, list, count) => {
    const word = process.bits === 64 ? 8 : 4;
    let total = 0n;
    for (let i = 0n; i < count; i++) {
      const entry = list + 2n * i * BigInt(word);
      const length = process.space.number(entry + BigInt(word), word);
      const bytes = process.space.read(process.space.number(entry, word), Number(length));
      if (!bytes) return EFAULT;
      process.output.push(bytes);
      total += length;
    }
    return total;
  },
  brk: (process, end) => process.moveBreak(end),
  mmap: (process, _at, length) => process.mapAnonymous(length),
  munmap: () => 0n,
  mprotect: (process, start, length, rights) => {
    process.space.protect(start, length, (rights & PROT_WRITE) !== 0n);
    return 0n;
  },
  ioctl: () => ENOTTY,
  readlink: () => ENOENT,
  getpid: () => 1n,
  set_tid_address: () => 1n,
  set_robust_list: () => 0n,
  getrandom: (process, at, length) => {
    process.space.write(at, new Uint8Array(Number(length)).fill(0x5a));
    return length;
  },
  prlimit64: (process, _pid, _what, _next, old) => {
    if (old !== 0n) for (const by of [0n, 8n]) process.space.put(old + by, 0x800000n, 8);
    return 0n;
  },
  ugetrlimit: (process, _what, old) => {
    for (const by of [0n, 4n]) process.space.put(old + by, 0x800000n, 4);
    return 0n;
  },
  arch_prctl: (process, code, address) => {
    if (code !== 0x1002n) return ENOSYS;
    process.threadBase = address!;
    return 0n;
  },
  set_thread_area: (process, at) => process.setThreadArea(at),
  modify_ldt: (process, what, at, length) => process.modifyLdt(what, at, length),
  rt_sigaction: (process, number, action) => process.setHandler(Number(number), action),
  rt_sigprocmask: () => 0n,
  rt_sigreturn: (process) => process.returnFromHandler(),
  exit: (process, status) => process.exit(Number(status & 0xffn)),
} as const satisfies Record<string, Call>;

type Name = keyof typeof CALLS;

const NUMBERS_64: Readonly<Record<number, Name>> = {
  1: 'write',
  9: 'mmap',
  10: 'mprotect',
  11: 'munmap',
  12: 'brk',
  14: 'rt_sigprocmask',
  16: 'ioctl',
  20: 'writev',
  39: 'getpid',
  60: 'exit',
  89: 'readlink',
  158: 'arch_prctl',
  218: 'set_tid_address',
  231: 'exit',
  273: 'set_robust_list',
  302: 'prlimit64',
  318: 'getrandom',
};
const NUMBERS_32: Readonly<Record<number, Name>> = {
  1: 'exit',
  4: 'write',
  20: 'getpid',
  45: 'brk',
  54: 'ioctl',
  85: 'readlink',
  91: 'munmap',
  123: 'modify_ldt',
  125: 'mprotect',
  146: 'writev',
  173: 'rt_sigreturn',
  174: 'rt_sigaction',
  175: 'rt_sigprocmask',
  191: 'ugetrlimit',
  192: 'mmap',
  243: 'set_thread_area',
  252: 'exit',
  258: 'set_tid_address',
  311: 'set_robust_list',
  355: 'getrandom',
};

/** Makes the call; one that is not known fails with ENOSYS, as on an old kernel. */
export function systemCall(process: LinuxProcess, number: number, args: readonly bigint[]): bigint {
  const name = (process.bits === 64 ? NUMBERS_64 : NUMBERS_32)[number];
  if (name === undefined) return ENOSYS;
  const call: Call = CALLS[name];
  return call(process, ...args);
}
