/** MSRs that vmm(4) answers on an Intel host (vmm_machdep.c rev 1.34). What the core has itself never comes here. */
import type { Device, DeviceState } from '../../devices/device';

const MSR_PLATFORM_ID = 0x17;
const MSR_BIOS_SIGN = 0x8b;
const MSR_SMM_MONITOR_CTL = 0x9b;
const MSR_MISC_ENABLE = 0x1a0;
const MSR_PAT = 0x277;
const PAT_RESET = 0x0007040600070406n;
/** Speed-step, thermal control and xTPR: taken out of what the guest writes to IA32_MISC_ENABLE. */
const MISC_ENABLE_FILTERED = (1n << 3n) | (1n << 16n) | (1n << 23n);

export class VmdMsrs implements Device {
  readonly name = 'vmm(4) MSRs';
  private pat = PAT_RESET;
  private miscEnable = 0n;

  /** Null is #GP(0): so every RDMSR that the bitmap does not allow and that is not one of these. */
  read(index: number): bigint | null {
    if (index === MSR_PLATFORM_ID || index === MSR_BIOS_SIGN) return 0n;
    if (index === MSR_PAT) return this.pat;
    return index === MSR_MISC_ENABLE ? this.miscEnable : null;
  }

  /** False is #GP(0). A WRMSR that vmm(4) does not know is thrown away without a fault. */
  write(index: number, value: bigint): boolean {
    if (index === MSR_SMM_MONITOR_CTL) return false;
    if (index === MSR_PAT) {
      if (!validPat(value)) return false;
      this.pat = value;
    }
    if (index === MSR_MISC_ENABLE) this.miscEnable = value & ~MISC_ENABLE_FILTERED;
    return true;
  }

  reset(): void {
    this.pat = PAT_RESET;
    this.miscEnable = 0n;
  }

  save(): DeviceState {
    return { pat: this.pat, miscEnable: this.miscEnable };
  }

  restore(state: DeviceState): void {
    Object.assign(this, state as { pat: bigint; miscEnable: bigint });
  }
}

/** Each of the eight types is 0, 1, 4, 5, 6 or 7 (SDM vol. 3, 11.12.2). */
function validPat(value: bigint): boolean {
  for (let shift = 0n; shift < 64n; shift += 8n) {
    const type = (value >> shift) & 0xffn;
    if (type > 7n || type === 2n || type === 3n) return false;
  }
  return true;
}
