/**
 * The map of the one WebAssembly memory: the running vCPU's state, the other vCPUs, TLBs, decoded code, guest pages.
 * Plain numbers only: the TypeScript face imports this file too.
 *
 * The running vCPU's state lives at fixed addresses (CPU); a switch copies it out and the next one in.
 */

// ---- The running vCPU (CPU_SIZE bytes, copied on a switch) ----
export const CPU = 0x10000;
export const CPU_SIZE = 0x800;
/** 16 × u64, in encoding order; a register operand is a byte offset from here (AH is 1, CH 9, …). */
export const REGS = CPU;
/** Reads as zero: the base or index that an address doesn't have. */
export const ZERO_OFFSET = 128;
export const RIP_OFFSET = 136;
export const RIP = CPU + RIP_OFFSET;
/** RIP of the first instruction of the running block; fault.ts says where the instruction that executes begins. */
export const BLOCK_RIP = CPU + 144;
/** Lazy arithmetic flags, see flags.ts: the sign-extended result, and carries. */
export const FLAG_RESULT = CPU + 152;
export const FLAG_AUX = CPU + 160;
/** u32: all bits of EFLAGS but the six arithmetic ones, bit 1 set. */
export const SYSTEM_FLAGS = CPU + 164;
export const CR0 = CPU + 168;
export const CR2 = CPU + 176;
export const CR3 = CPU + 184;
export const CR4 = CPU + 192;
export const EFER = CPU + 200;
export const XCR0 = CPU + 208;
/** 8 × u64. */
export const DR = CPU + 216;
export const GDTR_BASE = CPU + 280;
export const GDTR_LIMIT = CPU + 288;
export const IDTR_BASE = CPU + 296;
export const IDTR_LIMIT = CPU + 304;
/** The four PAE PDPTE registers (SDM vol. 3, 4.4.1). */
export const PDPTE = CPU + 312;

export const MSR_STAR = CPU + 344;
export const MSR_LSTAR = CPU + 352;
export const MSR_CSTAR = CPU + 360;
export const MSR_FMASK = CPU + 368;
export const MSR_KERNEL_GS = CPU + 376;
export const MSR_SYSENTER_CS = CPU + 384;
export const MSR_SYSENTER_ESP = CPU + 392;
export const MSR_SYSENTER_EIP = CPU + 400;
export const MSR_PAT = CPU + 408;
export const MSR_U_CET = CPU + 416;
export const MSR_S_CET = CPU + 424;
export const MSR_TSC_AUX = CPU + 432;
/** Added to the clock for RDTSC. */
export const TSC_OFFSET = CPU + 440;
/** MTRRs are storage: 200-20f, then the 11 fixed ones (250, 258, 259, 268-26f), then 2ff. 28 × u64. */
export const MTRR = CPU + 448;

/** u8 each. */
export const CPL = CPU + 672;
/** Code size: 0 16-bit, 1 32-bit, 2 64-bit. */
export const MODE = CPU + 673;
/** Stack size: 0 16-bit, 1 32-bit, 2 64-bit. */
export const STACK_MODE = CPU + 674;
/** One of the MODE_… numbers, for the trace. */
export const CPU_MODE = CPU + 675;
/** Interrupt shadow: 1 after STI, 2 after a load of SS. */
export const SHADOW = CPU + 676;
export const NMI_BLOCKED = CPU + 677;
/** The last instruction was a REP string instruction with iterations left. */
export const REPEATING = CPU + 678;
/** 1: no single-step trap after this instruction (software interrupts); 2: one whatever TF was before (SYSRET). */
export const NO_TRAP = CPU + 679;

/** The fault that unwound last. */
export const FAULT_VECTOR = CPU + 680;
export const FAULT_ERROR = CPU + 684;
/** u32: 1 where an error code is pushed. */
export const FAULT_HAS_ERROR = CPU + 688;
export const FAULT_REASON = CPU + 692;
export const FAULT_DETAIL_1 = CPU + 696;
export const FAULT_DETAIL_2 = CPU + 704;
/** When it was raised, in ticks. */
export const FAULT_AT = CPU + 712;

