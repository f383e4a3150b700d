/** Names of model-specific registers: SDM vol. 4, table 2-2; APM vol. 2, appendix A; paravirtual ones by their own documents. */

const NAMES: Readonly<Record<number, string>> = {
  0x10: 'IA32_TIME_STAMP_COUNTER',
  0x1b: 'IA32_APIC_BASE',
  0x3a: 'IA32_FEATURE_CONTROL',
  0x3b: 'IA32_TSC_ADJUST',
  0x48: 'IA32_SPEC_CTRL',
  0x49: 'IA32_PRED_CMD',
  0x8b: 'IA32_BIOS_SIGN_ID',
  0xce: 'MSR_PLATFORM_INFO',
  0xe1: 'IA32_UMWAIT_CONTROL',
  0xfe: 'IA32_MTRRCAP',
  0x10a: 'IA32_ARCH_CAPABILITIES',
  0x10b: 'IA32_FLUSH_CMD',
  0x122: 'IA32_TSX_CTRL',
  0x174: 'IA32_SYSENTER_CS',
  0x175: 'IA32_SYSENTER_ESP',
  0x176: 'IA32_SYSENTER_EIP',
  0x179: 'IA32_MCG_CAP',
  0x17a: 'IA32_MCG_STATUS',
  0x1a0: 'IA32_MISC_ENABLE',
  0x1d9: 'IA32_DEBUGCTL',
  0x250: 'IA32_MTRR_FIX64K_00000',
  0x258: 'IA32_MTRR_FIX16K_80000',
  0x259: 'IA32_MTRR_FIX16K_A0000',
  0x277: 'IA32_PAT',
  0x2ff: 'IA32_MTRR_DEF_TYPE',
  0x345: 'IA32_PERF_CAPABILITIES',
  0x6a0: 'IA32_U_CET',
  0x6a2: 'IA32_S_CET',
  0x6a4: 'IA32_PL0_SSP',
  0x6e0: 'IA32_TSC_DEADLINE',
  0xda0: 'IA32_XSS',
  0xc0000080: 'IA32_EFER',
  0xc0000081: 'IA32_STAR',
  0xc0000082: 'IA32_LSTAR',
  0xc0000083: 'IA32_CSTAR',
  0xc0000084: 'IA32_FMASK',
  0xc0000100: 'IA32_FS_BASE',
  0xc0000101: 'IA32_GS_BASE',
  0xc0000102: 'IA32_KERNEL_GS_BASE',
  0xc0000103: 'IA32_TSC_AUX',
  0xc0010015: 'HWCR',
  0xc001001f: 'NB_CFG',
  0xc0010055: 'interrupt pending (AMD)',
  0xc0010114: 'VM_CR',
  0xc0010117: 'VM_HSAVE_PA',
  0xc0010130: 'SEV_ES_GHCB',
  0xc0010131: 'SEV_STATUS',
  0xc0011020: 'LS_CFG',
  0xc0011029: 'DE_CFG',
  0x4b564d00: 'MSR_KVM_WALL_CLOCK_NEW',
  0x4b564d01: 'MSR_KVM_SYSTEM_TIME_NEW',
  0x4b564d02: 'MSR_KVM_ASYNC_PF_EN',
  0x4b564d03: 'MSR_KVM_STEAL_TIME',
  0x4b564d04: 'MSR_KVM_PV_EOI_EN',
};

const X2APIC: Readonly<Record<number, string>> = {
  0x802: 'IA32_X2APIC_APICID',
  0x808: 'IA32_X2APIC_TPR',
  0x80b: 'IA32_X2APIC_EOI',
  0x80d: 'IA32_X2APIC_LDR',
  0x80f: 'IA32_X2APIC_SIVR',
  0x828: 'IA32_X2APIC_ESR',
  0x830: 'IA32_X2APIC_ICR',
  0x832: 'IA32_X2APIC_LVT_TIMER',
  0x838: 'IA32_X2APIC_INIT_COUNT',
  0x839: 'IA32_X2APIC_CUR_COUNT',
  0x83e: 'IA32_X2APIC_DIV_CONF',
  0x83f: 'IA32_X2APIC_SELF_IPI',
};

/** The name of an MSR, the family it belongs to, or null. */
export function msrName(index: number): string | null {
  const name = NAMES[index] ?? X2APIC[index];
  if (name !== undefined) return name;
  if (index >= 0x200 && index < 0x214)
    return `IA32_MTRR_PHYS${index & 1 ? 'MASK' : 'BASE'}${(index - 0x200) >> 1}`;
  if (index >= 0x268 && index < 0x270)
    return `IA32_MTRR_FIX4K_${(0xc0 + (index - 0x268) * 8).toString(16).toUpperCase()}000`;
  if (index >= 0x400 && index < 0x480)
    return `IA32_MC${(index - 0x400) >> 2}_${['CTL', 'STATUS', 'ADDR', 'MISC'][index & 3]}`;
  if (index >= 0x480 && index < 0x494) return 'VMX capability MSR';
  if (index >= 0x800 && index < 0x900) return 'x2APIC register';
  if (index >= 0x40000000 && index < 0x40000200) return 'hypervisor MSR (Hyper-V numbering)';
  return null;
}
