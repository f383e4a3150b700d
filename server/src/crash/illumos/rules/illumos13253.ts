/** Known issue illumos-13253: an IPI that the in-kernel local APIC does not send panics the host. */
import { hex } from '../../../address/format';
import type { RelatedPlace } from '../../../text/finding';
import { illumos13253 } from '../../knownIssues';
import { decodeIcr, explainIcr, SHORTHANDS } from '../../../x86/icr';
import type { CrashRule, RuleFinding } from '../../crashFacts';
import { frameNamed, type PanicFacts } from '../facts';

const MESSAGE = /^bad pending MMIO state\b/;
const EMULATION = /^(?:vm_handle_mmio_emul|vie_exitinfo|vie_emulate_mmio)$/;
const INIT = 5;

function isBadPendingMmio({ panic }: PanicFacts): boolean {
  return MESSAGE.test(panic.message);
}

/** INIT by a shorthand: what the local APIC of the affected versions refuses unless the destination names a vCPU. */
function isInitBroadcast(icr: bigint): boolean {
  const { mode, shorthand } = decodeIcr(icr);
  return mode === INIT && shorthand !== 0;
}

/** Why another command than the report's may end alike, or that it is open. */
function otherCommand(icr: bigint): string {
  return decodeIcr(icr).mode === INIT
    ? 'INIT without a shorthand is refused alike only where the destination, in the other half of the register, names no single vCPU: that half is not in the text'
    : 'it is not the INIT with a shorthand of the report: what was refused is open';
}

function icrNote({ panic }: PanicFacts): string {
  if (!panic.icr) {
    return ' Which write it was is not in the text; in the report it was 0xc4500, INIT to all but self.';
  }
  const { value } = panic.icr;
  const words = explainIcr(value).summary;
  return isInitBroadcast(value)
    ? ` The text names the write: ICR ${hex(value)} is ${words}, which the in-kernel local APIC of the affected versions does not send.`
    : ` The text names ICR ${hex(value)} (${words}): ${otherCommand(value)}.`;
}

/** The lines that give the guest more than one vCPU: it broadcasts INIT to start them. */
function vcpuPlaces(facts: PanicFacts): RelatedPlace[] {
  return facts.candidates.flatMap(({ machine: { name, vcpus, vmm } }) => {
    if (vmm === null || vcpus.origin.kind !== 'text') return [];
    const { uri, range } = vcpus.origin;
    const message =
      vcpus.value > 1
        ? `gives ${name} ${vcpus.value} vCPUs: a guest that starts the other ${vcpus.value - 1} by a broadcast makes this write; it is no fault of the config`
        : `gives ${name} one vCPU: a guest that broadcasts INIT nevertheless makes this write`;
    return [{ at: { uri, range }, message }];
  });
}

export const illumos13253Match: CrashRule<PanicFacts> = {
  id: illumos13253.id,
  code: illumos13253.id,
  title: illumos13253.title,
  confidence: 'likely',
  check(facts): readonly RuleFinding[] {
    if (!isBadPendingMmio(facts)) return [];
    const { panic } = facts;
    const frame = frameNamed(facts, EMULATION);
    // Another stack that ends in the same words is another path.
    if (panic.frames.length > 0 && !frame) return [];
    const broadcast = panic.icr === null || isInitBroadcast(panic.icr.value);
    const places = vcpuPlaces(facts);
    const lines = [panic.messageLine, ...(frame ? [frame.line] : []), ...(panic.icr ? [panic.icr.line] : [])];
    return [
      {
        message: `The host panic has the signs of known issue ${illumos13253.id}: the emulation of a guest’s MMIO instruction went back to user space with no MMIO request pending, and the kernel stops itself on that.${icrNote(facts)} The cause is the version of the kernel’s vmm module; the guest’s write is a legal one.`,
        severity: 'error',
        evidence: 'inferred',
        cause: 'vmm',
        ...(broadcast ? {} : { confidence: 'possible' as const }),
        lines,
        at: places[0]?.at ?? null,
        related: places,
      },
    ];
  },
};

/** R27: what an interrupt command is, and what is odd about it. */
export const icrDecoded: CrashRule<PanicFacts> = {
  id: 'R27',
  code: 'interrupt-command-decoded',
  title: 'What the interrupt command register was written with',
  confidence: 'certain',
  check({ panic: { icr } }) {
    if (!icr) return [];
    const { summary, problems } = explainIcr(icr.value);
    const { shorthand } = decodeIcr(icr.value);
    const target =
      shorthand === 0 ? '' : ` The shorthand "${SHORTHANDS[shorthand]}" takes the place of a destination.`;
    return [
      {
        message: `ICR ${hex(icr.value)}: ${summary}.${target}${problems.length > 0 ? ` ${problems.join(' ')}` : ''}`,
        severity: 'information',
        evidence: 'proven',
        cause: null,
        lines: [icr.line],
      },
    ];
  },
};