/** The event that the next step delivers: u32, EVENT_NONE or a vector. */
export const PENDING = CPU + 720;
export const PENDING_ERROR = CPU + 724;
export const PENDING_HAS_ERROR = CPU + 728;
/** EVENT_KIND_… of the pending event. */
export const PENDING_KIND = CPU + 732;
/** The vector whose delivery is going on, or EVENT_NONE: decides the promotion to #DF. */
export const DELIVERING = CPU + 736;
export const DELIVERING_KIND = CPU + 740;
/** How many records the fault chain holds. */
export const CHAIN_LENGTH = CPU + 744;
export const FCW = CPU + 748;
export const FSW = CPU + 750;
/**
 * Abridged tag word (a bit per full register), last opcode, MXCSR, instruction and data pointers, x87 registers by physical
 * number (16 bytes each, MMX sees them so too), XMM registers.
 */
export const FTW = CPU + 0x7c0;
export const FOP = CPU + 0x7c2;
export const MXCSR = CPU + 0x7c4;
export const FPU_INSTRUCTION = CPU + 0x7c8;
export const FPU_DATA = CPU + 0x7d0;
/** u16: the selectors that belong to the pointers. */
export const FPU_CS = CPU + 0x7d8;
export const FPU_DS = CPU + 0x7da;
export const ST = CPU + 0x640;
export const XMM = CPU + 0x6c0;
/** 1: CR0.AM, AC and CPL 3 ask for alignment checks. */
export const AC_CHECK = CPU + 752;
/** u8: DR7 enables a breakpoint. */
export const DEBUG_ACTIVE = CPU + 753;
/** u8: data accesses are watched by a breakpoint. */
export const DEBUG_DATA = CPU + 754;
/** u32: data breakpoints that the running instruction met. */
export const DEBUG_HIT = CPU + 756;
/** u32: the vector during whose delivery the recorded fault was raised, or EVENT_NONE. */
export const FAULT_DURING = CPU + 760;

/** u32 each: protection-key rights for user and supervisor pages. */
export const PKRU = CPU + 764;
export const PKRS = CPU + 768;
export const MSR_XSS = CPU + 0x3c0;
/** Sum of what was added to the TSC by software. */
export const MSR_TSC_ADJUST = CPU + 0x3c8;
export const MSR_MCG_STATUS = CPU + 0x3d0;
/** State of the generator behind RDRAND and RDSEED. */
export const RANDOM = CPU + 0x3d8;

export const SEGMENTS = CPU + 0x400;
export const SEGMENT_SIZE = 64;
/** es cs ss ds fs gs ldtr tr, and number 8: base 0, no limit, for 64-bit addressing. */
export const ES = 0;
export const CS = 1;
export const SS = 2;
export const DS = 3;
export const FS = 4;
export const GS = 5;
export const LDTR = 6;
export const TR = 7;
export const FLAT = 8;
// Offsets in a segment: selector, access rights (VMX layout), base, limit, and the offsets that may be read and written.
export const SEG_SELECTOR = 0;
export const SEG_ATTRIBUTES = 4;
export const SEG_BASE = 8;
export const SEG_LIMIT = 16;
export const SEG_READ_LOW = 24;
export const SEG_READ_HIGH = 32;
export const SEG_WRITE_LOW = 40;
export const SEG_WRITE_HIGH = 48;

export const EVENT_NONE = 0xffff;
export const EVENT_KIND_EXCEPTION = 0;
export const EVENT_KIND_EXTERNAL = 1;
export const EVENT_KIND_SOFTWARE = 2;
/** INT3 and INTO: as a software interrupt, but the vector is fixed. */
export const EVENT_KIND_SOFTWARE_EXCEPTION = 3;
/** INT1 and single step. */
export const EVENT_KIND_TRAP = 4;
export const EVENT_KIND_NMI = 5;
/** #DB by an instruction breakpoint: a fault whose image keeps RF as it is. */
export const EVENT_KIND_BREAKPOINT = 6;

