/**
 * The devices that the kernel module vmm emulates, the same for bhyve on FreeBSD and illumos and for Propolis: 8259 pair, 8254,
 * RTC, HPET and I/O APIC. Read: illumos-gate usr/src/uts/intel/io/vmm/io/{vatpic,vatpit,vrtc,vhpet,vioapic}.c and
 * vmm_ioport.c (commits of 2023 to 2025); FreeBSD's sys/amd64/vmm/io has the same registers.
 */
import type { Device, InterruptLine } from '../../devices/device';
import { Hpet, type HpetShape } from '../../devices/hpet';
import { I8254 } from '../../devices/i8254';
import { I8259Pair } from '../../devices/i8259';
import { Ioapic82093aa } from '../../devices/ioapic82093aa';
import { Mc146818 } from '../../devices/mc146818';
import { SystemPort61 } from '../../devices/systemPort61';
import type { BoardInputs, PortAccess } from '../model';
import { EPOCH } from '../epoch';
import { hex } from '../../address/format';

export const IOAPIC_BASE = 0xfec00000n;
export const HPET_BASE = 0xfed00000n;
export const LOCAL_APIC_BASE = 0xfee00000n;
export const PAGE_OF_APIC = 0x1000n;

/** vioapic.c, REDIR_ENTRIES. */
const IOAPIC_PINS = 32;

/** vhpet.c: HPET_FREQ, VHPET_NUM_TIMERS, vhpet_capabilities and vhpet_init. */
export const VHPET: HpetShape = {
  hertz: 16_777_216,
  timers: 8,
  bits: 32,
  legacyReplacement: false,
  messages: true,
};
/** vhpet_init: I/O APIC inputs 24 to 31. */
const HPET_ROUTES = 0xff000000;

/** vatpit_callout_handler pulses input 0 of the 8259 pair and input 2 of the I/O APIC. */
const TIMER_INPUT = 2;
/** vatpic_notify_intr pulses input 0 of the I/O APIC beside LINT0. */
const PIC_INPUT = 0;

export interface KernelDeviceOptions {
  /** Bytes of CMOS that userland has written, by index. */
  readonly cmos: Readonly<Record<number, number>>;
}

export interface KernelDevices {
  readonly pic: I8259Pair;
  readonly ioapic: Ioapic82093aa;
  /** All of them, in the order of a snapshot. */
  readonly devices: readonly Device[];
  /** vm_isa_assert_irq with the same number at both controllers. */
  line(irq: number): InterruptLine;
}

export function kernelDevices(
  inputs: Pick<BoardInputs, 'clock' | 'setInterruptLine' | 'deliver'>,
  { cmos }: KernelDeviceOptions,
): KernelDevices {
  const { clock } = inputs;
  const pic = new I8259Pair((up) => {
    inputs.setInterruptLine(up);
    ioapic.setLine(PIC_INPUT, up);
  });
  const ioapic = new Ioapic82093aa({
    base: IOAPIC_BASE,
    size: PAGE_OF_APIC,
    id: 0,
    pins: IOAPIC_PINS,
    ignoresPolarity: true,
    deliver: (...message) => inputs.deliver(...message),
  });
  const line = (irq: number) => (level: boolean) => {
    pic.setLine(irq, level);
    ioapic.setLine(irq === 0 ? TIMER_INPUT : irq, level);
  };
  const hpet = new Hpet(clock, {
    base: HPET_BASE,
    shape: VHPET,
    legacy: [line(0), line(8)],
    routes: HPET_ROUTES,
    route: (input, level) => ioapic.setLine(input, level),
    message: (address, data) => {
      // As lapic_intr_msi reads them: destination in 19:12, mode of it in bit 2, vector and delivery mode in the data.
      inputs.deliver(data & 0xff, (address >>> 12) & 0xff, (address & 4) !== 0, (data >> 8) & 7, false);
    },
  });
  const timer = new I8254(clock, line(0), { restartsOnCount: true });
  const devices: Device[] = [
    pic,
    hpet,
    timer,
    // vatpit_nmisc_handler: bit 5 alone, and writes do nothing.
    new SystemPort61(clock, timer, { writable: false }),
    new Mc146818(clock, line(8), {
      size: 128,
      beyond: 0,
      memory: cmos,
      century: 0x32,
      epoch: EPOCH,
      // vrtc_addr_handler: the index reads as 0xff.
      indexReads: false,
    }),
    ioapic,
  ];
  return { pic, ioapic, devices, line };
}

/** Ports of the in-kernel devices that take bytes alone; port 0x61 takes any width (vm_inout_init of vmm_ioport.c). */
const BYTE_PORTS: ReadonlySet<number> = new Set([
  0x20, 0x21, 0x40, 0x41, 0x42, 0x43, 0x70, 0x71, 0xa0, 0xa1, 0x4d0, 0x4d1,
]);
const PIT_MODE = 0x43;
/** Modes 0, 2, 3 and 4 by the three bits of the control word: vatpit_update_mode refuses 1 and 5. */
const PIT_MODES: ReadonlySet<number> = new Set([0, 2, 3, 4, 6, 7]);

/** Why an in-kernel device returns an error for an access, in words; null where it answers. Only for the ports above. */
export function kernelPortRefusal({ port, size, write, value }: PortAccess): string | null {
  if (!BYTE_PORTS.has(port)) return null;
  if (size !== 1) return `its emulation in the kernel takes bytes alone, not ${size} bytes at once`;
  if (port !== PIT_MODE) return null;
  if (!write) return 'the 8254’s control word cannot be read';
  return pitRefusal(value);
}

/** vatpit_update_mode: latch commands, and 16-bit counts (low byte, then high) in modes 0, 2, 3 and 4. */
function pitRefusal(word: number): string | null {
  const access = (word >> 4) & 3;
  if (word >> 6 === 3 || access === 0) return null;
  if (access !== 3) return `8254 control word ${hex(word)} asks for counts of one byte, vatpit takes two`;
  if ((word & 1) !== 0) return `8254 control word ${hex(word)} asks for BCD, which vatpit does not have`;
  const mode = (word >> 1) & 7;
  return PIT_MODES.has(mode)
    ? null
    : `8254 control word ${hex(word)} asks for mode ${mode}, which vatpit does not have`;
}
