/** Known issue libkrun-i8042-reset: port 0x64 ← 0xFE early in boot, exit status 0, an empty console. */
import type { RelatedPlace } from '../../../text/finding';
import type { CrashRule, RuleFinding } from '../../crashFacts';
import { libkrunI8042Reset } from '../../knownIssues';
import type { ResetFacts } from '../facts';
import { silentPlaces, writeText } from './guestReset';

/** How well the text fits: it or a config names libkrun, or only the shape is the same. Null for none of it. */
export function libkrunMatch(facts: ResetFacts): 'named' | 'shape' | null {
  const { request, around, candidates, withGuestCrash } = facts;
  if (request.write.port !== 0x64 || withGuestCrash) return null;
  if (around.vmm) return around.vmm.value === libkrunI8042Reset.vmm ? 'named' : null;
  if (candidates.some(({ machine }) => machine.vmm === libkrunI8042Reset.vmm)) return 'named';
  if (candidates.some(({ machine }) => machine.vmm !== null)) return null;
  return around.exitStatus?.value === 0 || silentPlaces(facts).length > 0 ? 'shape' : null;
}

/** The command lines that make an early panic silent; without one the libkrun machines themselves. */
function places(facts: ResetFacts): RelatedPlace[] {
  const silent = silentPlaces(facts).flatMap(({ at, owner, parameters }) =>
    at
      ? [
          {
            at,
            message: `${parameters.join(' ')}, ${owner}: under it an early panic ends in this very write`,
          },
        ]
      : [],
  );
  if (silent.length > 0) return silent;
  return facts.candidates.flatMap(({ machine: { vmm, name, nameAt } }) =>
    vmm === libkrunI8042Reset.vmm && nameAt
      ? [{ at: nameAt, message: `${name} runs on libkrun, which exits with 0 on this write` }]
      : [],
  );
}

export const libkrunI8042ResetMatch: CrashRule<ResetFacts> = {
  id: libkrunI8042Reset.id,
  code: libkrunI8042Reset.id,
  title: libkrunI8042Reset.title,
  confidence: 'likely',
  check(facts): readonly RuleFinding[] {
    const match = libkrunMatch(facts);
    if (match === null) return [];
    const { request, around } = facts;
    const related = places(facts);
    const vmm =
      match === 'named'
        ? 'libkrun ends its process with status 0 on that write and prints nothing, whatever the reason: a guest that ends as it should makes it, too, so that only the time and the empty console make it this issue'
        : 'The text does not name the VMM; under libkrun the process ends with status 0 on that write and prints nothing, whatever the reason';
    return [
      {
        message: `The write of ${writeText(facts)} has the signs of known issue ${libkrunI8042Reset.id}: the guest asked for the reset, and its reason is recorded nowhere. ${vmm}. The report’s own reading, "incompatible CPU under nested KVM", is an inference of its author; the hypotheses and the experiments that decide are below.`,
        severity: 'warning',
        evidence: 'inferred',
        cause: 'guest',
        ...(match === 'shape' ? { confidence: 'possible' as const } : {}),
        lines: [request.first, ...(around.exitStatus ? [around.exitStatus.line] : [])],
        at: related[0]?.at ?? null,
        related,
      },
    ];
  },
};
