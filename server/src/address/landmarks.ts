/** Places of a PC's guest physical address space that everybody knows, with who says so. */
import { overlaps, type AddressRange } from './range';

export interface Landmark {
  /** Half-open. A boundary is empty: start and end are the same address. */
  readonly range: AddressRange;
  /** Short enough for a picture's margin. */
  readonly label: string;
  readonly name: string;
  readonly source: string;
  /** True for facts of one firmware or VMM: shown in words, not drawn on every map. */
  readonly particular?: boolean;
}

const span = (start: bigint, end: bigint, label: string, name: string, source: string): Landmark => ({
  range: { start, end },
  label,
  name,
  source,
});
const boundary = (address: bigint, label: string, name: string, source: string): Landmark =>
  span(address, address, label, name, source);
const particular = (landmark: Landmark): Landmark => ({ ...landmark, particular: true });

/** By start. */
export const LANDMARKS: readonly Landmark[] = [
  span(0x0n, 0x400n, 'IVT', 'real-mode interrupt vector table', 'SDM vol. 3, Real-Address Mode'),
  span(0x400n, 0x500n, 'BDA', 'BIOS data area', 'IBM PC BIOS convention'),
  span(0x7c00n, 0x7e00n, 'boot sector', 'where the BIOS loads the boot sector', 'IBM PC BIOS convention'),
  particular(
    span(
      0x90000n,
      0xa0000n,
      'EBDA may grow',
      'SeaBIOS may let its extended BIOS data area grow down to 0x90000; Linux usually keeps its real-mode code here',
      'SeaBIOS src/config.h, BUILD_EBDA_MINIMUM',
    ),
  ),
  particular(
    span(0x9fc00n, 0xa0000n, 'EBDA', 'extended BIOS data area, at its usual 1 KiB', 'IBM PC BIOS convention'),
  ),
  boundary(0xa0000n, '640 KiB', 'end of conventional memory', 'IBM PC memory map'),
  span(0xa0000n, 0xc0000n, 'VGA', 'VGA frame buffer, or SMRAM', 'IBM PC memory map'),
  span(0xc0000n, 0xe0000n, 'option ROMs', 'option ROMs', 'IBM PC memory map'),
  span(0xe0000n, 0x100000n, 'BIOS', 'system BIOS or its shadow copy', 'IBM PC memory map'),
  boundary(
    0x100000n,
    '1 MiB',
    'end of what real mode reaches, but for 65,520 bytes above it where A20 is on',
    'SDM vol. 3, Real-Address Mode',
  ),
  boundary(0xc0000000n, '3 GiB', 'the usual start of the 32-bit PCI hole', 'convention of several VMMs'),
  span(0xfec00000n, 0xfec01000n, 'IOAPIC', 'I/O APIC registers', 'Intel chipset convention, ACPI MADT'),
  span(0xfed00000n, 0xfed00400n, 'HPET', 'high-precision event timer registers', 'IA-PC HPET specification'),
  span(0xfed40000n, 0xfed45000n, 'TPM', 'TPM registers, five localities', 'TCG PC Client specification'),
  span(
    0xfee00000n,
    0xfee01000n,
    'local APIC',
    'local APIC registers; MSI writes go to the MiB from here',
    'SDM vol. 3, Local APIC',
  ),
  span(
    0xfffffff0n,
    0x100000000n,
    'reset vector',
    'the first instruction after reset',
    'SDM vol. 3, First Instruction Executed',
  ),
  boundary(0x100000000n, '4 GiB', 'end of the 32-bit address space', 'SDM vol. 1, Memory Organization'),
  boundary(1n << 39n, '512 GiB', 'end of 39 physical address bits', 'CPUID leaf 80000008H'),
  particular(
    span(
      0xfd00000000n,
      0x10000000000n,
      'HyperTransport',
      'reserved for HyperTransport on AMD systems: an AMD IOMMU cannot map DMA to it',
      'QEMU hw/i386/pc.c, AMD_HT_START; AMD I/O Virtualization Technology specification',
    ),
  ),
  boundary(1n << 40n, '1 TiB', 'end of 40 physical address bits', 'CPUID leaf 80000008H'),
  boundary(1n << 46n, '64 TiB', 'end of 46 physical address bits', 'CPUID leaf 80000008H'),
];

/** The spans that share a byte with the range, and the boundaries strictly inside it. */
export function landmarksIn(range: AddressRange): Landmark[] {
  return LANDMARKS.filter(({ range: mark }) =>
    mark.start === mark.end ? mark.start > range.start && mark.start < range.end : overlaps(mark, range),
  );
}
