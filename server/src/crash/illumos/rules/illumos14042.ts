/** Known issue illumos-14042: second-level page tables took the end of a range as inclusive. */
import { formatRange, hex } from '../../../address/format';
import type { RelatedPlace } from '../../../text/finding';
import { illumos14042 } from '../../knownIssues';
import type { CrashRule, RuleFinding } from '../../crashFacts';
import type { PanicFacts } from '../facts';
import { describeSeam, lineOf, seamsOf, type Seam } from '../seams';
import { readVacation, type Vacation } from '../vacated';

/** The seams of all candidate machines. */
export function seamsIn(facts: PanicFacts): Seam[] {
  return facts.candidates.flatMap(({ machine }) => seamsOf(machine).slice(0, 1));
}

export function seamPlaces({ machine, below, above }: Seam): RelatedPlace[] {
  const lower = lineOf(machine, below);
  const upper = lineOf(machine, above);
  return [
    ...(lower
      ? [
          {
            at: lower,
            message: `gives ${machine.name} ${below.name} ${formatRange(below.range)}: its end taken as its last page is one page too far`,
          },
        ]
      : []),
    ...(upper
      ? [
          {
            at: upper,
            message: `gives ${machine.name} ${above.name} ${formatRange(above.range)}: its first page, at ${hex(above.range.start)}, is the one that goes with it`,
          },
        ]
      : []),
  ];
}

function mapNote(facts: PanicFacts, seams: readonly Seam[]): string {
  const [seam] = seams;
  if (seam) {
    return ` In ${seam.machine.name} ${describeSeam(seam)}, at ${hex(seam.above.range.start)}: the dump does not print the guest address, so that this is the place is inferred.`;
  }
  if (facts.candidates.length > 0)
    return ' No map that was given has RAM that begins where another segment ends, so the place is open.';
  return ' Give the guest’s memory map (bhyvectl --get-memmap) or its config to see where the ranges meet.';
}

function versionNote(facts: PanicFacts): string {
  const known = facts.candidates.filter(
    ({ machine, versionAssumed }) => machine.vmm === illumos14042.vmm && !versionAssumed,
  );
  const fixed = known.filter(({ machine }) => !illumos14042.affected.includes(machine.version ?? ''));
  if (known.length === 0 || fixed.length < known.length) return '';
  const ids = [...new Set(fixed.map(({ machine }) => `${machine.vmm}@${machine.version}`))].join(', ');
  return ` The config is read for ${ids}, which has no such bug: the panic comes from another version, or from another bug.`;
}

/** Which VMM's order of mapping leads here: see the statement on restarts and destruction. */
function orderNote(facts: PanicFacts, { destroys }: Vacation): string {
  if (!destroys || !facts.candidates.some(({ machine }) => machine.vmm === illumos14042.vmm)) return '';
  return ' By the order in which memory is mapped, a destruction arrives here under Propolis (boot ROM before high RAM); under bhyve(8) it is a restart of the guest that does.';
}

function operationNote({ operation, frame }: Vacation): string {
  const during = operation === null ? '' : ` during ${operation}`;
  return frame === null ? 'The stack is not in the text.' : `The kernel was in ${frame.symbol}${during}.`;
}

export const illumos14042Match: CrashRule<PanicFacts> = {
  id: illumos14042.id,
  code: illumos14042.id,
  title: illumos14042.title,
  confidence: 'likely',
  check(facts): readonly RuleFinding[] {
    const vacation = readVacation(facts);
    if (!vacation) return [];
    const seams = seamsIn(facts);
    const { messageLine } = facts.panic;
    const places = seams.flatMap(seamPlaces);
    return [
      {
        message: `The host panic has the signs of known issue ${illumos14042.id}: bhyve’s second-level page-table code took the end of a range as inclusive, so that removing one region also took the first page of the next, whose other entries were still live. ${operationNote(vacation)}${mapNote(facts, seams)}${orderNote(facts, vacation)}${versionNote(facts)} The cause is the version of the kernel’s vmm module, not the config.`,
        severity: 'error',
        evidence: 'inferred',
        cause: 'vmm',
        ...(vacation.frame === null ? { confidence: 'possible' as const } : {}),
        lines: vacation.frame ? [messageLine, vacation.frame.line] : [messageLine],
        at: places[0]?.at ?? null,
        related: places,
      },
    ];
  },
};
