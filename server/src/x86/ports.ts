/** What answers at an I/O port of a PC, by the data sheets and by what VMMs agree on. */

export interface PortRange {
  /** First and last port, both inclusive: ports are numbers, not addresses of memory. */
  readonly first: number;
  readonly last: number;
  readonly name: string;
}

const ports = (first: number, last: number, name: string): PortRange => ({ first, last, name });

export const PORTS: readonly PortRange[] = [
  ports(0x00, 0x0f, 'DMA controller 1 (8237)'),
  ports(0x20, 0x21, 'interrupt controller 1 (8259)'),
  ports(0x40, 0x43, 'interval timer (8254)'),
  ports(0x60, 0x60, 'keyboard controller data (8042)'),
  ports(0x61, 0x61, 'system control port B'),
  ports(0x64, 0x64, 'keyboard controller command (8042): 0xFE resets the machine'),
  ports(0x70, 0x71, 'real-time clock and CMOS (MC146818)'),
  ports(0x80, 0x80, 'POST code'),
  ports(0x92, 0x92, 'system control port A: bit 0 resets, bit 1 is A20'),
  ports(0xa0, 0xa1, 'interrupt controller 2 (8259)'),
  ports(0xb2, 0xb3, 'APM: SMI command and status'),
  ports(0xc0, 0xdf, 'DMA controller 2 (8237)'),
  ports(0xe9, 0xe9, 'debug console (Bochs)'),
  ports(0xf4, 0xf4, 'debug exit (a usual choice for QEMU isa-debug-exit)'),
  ports(0x170, 0x177, 'IDE, secondary channel'),
  ports(0x1f0, 0x1f7, 'IDE, primary channel'),
  ports(0x2f8, 0x2ff, 'serial port COM2 (16550)'),
  ports(0x378, 0x37f, 'parallel port LPT1'),
  ports(0x3b0, 0x3df, 'VGA'),
  ports(0x3f0, 0x3f7, 'floppy controller'),
  ports(0x3f8, 0x3ff, 'serial port COM1 (16550)'),
  ports(0x402, 0x402, 'firmware debug log (SeaBIOS, OVMF)'),
  ports(0x4d0, 0x4d1, 'interrupt trigger modes (ELCR)'),
  ports(0x501, 0x501, 'debug exit (the default of QEMU isa-debug-exit)'),
  ports(0x510, 0x511, 'fw_cfg selector and data'),
  ports(0x514, 0x51b, 'fw_cfg DMA address'),
  ports(0x600, 0x60f, 'ACPI PM block (QEMU pc: events, control, timer at 0x608)'),
  ports(0xcf8, 0xcfb, 'PCI configuration address'),
  ports(0xcf9, 0xcf9, 'reset control: 0x06 or 0x0E resets'),
  ports(0xcfc, 0xcff, 'PCI configuration data'),
  ports(0xaf00, 0xaf1f, 'CPU hot-plug (QEMU)'),
  ports(0xb000, 0xb03f, 'ACPI PM block (PIIX4 at its SeaBIOS address)'),
];

/** The narrowest range that holds the port (0xCF9 lies inside the PCI address register), null for none. */
export function portName(port: number): string | null {
  let best: PortRange | null = null;
  for (const range of PORTS) {
    if (port < range.first || port > range.last) continue;
    if (best === null || range.last - range.first < best.last - best.first) best = range;
  }
  return best?.name ?? null;
}