// ---- Machine-wide state (STATE_SIZE bytes, part of a snapshot) ----
export const MACHINE = 0x11000;
export const MACHINE_SIZE = 0x100;
/** u64: the clock in ticks. */
export const NOW = MACHINE;
/** u64: the ticks among them in which no instruction ran. */
export const IDLE = MACHINE + 8;
/** u64: when the current vCPU's turn ends. */
export const TURN_END = MACHINE + 16;
/** u64: the earliest timer of all local APICs, all ones if none. */
export const NEXT_TIMER = MACHINE + 24;
export const A20_MASK = MACHINE + 32;
export const CURRENT = MACHINE + 40;
/** u32: level of the INTR pin, LINT0 of every CPU. */
export const INTR = MACHINE + 44;
/** u64: instruction count at which a breakpoint stopped last, so that the next run passes it; all ones if none. */
export const BREAKPOINT_PASSED = MACHINE + 48;
/** u32: level of the NMI pin, LINT1 of every CPU. */
export const NMI_PIN = MACHINE + 56;

// ---- Configuration and what lives only while running ----
export const RUN = 0x11100;
export const DEADLINE = RUN;
/** u64 */
export const QUANTUM = RUN + 8;
export const VCPU_COUNT = RUN + 16;
/** Behind the last op record that runs now; an instruction that needs the outer loop's attention sets it to 0. */
export const END = RUN + 20;
/** The op record that executes, and the first one of its block; both 0 between blocks. */
export const AT = RUN + 24;
export const FIRST = RUN + 28;
/** 1: leave the inner loop at the next instruction boundary. */
export const ATTENTION = RUN + 32;
export const STOP = RUN + 36;
/** CAUSE_… of the last unwinding. */
export const UNWIND_CAUSE = RUN + 40;
export const TRACE = RUN + 44;
export const BREAKPOINT_COUNT = RUN + 48;
export const SLOT_COUNT = RUN + 52;
/** u64: the address bits below MAXPHYADDR. */
export const PHYSICAL_MASK = RUN + 56;
export const FEATURES = RUN + 64;
/** Feature words of CPUID: 1.ecx, 1.edx, 7.ebx, 7.ecx, 80000001.ecx, 80000001.edx, 1.eax. */
export const CPUID_1_ECX = RUN + 72;
export const CPUID_1_EDX = RUN + 76;
export const CPUID_7_EBX = RUN + 80;
export const CPUID_7_ECX = RUN + 84;
export const CPUID_81_ECX = RUN + 92;
export const CPUID_81_EDX = RUN + 96;
export const CPUID_SIGNATURE = RUN + 100;
/** Four u32 answered by the cpuid import. */
export const CPUID_ANSWER = RUN + 104;
export const PAGE_COUNT = RUN + 120;
export const HEAP_TOP = RUN + 124;
export const HEAP_HIGH_WATER = RUN + 128;
export const ARENA_TOP = RUN + 132;
export const CODE_PAGE_COUNT = RUN + 136;
/** u32: ticks that the running instruction may take (REP). */
export const BUDGET = RUN + 148;
/** u64: finished iterations of the REP instruction that runs. */
export const PROGRESS = RUN + 152;
/** What the last page walk found, for the TLB: TLB_GLOBAL and the page size. */
export const WALK_TLB = RUN + 140;
/** The TLB set of the current CPL and AC: 0 supervisor, 1 supervisor with AC, 2 user. */
export const TLB_SET = RUN + 144;
/** Bytes that the decoder reads when an instruction crosses a page or comes from MMIO. */
export const FETCH_BUFFER = RUN + 160;
/** Entry addresses and values of a page walk: 5 × (u64, u64). */
export const WALK = RUN + 192;
/** u64 address masks by log2 of the address size in bytes: 2, 4, 8 bytes at index 1, 2, 3. */
export const ADDRESS_MASKS = RUN + 288;
/** What SHADOW was before the running instruction: comes back if the bus refuses it. */
export const OLD_SHADOW = RUN + 320;
/** Values of the task that a task switch loads, see task.ts. */
export const TASK_IMAGE = RUN + 0x180;
/** The image that FXRSTOR reads before it changes anything: 416 bytes. */
export const RUN_FX_IMAGE = RUN + 0x200;
/** Header and record of an instruction that isn't kept: it crosses a page, or comes from MMIO. */
export const SCRATCH_BLOCK = RUN + 336;

/** The header of the image that XRSTOR reads: 64 bytes. */
export const RUN_XSAVE_HEADER = RUN + 0x400;

