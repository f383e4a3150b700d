/** Segment selectors and what well-known systems put behind them. SDM vol. 3, 3.4.2. */

export interface Selector {
  readonly index: number;
  /** True for the LDT. */
  readonly local: boolean;
  readonly rpl: number;
}

export function decodeSelector(selector: number): Selector {
  return { index: selector >> 3, local: (selector & 4) !== 0, rpl: selector & 3 };
}

/** `index 2 of the GDT, RPL 0`. */
export function selectorText(selector: number): string {
  const { index, local, rpl } = decodeSelector(selector);
  if (index === 0 && !local) return `null selector, RPL ${rpl}`;
  return `index ${index} of the ${local ? 'LDT' : 'GDT'}, RPL ${rpl}`;
}

export interface KnownSelector {
  readonly system: string;
  readonly selector: number;
  readonly use: string;
}

/** Numbers that systems use; the same number means different things, so a caller must know the system. */
export const KNOWN_SELECTORS: readonly KnownSelector[] = [
  { system: 'Linux x86-64', selector: 0x08, use: '32-bit kernel code (the trampoline GDT has the same)' },
  { system: 'Linux x86-64', selector: 0x10, use: 'kernel code' },
  { system: 'Linux x86-64', selector: 0x18, use: 'kernel data and stack' },
  { system: 'Linux x86-64', selector: 0x23, use: '32-bit user code' },
  { system: 'Linux x86-64', selector: 0x2b, use: 'user data' },
  { system: 'Linux x86-64', selector: 0x33, use: 'user code' },
  { system: 'Linux i386', selector: 0x60, use: 'kernel code' },
  { system: 'Linux i386', selector: 0x68, use: 'kernel data' },
  { system: 'Linux i386', selector: 0x73, use: 'user code' },
  { system: 'Linux i386', selector: 0x7b, use: 'user data' },
  { system: 'OpenBSD', selector: 0x08, use: 'kernel code' },
  { system: 'OpenBSD', selector: 0x10, use: 'kernel data' },
  { system: 'FreeBSD', selector: 0x20, use: 'kernel code' },
  { system: 'FreeBSD', selector: 0x28, use: 'kernel data' },
  { system: 'FreeBSD', selector: 0x43, use: 'user code' },
  { system: 'FreeBSD', selector: 0x3b, use: 'user data' },
  { system: 'illumos', selector: 0x30, use: 'kernel code' },
  { system: 'illumos', selector: 0x38, use: 'kernel data' },
  { system: 'illumos', selector: 0x43, use: 'user data' },
  { system: 'illumos', selector: 0x4b, use: 'user code' },
  { system: 'EDK2', selector: 0x38, use: '64-bit code' },
  { system: 'EDK2', selector: 0x30, use: 'data' },
  { system: 'Xen', selector: 0xe008, use: 'hypervisor code' },
  { system: 'Xen', selector: 0xe010, use: 'hypervisor data' },
  { system: 'Xen', selector: 0xe033, use: 'code of a paravirtual guest' },
  { system: 'Xen', selector: 0xe02b, use: 'data of a paravirtual guest' },
];
