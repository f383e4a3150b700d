/** Known issue propolis-rom-write: a write to the boot ROM, whatever the guest wanted there. */
import { hex } from '../../../address/format';
import { contains } from '../../../address/range';
import type { RelatedPlace } from '../../../text/finding';
import { ROM } from '../../../vmm/propolis/layout';
import type { CrashRule } from '../../crashFacts';
import { propolisRomWrite } from '../../knownIssues';
import type { ExitFacts } from '../facts';

const PROT_WRITE = 2;

export function isRomWrite({ exit: { kind } }: ExitFacts): boolean {
  return kind.name === 'Paging' && (kind.prot & PROT_WRITE) !== 0 && contains(ROM, kind.gpa);
}

/** The boot ROM of each config that the exit may be of. */
function bootroms({ candidates }: ExitFacts): RelatedPlace[] {
  return candidates.flatMap(({ machine }) =>
    machine.images.flatMap(({ role, path, origin }) =>
      role === 'firmware' && origin.kind === 'text'
        ? [
            {
              at: { uri: origin.uri, range: origin.range },
              message: `${path} is the boot ROM of ${machine.name}: with a variable store in it, EDK2 writes to it at every boot`,
            },
          ]
        : [],
    ),
  );
}

export const romWrite: CrashRule<ExitFacts> = {
  id: propolisRomWrite.id,
  code: propolisRomWrite.id,
  title: propolisRomWrite.title,
  confidence: 'certain',
  check(facts) {
    const { kind, first } = facts.exit;
    if (kind.name !== 'Paging' || !isRomWrite(facts)) return [];
    const related = bootroms(facts);
    return [
      {
        message: `The guest wrote to ${hex(kind.gpa)}, in the boot ROM's segment [${hex(ROM.start)}, ${hex(ROM.end)}), which Propolis maps for reading and execution alone; the paging exit that follows is one that it does not handle (known issue ${propolisRomWrite.id}). On a PC the write would have no effect. Why the guest wrote there is not recorded.`,
        severity: 'error',
        evidence: 'proven',
        cause: 'vmm',
        lines: [first],
        related,
      },
    ];
  },
};
