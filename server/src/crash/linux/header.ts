/**
 * The header lines of a Linux x86 oops, from 2.6 to 6.18 (torvalds/linux arch/x86/kernel/{dumpstack,traps,cet}.c,
 * arch/x86/mm/fault.c). A header ends with the die line, which has the oops number: `Oops: 0002 [#1] SMP PTI`.
 */
import type { DumpLine } from '../dumpText';
import type { LinuxOops, OopsKind } from './oops';

/** What a header line does to the records: it opens one, adds to the open one, or ends the header. */
export interface HeaderRule {
  readonly pattern: RegExp;
  /**
   * `opens`: the first line of a report. `adds`: belongs to the report that is open. `dies`: the die line, which opens
   * a report where the lines before it are missing. `panics`: follows a report or stands alone.
   */
  readonly role: 'opens' | 'adds' | 'dies' | 'panics';
  readonly kind?: OopsKind;
  apply(oops: LinuxOops, match: RegExpExecArray, line: DumpLine): void;
}

export function parseHex(text: string): bigint {
  return BigInt('0x' + text);
}

function setFault(oops: LinuxOops, address: string, line: DumpLine): void {
  oops.faultAddress = /^[0-9a-f]/i.test(address) ? parseHex(address) : 0n;
  oops.faultLine = line;
}

/** The kernel's words on the die line, to the kind that they report. */
const DIE_KINDS: readonly (readonly [RegExp, OopsKind])[] = [
  [/double fault/, 'double-fault'],
  [/general protection fault/, 'general-protection'],
  [/invalid opcode/, 'invalid-opcode'],
  [/divide[ _]error/, 'divide-error'],
  [/stack guard page|kernel stack overflow/, 'stack-guard'],
  [/^(?:Oops)?$/, 'page-fault'],
];

function dieKind(words: string): OopsKind {
  return DIE_KINDS.find(([pattern]) => pattern.test(words))?.[1] ?? 'other';
}

const PAGE_FAULT_TITLE = 'page fault';