// ---- What CPUID permits, written by the face (../cpuProfile.ts) ----
/** u64: bits of CR4 and EFER that may be set. */
export const CR4_PERMITTED = RUN + 0x600;
export const EFER_PERMITTED = RUN + 0x608;
/** u64: bits of XCR0 and IA32_XSS that may be set. */
export const XCR0_PERMITTED = RUN + 0x610;
export const XSS_PERMITTED = RUN + 0x618;
/** u32: rows of MSR_PERMITS (server/src/x86/cpuid/permits.ts) that exist; MSRS_… below. */
export const MSRS_PERMITTED = RUN + 0x620;
/** u32: the widest linear address in bits. */
export const LINEAR_WIDTH = RUN + 0x624;
/** More feature words: 5.ecx, 0xd.1.eax, 80000008.ebx, 80000021.eax. */
export const CPUID_5_ECX = RUN + 0x634;
export const CPUID_D1_EAX = RUN + 0x628;
export const CPUID_88_EBX = RUN + 0x62c;
export const CPUID_8021_EAX = RUN + 0x630;
/** 63 × (size u16, aligned u16, offset u32): XSAVE state components. */
export const XSAVE_COMPONENTS = RUN + 0x680;

export const MSRS_TSC = 1;
export const MSRS_APIC_BASE = 2;
export const MSRS_TSC_ADJUST = 4;
export const MSRS_SYSENTER = 8;
export const MSRS_MTRR = 0x10;
export const MSRS_PAT = 0x20;
export const MSRS_CET = 0x40;
export const MSRS_TSC_DEADLINE = 0x80;
export const MSRS_X2APIC = 0x100;
export const MSRS_XSS = 0x200;
export const MSRS_EFER = 0x400;
export const MSRS_SYSCALL = 0x800;
export const MSRS_LONG = 0x1000;
export const MSRS_TSC_AUX = 0x2000;
export const MSRS_PKRS = 0x4000;
export const MSRS_MCA = 0x8000;
/** Vectors of the SSE instruction in progress: destination before, source, result, and 48 bytes to shift through. */
export const SSE_A = 0x11f00;
export const SSE_B = 0x11f20;
export const SSE_RESULT = 0x11f40;
export const SSE_WINDOW = 0x11f60;

/** Bits of FEATURES. */
export const HAS_AMD = 1;
export const HAS_LOCAL_APIC = 2;
export const HAS_X2APIC = 4;
export const HAS_LONG_MODE = 8;
export const HAS_1G = 0x10;
export const HAS_SMAP = 0x20;
export const HAS_FSGSBASE = 0x40;
export const HAS_XSAVE = 0x80;
/** PAE paging reads its PDPTEs in every walk: AMD under nested paging (APM vol. 2, 15.25.10). */
export const PDPTES_IN_WALK = 0x100;

export const CAUSE_FAULT = 1;
export const CAUSE_REFUSED = 2;
export const CAUSE_MEMORY = 3;

export const EXIT_DEADLINE = 0;
export const EXIT_IDLE = 1;
export const EXIT_SHUTDOWN = 2;
export const EXIT_STOPPED = 3;
export const EXIT_BREAKPOINT = 4;
export const EXIT_REFUSED = 5;
export const EXIT_MEMORY = 6;

export const RUNNING = 0;
export const HALTED = 1;
export const WAIT_FOR_SIPI = 2;
export const SHUTDOWN = 3;

export const MODE_REAL = 0;
export const MODE_V86 = 1;
export const MODE_PROTECTED_16 = 2;
export const MODE_PROTECTED_32 = 3;
export const MODE_COMPATIBILITY = 4;
export const MODE_LONG = 5;

/** u64 linear addresses. */
export const BREAKPOINTS = 0x12000;
export const MAX_BREAKPOINTS = 512;
/** Sorted, not overlapping: start u64, end u64 (exclusive), kind u32. */
export const SLOTS = 0x14000;
export const SLOT_SIZE = 24;
export const MAX_SLOTS = 2048;
export const SLOT_RAM = 1;
export const SLOT_ROM = 2;

