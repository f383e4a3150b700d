/** What the core asks of the outside; implemented in ../core.ts. Each of them may unwind instead of returning. */

@external("bus", "unwind") export declare function unwind(): void;
@external("bus", "readPort") export declare function readPort(port: i32, size: i32, vcpu: i32, flags: i32): u32;
@external("bus", "writePort") export declare function writePort(port: i32, size: i32, value: u32, vcpu: i32, flags: i32): void;
@external("bus", "readMmio") export declare function readMmio(address: u64, size: i32, vcpu: i32): u64;
@external("bus", "writeMmio") export declare function writeMmio(address: u64, size: i32, value: u64, vcpu: i32): void;
@external("bus", "acknowledge") export declare function acknowledge(): i32;
/** 1 when known, the value in CPUID_ANSWER. */
@external("bus", "readMsr") export declare function readMsr(index: u32): i32;
@external("bus", "writeMsr") export declare function writeMsr(index: u32, value: u64): i32;
@external("bus", "cpuid") export declare function cpuid(leaf: u32, subleaf: u32): void;
/** 1 when there is a hypervisor that answers, RAX afterwards in CPUID_ANSWER. */
@external("bus", "hypercall") export declare function hypercall(number: u64, cpl: i32): i32;
/** 1 when the outside has sent it itself. */
@external("bus", "interprocessorInterrupt") export declare function interprocessorInterrupt(icr: u64): i32;
@external("bus", "endOfInterrupt") export declare function endOfInterrupt(vector: i32): void;
/** An event for the trace: TRACE_… and three details. Called only where TRACE is set. */
@external("bus", "trace") export declare function trace(kind: i32, vcpu: i32, a: u64, b: u64, c: u64): void;
