/** Lines of VMM logs and traces that say: the guest wrote this value to this port. */

export interface PortWrite {
  readonly port: number;
  readonly value: number;
}

/** A way to reset a PC through a port, as VMMs and chip sets take it. */
export interface ResetPort {
  readonly port: number;
  resets(value: number): boolean;
  readonly how: string;
}

const RESET_PORTS: readonly ResetPort[] = [
  {
    port: 0x64,
    resets: (value) => value === 0xfe,
    how: 'the keyboard controller’s command to pulse the reset line',
  },
  // PIIX3 data sheet, reset control register: bit 2 starts the reset, bit 1 makes it a hard one.
  {
    port: 0xcf9,
    resets: (value) => (value & 0x06) === 0x06,
    how: 'the reset control register’s hard reset',
  },
  { port: 0x92, resets: (value) => (value & 1) === 1, how: 'system control port A’s fast reset' },
];

export function resetPortOf({ port, value }: PortWrite): ResetPort | null {
  return RESET_PORTS.find((reset) => reset.port === port && reset.resets(value)) ?? null;
}

interface Shape {
  readonly pattern: RegExp;
  /** Groups of the port and the value, and how numbers without 0x are meant. */
  readonly port: number;
  readonly value: number;
  readonly bare: 10 | 16;
}

const NUMBER = '((?:0x)?[0-9a-fA-F]{1,8})h?';
/** Every quantifier is bounded. */
const SHAPES: readonly Shape[] = [
  // KVM's trace point kvm_pio (arch/x86/kvm/trace.h)
  {
    pattern: /\bpio_write at 0x([0-9a-f]{1,4}) size \d count \d{1,10} val 0x([0-9a-f]{1,8})\b/,
    port: 1,
    value: 2,
    bare: 16,
  },
  // `OUT 0x64, 0xFE`, `out 0x64 <- 0xfe`, `port 0x64 ← 0xfe`
  {
    pattern: new RegExp(
      String.raw`\b(?:OUT[BWL]?|out[bwl]?|port) {1,4}${NUMBER} {0,4}(?:,|<-|<=|←) {0,4}${NUMBER}\b`,
    ),
    port: 1,
    value: 2,
    bare: 16,
  },
  // `outb(0xfe, 0x64)`: value first, as C has it
  {
    pattern: /\boutb(?:_p)? ?\( ?(0x[0-9a-fA-F]{1,2}) ?, ?(0x[0-9a-fA-F]{1,4}) ?\)/,
    port: 2,
    value: 1,
    bare: 16,
  },
  // `pio write port 0x64 data fe`, `PIO write: port=0x64, size=1, data=[0xfe]`, `KVM_EXIT_IO out port 0x64 data 0xfe`
  {
    pattern: new RegExp(
      String.raw`\b(?:(?:pio|io|i\/o|port)[ _-]?(?:write|out)|KVM_EXIT_IO\b.{0,40}\bout)\b.{0,16}?\b(?:port|addr(?:ess)?|at) ?[:=]? ?${NUMBER}\b.{0,60}?\b(?:data|val(?:ue)?) ?[:=]? ?\[?${NUMBER}\b`,
      'i',
    ),
    port: 1,
    value: 2,
    bare: 16,
  },
  // `direction=out port=0x64 size=1 value=0xfe`
  {
    pattern: new RegExp(
      String.raw`\b(?:dir(?:ection)? ?[=:] ?out|out|write)\b.{0,24}?\bport ?[=:]? ?${NUMBER}\b.{0,40}?\b(?:data|val(?:ue)?) ?[=:]? ?\[?${NUMBER}\b`,
      'i',
    ),
    port: 1,
    value: 2,
    bare: 16,
  },
  // `port 0x64 write 0xfe`
  {
    pattern: new RegExp(
      String.raw`\bport ?[=:]? ?${NUMBER}[ :,]{1,4}(?:write|wrote|written|out)\b[ :=]{1,4}(?:data |value )?${NUMBER}\b`,
      'i',
    ),
    port: 1,
    value: 2,
    bare: 16,
  },
  // `i8042: 0x64 <- 0xfe`
  {
    pattern: /\b0x([0-9a-f]{1,4}) ?(?:<-|←) ?0x([0-9a-f]{1,8})\b/i,
    port: 1,
    value: 2,
    bare: 16,
  },
  // `wrote 0xFE to port 0x64`
  {
    pattern:
      /\b(?:write|writes|wrote|written|writing)\b.{0,40}?\b0x([0-9a-f]{1,2})\b\)? (?:in)?to\b.{0,24}?\bport 0x([0-9a-f]{1,4})\b/i,
    port: 2,
    value: 1,
    bare: 16,
  },
  // Debug output of kvm-ioctls' VcpuExit: decimal
  {
    pattern: /\bIoOut\((0x[0-9a-f]{1,4}|\d{1,5}), \[(0x[0-9a-f]{1,2}|\d{1,3})\]/,
    port: 1,
    value: 2,
    bare: 10,
  },
];

/** libkrun's and Firecracker's own name for the command (src/devices/src/legacy/i8042.rs), which says all. */
const RESET_COMMAND = /\bCMD_RESET_CPU\b/;

/** What every line that is read has: much cheaper to look for than the shapes. */
export const PORT_WRITE_SIGN = /0x(?:64|92|cf9|CF9)\b|IoOut\(|CMD_RESET_CPU/;

/** A line is looked at so far; no log of a port write is longer. */
const LOOKED_AT = 500;

export function readPortWrite(line: string): PortWrite | null {
  if (!PORT_WRITE_SIGN.test(line)) return null;
  const text = line.length > LOOKED_AT ? line.slice(0, LOOKED_AT) : line;
  for (const { pattern, port, value, bare } of SHAPES) {
    const match = pattern.exec(text);
    if (match) return { port: numberOf(match[port]!, bare), value: numberOf(match[value]!, bare) };
  }
  return RESET_COMMAND.test(text) ? { port: 0x64, value: 0xfe } : null;
}

function numberOf(text: string, bare: 10 | 16): number {
  return /^0x/i.test(text) ? Number(text) : parseInt(text, bare);
}