// ---- Per vCPU: saved state, what others may touch (APIC, requests), the fault chain ----
export const VCPUS = 0x100000;
export const VCPU_SIZE = 0x4000;
export const MAX_VCPUS = 32;
export const VCPU_SAVED = 0;
export const ACTIVITY = 0x800;
/** Requests from outside: u8 each. */
export const REQUEST_INIT = 0x804;
export const REQUEST_NMI = 0x805;
/** An ExtINT message: the 8259 pair has the vector. */
export const REQUEST_EXTINT = 0x806;
/** 1 + vector of a start-up IPI, u32. */
export const REQUEST_SIPI = 0x808;
/** u64 IA32_APIC_BASE. */
export const APIC_BASE = 0x810;
export const APIC_ID = 0x818;
export const APIC_TPR = 0x81c;
export const APIC_LDR = 0x820;
export const APIC_DFR = 0x824;
export const APIC_SVR = 0x828;
export const APIC_ESR = 0x82c;
export const APIC_ESR_NEXT = 0x830;
export const APIC_ICR = 0x838;
/** timer, thermal, performance, LINT0, LINT1, error, CMCI. */
export const APIC_LVT = 0x840;
export const APIC_INITIAL = 0x860;
export const APIC_DIVIDE = 0x864;
/** u64 ticks: when the timer was started, and when it expires (all ones: never). */
export const APIC_STARTED = 0x868;
export const APIC_EXPIRES = 0x870;
export const APIC_TSC_DEADLINE = 0x878;
/** 8 × u32 each. */
export const APIC_ISR = 0x880;
export const APIC_TMR = 0x8a0;
export const APIC_IRR = 0x8c0;
/** u64: the guest physical line that MONITOR watches; u8: see monitor.ts, 0 none. */
export const MONITOR_LINE = 0x8e0;
export const MONITOR_STATE = 0x8e8;
/** CHAIN_MAX copies of the CPU area. */
export const CHAIN = 0x1000;
export const CHAIN_MAX = 6;

// ---- TLBs: per vCPU four sets (supervisor, supervisor with AC, user, always missing) ----
export const TLBS = 0x200000;
export const TLB_VCPU_SIZE = 0x40000;
export const TLB_SET_SIZE = 0x10000;
export const TLB_ENTRIES = 1024;
/** In a set: read and write entries (tag u64, host minus linear u64), what they map (physical page | bits), fetch entries. */
export const TLB_READ = 0;
export const TLB_WRITE = 0x4000;
export const TLB_READ_INFO = 0x8000;
export const TLB_WRITE_INFO = 0xa000;
export const TLB_FETCH = 0xc000;
export const TLB_FETCH_ENTRIES = 256;
export const TLB_FETCH_SIZE = 32;
/** In the tag of a write entry: the slow path has to see each write. */
export const TLB_NOTICED = 1;
/** u32: TLB_IN_USE, and the bits of all entries that the set may hold. */
export const TLB_USED = 0xe000;
export const TLB_IN_USE = 8;
/** Bits of what is mapped: a global page; one piece of a large page, in TLB_SIZE. */
export const TLB_GLOBAL = 1;
export const TLB_SIZE = 6;
export const TLB_2M = 2;
export const TLB_4M = 4;
export const TLB_1G = 6;
export const TLB_BITS = 7;

// ---- Guest physical pages: radix tree over 52 bits, nodes and pages on the heap ----
export const RADIX = 0xa00000;
/** u64 guest address per allocated page, in order of allocation. */
export const PAGES = 0xa01000;
export const MAX_PAGES = 0xe0000;

// ---- Decoded code ----
/** Per code page: header (64 bytes) and 4096 × u32, the block that starts at each byte. */
export const CODE_PAGES = 0x1110000;
export const CODE_PAGE_SIZE = 0x4040;
export const MAX_CODE_PAGES = 2048;
/** Header: mode u32, next code page of the same physical page u32, bitmap of 64-byte chunks with code u64. */
export const CODE_MODE = 0;
export const CODE_NEXT = 4;
export const CODE_BITMAP = 8;
export const CODE_TABLE = 64;
/** Never written: what a fetch entry points to where no block of its page is decoded any more. */
export const EMPTY_CODE_PAGE = 0x3140000;
export const ARENA = 0x3200000;
export const ARENA_END = 0x4e00000;

export const HEAP = 0x4e00000;
/** 3.5 GiB in all. */
export const MEMORY_END = 0xe0000000;
