/** CPUID with what follows the running CPU, and RDPID (SDM vol. 2; vol. 1, 13.2). */
import { APIC_BASE, CPUID_ANSWER, CR4, CURRENT, MODE, MSR_TSC_AUX } from "./layout";
import { vcpuAt } from "./apic";
import { cpuid as ask } from "./bus";
import { RAX, RBX, RCX, RDX, rmOf, setRegister } from "./operand";
import { CR4_PKE } from "./protectionKeys";
import { compactSize, enabledComponents, standardSize } from "./xsave";

const OSXSAVE: u32 = 0x8000000;
const APIC: u32 = 0x200;
const OSPKE: u32 = 0x10;
/** XSAVEC or XSAVES: the compacted size is given. */
const COMPACTS: u32 = 0xa;

@inline function when(word: u32, bit: u32, on: bool): u32 {
  return on ? word | bit : word & ~bit;
}

/** The APIC bit of EDX, clear while IA32_APIC_BASE.EN is. */
function apicBit(edx: u32): u32 {
  return load<u64>(vcpuAt(load<u32>(CURRENT)), APIC_BASE) & 0x800 ? edx : edx & ~APIC;
}
/** OSXSAVE and OSPKE are CR4's bits, the APIC shows while it is on, leaf 0xD has the sizes for XCR0 and IA32_XSS. */
export function cpuid(op: usize): void {
  const leaf = load<u32>(RAX);
  const subleaf = load<u32>(RCX);
  ask(leaf, subleaf);
  const a = load<u32>(CPUID_ANSWER);
  let b = load<u32>(CPUID_ANSWER + 4);
  let c = load<u32>(CPUID_ANSWER + 8);
  let d = load<u32>(CPUID_ANSWER + 12);
  if (leaf == 1) {
    c = when(c, OSXSAVE, (load<u64>(CR4) & 0x40000) != 0);
    d = apicBit(d);
  } else if (leaf == 0x80000001) {
    // AMD repeats the bit there (APM vol. 3, appendix E); Intel has none to lose.
    d = apicBit(d);
  } else if (leaf == 7) {
    if (subleaf == 0) c = when(c, OSPKE, (load<u64>(CR4) & CR4_PKE) != 0);
  } else if (leaf == 0xd) {
    if (subleaf == 0 && b != 0) b = standardSize(enabledComponents(false));
    else if (subleaf == 1 && (a & COMPACTS) != 0) b = compactSize(enabledComponents(true));
  }
  store<u64>(RAX, a);
  store<u64>(RBX, b);
  store<u64>(RCX, c);
  store<u64>(RDX, d);
}

/** The register has the size of the mode, whatever the prefixes say. */
export function rdpid(op: usize): void {
  const value = load<u64>(MSR_TSC_AUX) & 0xffffffff;
  if (load<u8>(MODE) == 2) setRegister<u64>(rmOf(op), value);
  else setRegister<u32>(rmOf(op), <u32>value);
}