export const HEADER_RULES: readonly HeaderRule[] = [
  {
    // 5.2 and later
    pattern:
      /^BUG: (?:kernel NULL pointer dereference, address|unable to handle page fault for address): ([0-9a-f]{1,16})/i,
    role: 'opens',
    kind: 'page-fault',
    apply: (oops, match, line) => setFault(oops, match[1]!, line),
  },
  {
    // Up to 5.1; before 2.6.24 without `BUG:`. On Arm the same words go on with `at virtual address`.
    pattern:
      /^(?:BUG: )?unable to handle kernel (?:NULL pointer dereference|paging request) at (\(null\)|[0-9a-f]{1,16}\b)/i,
    role: 'opens',
    kind: 'page-fault',
    apply: (oops, match, line) => setFault(oops, match[1]!, line),
  },
  {
    // The addresses of this line are hashed (%p): they say nothing.
    pattern: /^BUG: (?:[A-Za-z#]{1,16} )?stack guard page was hit at /,
    role: 'opens',
    kind: 'stack-guard',
    apply: () => undefined,
  },
  {
    pattern: /^kernel BUG at ([^\s!]{1,256})!/,
    role: 'opens',
    kind: 'bug',
    apply: (oops, match) => {
      oops.title = `kernel BUG at ${match[1]}`;
    },
  },
  {
    pattern: /^(?:traps: )?PANIC: double fault(?:, error_code: 0x([0-9a-f]{1,8}))?/,
    role: 'opens',
    kind: 'double-fault',
    apply: (oops, match) => {
      oops.title = 'double fault';
      if (match[1]) oops.errorCode = parseHex(match[1]);
    },
  },
  {
    pattern: /^Missing ENDBR: (\S{1,256})/,
    role: 'opens',
    kind: 'bug',
    apply: (oops, match) => {
      oops.missingEndbr = match[1]!;
    },
  },
  {
    pattern:
      /^#PF: ((?:user|supervisor) (?:instruction fetch|write access|read access) in (?:user|kernel) mode)/,
    role: 'adds',
    apply: (oops, match) => {
      oops.access = match[1]!;
    },
  },
  {
    pattern: /^#PF: error_code\(0x([0-9a-f]{1,8})\)(?: - ([a-zA-Z -]{1,64}))?/,
    role: 'adds',
    apply: (oops, match) => {
      oops.errorCode = parseHex(match[1]!);
      oops.accessReason = match[2]?.trim() ?? null;
    },
  },
  {
    // 4.20 to 5.1
    pattern: /^#PF error: (\[[^\]]{1,40}\](?: \[[^\]]{1,40}\]){0,8})/,
    role: 'adds',
    apply: (oops, match) => {
      oops.accessReason = match[1]!;
    },
  },
  {
    pattern: /^PGD ([0-9a-f]{1,16})/,
    role: 'adds',
    apply: (oops, _match, line) => {
      oops.walkLine = line;
      const entries = /\b(PGD|P4D|PUD|PMD|PTE) ([0-9a-f]{1,16})(?![\w])/g;
      for (let entry = entries.exec(line.text); entry; entry = entries.exec(line.text)) {
        if (oops.walk.length >= 5) break;
        oops.walk.push({
          level: entry[1] as (typeof oops.walk)[number]['level'],
          value: parseHex(entry[2]!),
        });
      }
    },
  },
  {
    pattern: /^(?:Oops: ){0,3}([^[\]]{0,200}?)(?:: | )?([0-9a-f]{4,8}) \[#(\d{1,9})\]([A-Z_ ()a-z-]{0,128})/,
    role: 'dies',
    apply: (oops, match) => {
      const words = match[1]!.replace(/^Oops:? ?/, '').replace(/:$/, '');
      if (!oops.title) oops.title = words || PAGE_FAULT_TITLE;
      if (oops.kind === 'fragment' || oops.kind === 'other') oops.kind = dieKind(words);
      const address = /address (?:0x)?([0-9a-f]{8,16})/.exec(words);
      if (address && oops.faultAddress === null) oops.faultAddress = parseHex(address[1]!);
      const code = parseHex(match[2]!);
      // The #DF handler's error code is always 0, and so is the die line's; a page fault has the same in both.
      oops.errorCode ??= code;
      oops.number = Number(match[3]);
      oops.flags = match[4]!.trim().split(/ +/).filter(Boolean);
    },
  },
  {
    pattern: /^Kernel panic - not syncing: ?(.{0,300})/,
    role: 'panics',
    kind: 'panic',
    apply: (oops, match, line) => {
      // Some consoles print it twice.
      oops.panic ??= match[1]!.trim();
      oops.panicLine ??= line;
    },
  },
];

/** Reports that print registers and a trace, but are no crash. They end the report before them. */
export const NOTICES: readonly RegExp[] = [
  /^WARNING: /,
  /^watchdog: BUG: /,
  /^NMI backtrace for cpu /,
  /^rcu: INFO: /,
  /^INFO: (?:task |rcu_|possible |trying |inconsistent |NMI )/,
  /^BUG: (?!unable to handle|kernel NULL|(?:[A-Za-z#]{1,16} )?stack guard page)/,
];

/** Oopses of other machines: recognised, so that the answer can say why nothing is decoded. */
export const FOREIGN: readonly { readonly pattern: RegExp; readonly arch: string }[] = [
  { pattern: /^Internal error: Oops[^[\]]{0,80}: [0-9a-f]{8,16} \[#\d{1,9}\]/, arch: 'arm64' },
  { pattern: /^Internal error: .{0,80}\[#\d{1,9}\]/, arch: 'Arm' },
  { pattern: /^Unable to handle kernel .{0,60}at virtual address /, arch: 'Arm' },
  { pattern: /^(?:Oops: )?.{0,80}, sig: \d{1,3} \[#\d{1,9}\]/, arch: 'PowerPC' },
  { pattern: /^(?:Oops - )[a-z ]{1,60} \[#\d{1,9}\]/, arch: 'RISC-V' },
];
