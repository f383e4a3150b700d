/** What a text says of the CPU that its guest runs on. */
import { CPU_SETTINGS } from '../../machine/cpuSettings';
import type { Machine } from '../../machine/machine';
import type { Origin } from '../../machine/origin';

interface SaidCpu {
  /** Null where the text leaves it to the host. */
  readonly vendor: 'intel' | 'amd' | null;
  /** MAXPHYADDR in bits; null where the text leaves it to the host. */
  readonly physicalWidth: { readonly value: number; readonly origin: Origin } | null;
}

/** A boot plan's, and Cloud Hypervisor's limit. */
const WIDTHS = [CPU_SETTINGS.physicalWidth, 'cpus.max_phys_bits'] as const;

export function cpuOf({ settings }: Pick<Machine, 'settings'>): SaidCpu {
  const vendor = settings?.get(CPU_SETTINGS.vendor)?.value;
  const width = WIDTHS.flatMap((key) => settings?.get(key) ?? [])[0];
  const value = width?.value;
  return {
    vendor: vendor === 'intel' || vendor === 'amd' ? vendor : null,
    physicalWidth:
      width && typeof value === 'bigint' && value >= 32n && value <= 52n
        ? { value: Number(value), origin: width.origin }
        : null,
  };
}
