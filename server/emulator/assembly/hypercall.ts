/** VMCALL and VMMCALL: the outside answers as the hypervisor, or there is none and they are #UD (SDM vol. 2; APM vol. 3). */
import { CPL, CPUID_ANSWER, MODE } from "./layout";
import { hypercall as ask } from "./bus";
import { undefined_ } from "./fault";
import { RAX } from "./operand";

/** The number is in rAX, and so is the answer: 32 bits of it outside 64-bit mode. */
export function hypercall(): void {
  const wide = load<u8>(MODE) == 2;
  const number = wide ? load<u64>(RAX) : <u64>load<u32>(RAX);
  if (ask(number, load<u8>(CPL)) == 0) undefined_();
  store<u64>(RAX, wide ? load<u64>(CPUID_ANSWER) : <u64>load<u32>(CPUID_ANSWER));
}
