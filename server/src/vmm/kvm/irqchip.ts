/**
 * The interrupt controllers and the timer that KVM emulates in the kernel (KVM_CREATE_IRQCHIP, KVM_CREATE_PIT2): their
 * accesses never reach the VMM. Linux arch/x86/kvm/{i8259,ioapic,i8254,irq}.c.
 */
import type { Device, InterruptLine } from '../../devices/device';
import { I8254 } from '../../devices/i8254';
import { I8259Pair } from '../../devices/i8259';
import { Ioapic82093aa } from '../../devices/ioapic82093aa';
import { SystemPort61 } from '../../devices/systemPort61';
import type { BoardInputs } from '../model';

/** IOAPIC_DEFAULT_BASE_ADDRESS and IOAPIC_MEM_LENGTH (ioapic.h): what lies behind the 256 bytes goes to the VMM. */
export const KVM_IOAPIC_BASE = 0xfec00000n;
const KVM_IOAPIC_SIZE = 0x100n;
/** The ID register is 0 after reset (kvm_ioapic_reset), whatever the VMM's tables call the IOAPIC. */
const IOAPIC_ID = 0;
/** GSIs that reach the 8259 pair as well (irq.c, default_routing). */
const PIC_INPUTS = 16;
/** kvm_pit's interrupt is GSI 0. */
const PIT_GSI = 0;
/** speaker_ioport_read: bits 1:0 are kept, and bit 4 toggles every 2^14 ns. */
const SPEAKER = { writable: true, kept: 0x03, refresh: 16384 } as const;

export interface KvmIrqchipOptions {
  /** KVM_CREATE_PIT2 was called; without it ports 0x40 to 0x43 go to the VMM. */
  readonly pit: boolean;
  /** KVM_PIT_SPEAKER_DUMMY: port 0x61 is answered in the kernel too. */
  readonly speaker: boolean;
}

export interface KvmIrqchip {
  /** In the order of a snapshot. */
  readonly devices: readonly Device[];
  /** Whether KVM answers a port itself, so that the VMM sees no exit. */
  answersPort(port: number): boolean;
  /** The line of a GSI as KVM routes it until the VMM sets a table of its own: input n of the IOAPIC, and of the 8259 pair below 16. */
  line(gsi: number): InterruptLine;
  /** The INTA cycle of the 8259 pair. */
  acknowledge(): number;
  /** The EOI message of a local APIC. */
  endOfInterrupt(vector: number): void;
}

export function kvmIrqchip(
  inputs: Pick<BoardInputs, 'clock' | 'setInterruptLine' | 'deliver'>,
  { pit, speaker }: KvmIrqchipOptions,
): KvmIrqchip {
  const { clock } = inputs;
  const pic = new I8259Pair((up) => inputs.setInterruptLine(up));
  const ioapic = new Ioapic82093aa({
    base: KVM_IOAPIC_BASE,
    size: KVM_IOAPIC_SIZE,
    id: IOAPIC_ID,
    deliver: (...message) => inputs.deliver(...message),
  });
  const line = (gsi: number) => (level: boolean) => {
    if (gsi < PIC_INPUTS) pic.setLine(gsi, level);
    ioapic.setLine(gsi, level);
  };
  const devices: Device[] = [pic, ioapic];
  if (pit) {
    const timer = new I8254(clock, line(PIT_GSI), { restartsOnCount: true });
    devices.push(timer);
    if (speaker) devices.push(new SystemPort61(clock, timer, SPEAKER));
  }
  const spans = devices.flatMap(({ ports }) => ports ?? []);
  return {
    devices,
    answersPort: (port) => spans.some(({ start, end }) => port >= start && port < end),
    line,
    acknowledge: () => pic.acknowledge(),
    endOfInterrupt: (vector) => ioapic.endOfInterrupt(vector),
  };
}
