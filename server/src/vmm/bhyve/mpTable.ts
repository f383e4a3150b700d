/**
 * The MP tables that bhyve writes below 1 MiB (mptbl.c, mptable_build; MultiProcessor Specification 1.4, chapter 4). Without PCI
 * functions that interrupt there are 16 interrupt entries.
 */
import {
  ALL_LOCAL_APICS,
  MP_INTERRUPT,
  mpBus,
  mpInterrupt,
  mpIoapic,
  mpLocalInterrupt,
  mpProcessor,
  mpStructures,
  type MpEntry,
} from '../mpTable';
import { IOAPIC_BASE } from './kernelDevices';

const ISA_INPUTS = 16;
const SCI = 9;
const LAPIC_VERSION = 16;
const IOAPIC_VERSION = 0x11;
const IOAPIC_ID = 0;
/** MPEP_SIG: family 6, model 26, stepping 5, shifted as mptbl.c does, whatever CPUID says. */
const SIGNATURE = (6 << 8) | (26 << 4) | 5;
const FEATURES = 0xbfebfbff;
const ACTIVE_LOW_LEVEL = 0x0f;
const PCI_BUS = 0;
const ISA_BUS = 1;

/** Floating pointer structure and configuration table as they lie at `at`. */
export function bhyveMpTable(at: bigint, vcpus: number): Uint8Array {
  const local = { bus: 0, irq: 0, destination: ALL_LOCAL_APICS } as const;
  const entries = [
    ...Array.from({ length: vcpus }, (_, localApicId) =>
      mpProcessor({
        localApicId,
        apicVersion: LAPIC_VERSION,
        signature: SIGNATURE,
        features: FEATURES,
        boot: localApicId === 0,
      }),
    ),
    mpBus(PCI_BUS, 'PCI'),
    mpBus(ISA_BUS, 'ISA'),
    mpIoapic(IOAPIC_ID, IOAPIC_VERSION, Number(IOAPIC_BASE)),
    ...Array.from({ length: ISA_INPUTS }, (_, input) => interrupt(input)),
    mpLocalInterrupt({ type: MP_INTERRUPT.extInt, ...local, input: 0 }),
    mpLocalInterrupt({ type: MP_INTERRUPT.nmi, ...local, input: 1 }),
  ];
  return mpStructures({ at, oem: 'BHyVe', product: 'Hypervisor', entryCount: entries.length }, entries);
}

/** Input 0 is ExtINT and names no IRQ, IRQ 0 reaches input 2, the SCI is level triggered and active low. */
function interrupt(input: number): MpEntry {
  const isa = { bus: ISA_BUS, destination: IOAPIC_ID, input } as const;
  if (input === 0) return mpInterrupt({ ...isa, type: MP_INTERRUPT.extInt, irq: 0 });
  const irq = input === 2 ? 0 : input;
  const flags = input === SCI ? ACTIVE_LOW_LEVEL : 0;
  return mpInterrupt({ ...isa, type: MP_INTERRUPT.vectored, flags, irq });
}
