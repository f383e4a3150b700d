/** The MP table in the order and with the values of the VMMs that have it from crosvm (Firecracker, libkrun, Cloud Hypervisor). */
import {
  ALL_LOCAL_APICS,
  MP_INTERRUPT,
  mpBus,
  mpInterrupt,
  mpIoapic,
  mpLocalInterrupt,
  mpProcessor,
  mpStructures,
  type MpHeader,
} from '../mpTable';
import { KVM_IOAPIC_BASE } from './irqchip';

const APIC_VERSION = 0x14;
/** Family 6, whatever CPUID says; FPU and APIC. */
const SIGNATURE = 0x600;
const FEATURES = 0x201;
const ISA_BUS = 0;
/** Floating pointer structure and header of the configuration table; bus, IOAPIC, LINT0 and LINT1 beside the interrupts. */
const FIXED_SIZE = 60;
const OTHER_ENTRIES = 4;
const PROCESSOR_SIZE = 20;
const OTHER_SIZE = 8;

/** `entryCount`: libkrun and Cloud Hypervisor leave it 0. */
export interface MpTableOptions extends MpHeader {
  /** One a vCPU, the boot processor first. */
  readonly localApicIds: readonly number[];
  readonly ioapicId: number;
  /** ISA interrupts 0 to `interrupts` - 1 reach the IOAPIC's inputs of the same number. */
  readonly interrupts: number;
}

/** Bytes of both structures. */
export function mpTableSize({ localApicIds, interrupts }: MpTableOptions): number {
  return FIXED_SIZE + PROCESSOR_SIZE * localApicIds.length + OTHER_SIZE * (interrupts + OTHER_ENTRIES);
}

export function mpTable({ localApicIds, ioapicId, interrupts, ...header }: MpTableOptions): Uint8Array {
  const local = { bus: ISA_BUS, irq: 0 } as const;
  return mpStructures(header, [
    ...localApicIds.map((localApicId, index) =>
      mpProcessor({
        localApicId,
        apicVersion: APIC_VERSION,
        signature: SIGNATURE,
        features: FEATURES,
        boot: index === 0,
      }),
    ),
    mpBus(ISA_BUS, 'ISA'),
    mpIoapic(ioapicId, APIC_VERSION, Number(KVM_IOAPIC_BASE)),
    ...Array.from({ length: interrupts }, (_, irq) =>
      mpInterrupt({ type: MP_INTERRUPT.vectored, bus: ISA_BUS, irq, destination: ioapicId, input: irq }),
    ),
    mpLocalInterrupt({ type: MP_INTERRUPT.extInt, ...local, destination: 0, input: 0 }),
    mpLocalInterrupt({ type: MP_INTERRUPT.nmi, ...local, destination: ALL_LOCAL_APICS, input: 1 }),
  ]);
}
