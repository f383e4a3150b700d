/**
 * CPUID feature flags by the manuals' names, with the place of each bit. SDM vol. 2A, CPUID (tables 3-8 to 3-11); APM vol. 3,
 * appendix E for the leaves from 0x80000000 on. Only flags that say what the CPU can do: sizes and counts are no features.
 */
export type CpuidRegisterName = 'eax' | 'ebx' | 'ecx' | 'edx';
export const CPUID_REGISTERS = ['eax', 'ebx', 'ecx', 'edx'] as const satisfies readonly CpuidRegisterName[];

export interface CpuidFeature {
  readonly leaf: number;
  readonly subleaf: number;
  readonly register: CpuidRegisterName;
  readonly bit: number;
  readonly title: string;
}

type Row = readonly [bit: number, name: string, title: string];

/** One register of a leaf after the other. */
const WORDS = [
  {
    leaf: 1,
    subleaf: 0,
    register: 'ecx',
    bits: [
      [0, 'SSE3', 'SSE3 instructions'],
      [1, 'PCLMULQDQ', 'carry-less multiplication'],
      [2, 'DTES64', '64-bit debug store'],
      [3, 'MONITOR', 'MONITOR and MWAIT'],
      [4, 'DS-CPL', 'CPL-qualified debug store'],
      [5, 'VMX', 'virtual machine extensions (Intel)'],
      [6, 'SMX', 'safer mode extensions'],
      [7, 'EIST', 'enhanced SpeedStep'],
      [8, 'TM2', 'thermal monitor 2'],
      [9, 'SSSE3', 'SSSE3 instructions'],
      [11, 'SDBG', 'silicon debug MSR'],
      [12, 'FMA', 'fused multiply-add'],
      [13, 'CMPXCHG16B', 'CMPXCHG16B'],
      [14, 'XTPR', 'xTPR update control'],
      [15, 'PDCM', 'performance capabilities MSR'],
      [17, 'PCID', 'process-context identifiers'],
      [18, 'DCA', 'direct cache access'],
      [19, 'SSE4_1', 'SSE4.1 instructions'],
      [20, 'SSE4_2', 'SSE4.2 instructions'],
      [21, 'x2APIC', 'x2APIC mode of the local APIC'],
      [22, 'MOVBE', 'MOVBE'],
      [23, 'POPCNT', 'POPCNT'],
      [24, 'TSC-Deadline', 'TSC-deadline mode of the local APIC timer'],
      [25, 'AESNI', 'AES instructions'],
      [26, 'XSAVE', 'XSAVE, XRSTOR, XGETBV, XSETBV'],
      [27, 'OSXSAVE', 'CR4.OSXSAVE is set'],
      [28, 'AVX', 'AVX instructions'],
      [29, 'F16C', 'half-precision conversions'],
      [30, 'RDRAND', 'RDRAND'],
      [31, 'Hypervisor', 'runs under a hypervisor'],
    ],
  },
  {
    leaf: 1,
    subleaf: 0,
    register: 'edx',
    bits: [
      [0, 'FPU', 'x87 on chip'],
      [1, 'VME', 'virtual-8086 mode extensions'],
      [2, 'DE', 'debugging extensions'],
      [3, 'PSE', '4 MiB pages'],
      [4, 'TSC', 'time stamp counter'],
      [5, 'MSR', 'RDMSR and WRMSR'],
      [6, 'PAE', 'physical address extension'],
      [7, 'MCE', 'machine-check exception'],
      [8, 'CX8', 'CMPXCHG8B'],
      [9, 'APIC', 'local APIC'],
      [11, 'SEP', 'SYSENTER and SYSEXIT'],
      [12, 'MTRR', 'memory type range registers'],
      [13, 'PGE', 'global pages'],
      [14, 'MCA', 'machine-check architecture'],
      [15, 'CMOV', 'CMOVcc, and FCMOVcc with FPU'],
      [16, 'PAT', 'page attribute table'],
      [17, 'PSE-36', '36-bit 4 MiB pages'],
      [18, 'PSN', 'processor serial number'],
      [19, 'CLFSH', 'CLFLUSH'],
      [21, 'DS', 'debug store'],
      [22, 'ACPI', 'thermal monitor MSRs'],
      [23, 'MMX', 'MMX instructions'],
      [24, 'FXSR', 'FXSAVE and FXRSTOR'],
      [25, 'SSE', 'SSE instructions'],
      [26, 'SSE2', 'SSE2 instructions'],
      [27, 'SS', 'self snoop'],
      [28, 'HTT', 'several logical processors in a package'],
      [29, 'TM', 'thermal monitor'],
      [31, 'PBE', 'pending break enable'],
    ],
  },
  {
    leaf: 7,
    subleaf: 0,
    register: 'ebx',
    bits: [
      [0, 'FSGSBASE', 'RDFSBASE, WRFSBASE and the like'],
      [1, 'TSC_ADJUST', 'IA32_TSC_ADJUST'],
      [2, 'SGX', 'software guard extensions'],
      [3, 'BMI1', 'bit manipulation 1, TZCNT'],
      [4, 'HLE', 'hardware lock elision'],
      [5, 'AVX2', 'AVX2 instructions'],
      [6, 'FDP_EXCPTN_ONLY', 'x87 data pointer changes on exceptions only'],
      [7, 'SMEP', 'supervisor-mode execution prevention'],
      [8, 'BMI2', 'bit manipulation 2'],
      [9, 'ERMS', 'enhanced REP MOVSB and STOSB'],
      [10, 'INVPCID', 'INVPCID'],
      [11, 'RTM', 'restricted transactional memory'],
      [12, 'PQM', 'quality-of-service monitoring'],
      [13, 'ZERO_FCS_FDS', 'x87 CS and DS selectors read as zero'],
      [14, 'MPX', 'memory protection extensions'],
      [15, 'PQE', 'quality-of-service enforcement'],
      [16, 'AVX512F', 'AVX-512 foundation'],
      [17, 'AVX512DQ', 'AVX-512 doubleword and quadword'],
      [18, 'RDSEED', 'RDSEED'],
      [19, 'ADX', 'ADCX and ADOX'],
      [20, 'SMAP', 'supervisor-mode access prevention'],
      [21, 'AVX512_IFMA', 'AVX-512 integer fused multiply-add'],
      [23, 'CLFLUSHOPT', 'CLFLUSHOPT'],
      [24, 'CLWB', 'CLWB'],
      [25, 'Intel PT', 'processor trace'],
      [28, 'AVX512CD', 'AVX-512 conflict detection'],
      [29, 'SHA', 'SHA instructions'],
      [30, 'AVX512BW', 'AVX-512 byte and word'],
      [31, 'AVX512VL', 'AVX-512 vector lengths'],
    ],
  },
  {
    leaf: 7,
    subleaf: 0,
    register: 'ecx',
    bits: [
      [1, 'AVX512_VBMI', 'AVX-512 vector byte manipulation'],
      [2, 'UMIP', 'user-mode instruction prevention'],
      [3, 'PKU', 'protection keys for user pages'],
      [4, 'OSPKE', 'CR4.PKE is set'],
      [5, 'WAITPKG', 'UMONITOR, UMWAIT, TPAUSE'],
      [7, 'CET_SS', 'shadow stacks'],
      [8, 'GFNI', 'Galois field instructions'],
      [9, 'VAES', 'vector AES'],
      [10, 'VPCLMULQDQ', 'vector carry-less multiplication'],
      [13, 'TME_EN', 'total memory encryption MSRs'],
      [14, 'AVX512_VPOPCNTDQ', 'AVX-512 vector POPCNT'],
      [16, 'LA57', '57-bit linear addresses, five-level paging'],
      [22, 'RDPID', 'RDPID'],
      [23, 'KL', 'Key Locker'],
      [24, 'BUS_LOCK_DETECT', 'bus-lock debug exceptions'],
      [25, 'CLDEMOTE', 'CLDEMOTE'],
      [27, 'MOVDIRI', 'MOVDIRI'],
      [28, 'MOVDIR64B', 'MOVDIR64B'],
      [29, 'ENQCMD', 'ENQCMD and ENQCMDS'],
      [30, 'SGX_LC', 'SGX launch configuration'],
      [31, 'PKS', 'protection keys for supervisor pages'],
    ],
  },
  {
    leaf: 7,
    subleaf: 0,
    register: 'edx',
    bits: [
      [4, 'FSRM', 'fast short REP MOVSB'],
      [5, 'UINTR', 'user interrupts'],
      [10, 'MD_CLEAR', 'VERW clears buffers'],
      [14, 'SERIALIZE', 'SERIALIZE'],
      [15, 'Hybrid', 'hybrid part'],
      [18, 'PCONFIG', 'PCONFIG'],
      [20, 'CET_IBT', 'indirect-branch tracking'],
      [22, 'AMX-BF16', 'AMX bfloat16'],
      [24, 'AMX-TILE', 'AMX tiles'],
      [25, 'AMX-INT8', 'AMX 8-bit integers'],
      [26, 'IBRS_IBPB', 'IA32_SPEC_CTRL.IBRS and IA32_PRED_CMD.IBPB'],
      [27, 'STIBP', 'IA32_SPEC_CTRL.STIBP'],
      [28, 'L1D_FLUSH', 'IA32_FLUSH_CMD'],
      [29, 'ARCH_CAPABILITIES', 'IA32_ARCH_CAPABILITIES'],
      [30, 'CORE_CAPABILITIES', 'IA32_CORE_CAPABILITIES'],
      [31, 'SSBD', 'IA32_SPEC_CTRL.SSBD'],
    ],
  },
  {
    leaf: 0xd,
    subleaf: 1,
    register: 'eax',
    bits: [
      [0, 'XSAVEOPT', 'XSAVEOPT'],
      [1, 'XSAVEC', 'XSAVEC and the compacted format'],
      [2, 'XGETBV_ECX_1', 'XGETBV with ECX 1'],
      [3, 'XSS', 'XSAVES, XRSTORS and IA32_XSS'],
      [4, 'XFD', 'extended feature disable'],
    ],
  },
  {
    leaf: 0x80000001,
    subleaf: 0,
    register: 'ecx',
    bits: [
      [0, 'LAHF64', 'LAHF and SAHF in 64-bit mode'],
      [1, 'CmpLegacy', 'core multi-processing legacy mode (AMD)'],
      [2, 'SVM', 'secure virtual machine (AMD)'],
      [3, 'ExtApicSpace', 'extended APIC space (AMD)'],
      [4, 'AltMovCr8', 'LOCK MOV CR0 is MOV CR8 (AMD)'],
      [5, 'LZCNT', 'LZCNT'],
      [6, 'SSE4A', 'SSE4A instructions (AMD)'],
      [7, 'MisAlignSse', 'misaligned SSE mode (AMD)'],
      [8, 'PREFETCHW', 'PREFETCH and PREFETCHW'],
      [9, 'OSVW', 'OS visible workarounds (AMD)'],
      [10, 'IBS', 'instruction-based sampling (AMD)'],
      [11, 'XOP', 'XOP instructions (AMD)'],
      [12, 'SKINIT', 'SKINIT and STGI (AMD)'],
      [13, 'WDT', 'watchdog timer (AMD)'],
      [15, 'LWP', 'lightweight profiling (AMD)'],
      [16, 'FMA4', 'four-operand FMA (AMD)'],
      [17, 'TCE', 'translation cache extension (AMD)'],
      [21, 'TBM', 'trailing bit manipulation (AMD)'],
      [22, 'TopologyExtensions', 'leaves 0x8000001D and 0x8000001E (AMD)'],
      [23, 'PerfCtrExtCore', 'core performance counter extensions (AMD)'],
      [26, 'DataBreakpointExtension', 'masks of data breakpoints (AMD)'],
      [29, 'MONITORX', 'MONITORX and MWAITX (AMD)'],
      [30, 'AddrMaskExt', 'address masks of instruction breakpoints (AMD)'],
    ],
  },
  {
    leaf: 0x80000001,
    subleaf: 0,
    register: 'edx',
    bits: [
      [11, 'SYSCALL', 'SYSCALL and SYSRET'],
      [20, 'NX', 'no-execute pages'],
      [22, 'MmxExt', 'AMD extensions to MMX'],
      [25, 'FFXSR', 'fast FXSAVE and FXRSTOR (AMD)'],
      [26, 'Page1GB', '1 GiB pages'],
      [27, 'RDTSCP', 'RDTSCP and IA32_TSC_AUX'],
      [29, 'LM', 'long mode'],
      [30, '3DNowExt', 'AMD extensions to 3DNow!'],
      [31, '3DNow', '3DNow! instructions'],
    ],
  },
  {
    leaf: 0x80000007,
    subleaf: 0,
    register: 'edx',
    bits: [[8, 'InvariantTSC', 'the TSC runs at a constant rate']],
  },
  {
    leaf: 0x80000008,
    subleaf: 0,
    register: 'ebx',
    bits: [
      [0, 'CLZERO', 'CLZERO (AMD)'],
      [2, 'RstrFpErrPtrs', 'x87 error pointers are always saved and restored (AMD)'],
      [4, 'RDPRU', 'RDPRU (AMD)'],
      [8, 'MCOMMIT', 'MCOMMIT (AMD)'],
      [9, 'WBNOINVD', 'WBNOINVD'],
      [12, 'IBPB', 'indirect-branch prediction barrier (AMD)'],
      [13, 'INT_WBINVD', 'interruptible WBINVD (AMD)'],
      [14, 'IBRS', 'indirect-branch restricted speculation (AMD)'],
      [15, 'STIBP_AMD', 'single-thread indirect-branch predictor (AMD)'],
      [20, 'EferLmsleUnsupported', 'EFER.LMSLE is reserved (AMD)'],
      [24, 'SSBD_AMD', 'speculative store bypass disable (AMD)'],
    ],
  },
  {
    leaf: 0x80000021,
    subleaf: 0,
    register: 'eax',
    bits: [
      [2, 'LFenceAlwaysSerializing', 'LFENCE always serializes (AMD)'],
      [6, 'NullSelectorClearsBase', 'a null selector clears base and limit (AMD)'],
      [7, 'UpperAddressIgnore', 'upper address ignore (AMD)'],
      [8, 'AutomaticIBRS', 'automatic IBRS (AMD)'],
    ],
  },
] as const satisfies readonly {
  readonly leaf: number;
  readonly subleaf: number;
  readonly register: CpuidRegisterName;
  readonly bits: readonly Row[];
}[];

export type CpuidFeatureName = (typeof WORDS)[number]['bits'][number][1];

/** Every feature by its name, in the order of the leaves. */
export const CPUID_FEATURES: ReadonlyMap<CpuidFeatureName, CpuidFeature> = new Map(
  WORDS.flatMap(({ leaf, subleaf, register, bits }) =>
    bits.map(([bit, name, title]) => [name, { leaf, subleaf, register, bit, title }] as const),
  ),
);

export function cpuidFeature(name: CpuidFeatureName): CpuidFeature {
  return CPUID_FEATURES.get(name)!;
}

/** `CPUID.(EAX=7,ECX=0):EBX[20]`, as the manuals write it. */
export function cpuidPlace({ leaf, subleaf, register, bit }: CpuidFeature): string {
  const number = leaf.toString(16).toUpperCase().padStart(2, '0');
  const input = leaf === 7 || leaf === 0xd ? `(EAX=${number}H,ECX=${subleaf})` : `${number}H`;
  return `CPUID.${input}:${register.toUpperCase()}[${bit}]`;
}
