/** Known issue vmd-direct-launch: the state in which vmd starts a kernel, and what it means. Nobody's guest crashed. */
import type { RelatedPlace } from '../../../text/finding';
import { vmdBehaviour } from '../../../vmm/vmd/exits';
import { linesOf, type CrashRule, type RuleFinding } from '../../crashFacts';
import { vmdDirectLaunch } from '../../knownIssues';
import type { RegisterFacts } from '../facts';
import { readVmdEntry, STATES_OF, type VmdEntry, type VmdEntryKind } from '../vmdEntry';

const WORDS: Readonly<Record<VmdEntryKind, string>> = {
  flat64:
    'the state in which vmd up to loadfile_elf.c rev 1.51 starts an amd64 kernel that it loads itself: compatibility mode (LMA 1, CS.L 0) on page tables at 0x11000. It is legal and boots. What follows from it: an exception, #VC under SEV-ES included, is delivered by 64-bit gates and frames although the code is 32-bit',
  flat32:
    'the state in which vmd up to loadfile_elf.c rev 1.51 starts an i386 kernel that it loads itself: paging on, a directory of 4 MiB pages at 0x12000, PAE off. It is legal, and i386 kernels boot from it; an amd64 kernel would not get far in it',
  proposed:
    'the state of the proposal of 2025-08-20 (committed in another form) for both amd64 and i386 kernels: 32-bit protected mode with paging off. Setting CR4.PAE is harmless here, and #VC comes by 32-bit gates',
  unpaged:
    'the state in which vmd since loadfile_elf.c rev 1.59 (or an earlier one) starts amd64 and i386 kernels that it loads itself: 32-bit protected mode with paging off. Setting CR4.PAE is harmless here, and #VC comes by 32-bit gates',
};

/** Where the config is read for a version that starts kernels in another state, and somebody named that version. */
function versionNote(facts: RegisterFacts, { kind }: VmdEntry): string {
  const others = facts.candidates.filter(
    ({ machine: { vmm, version }, versionAssumed }) =>
      vmm === vmdDirectLaunch.vmm &&
      version !== null &&
      !versionAssumed &&
      !STATES_OF[vmdBehaviour(version).elfEntry].includes(kind),
  );
  const ids = [...new Set(others.map(({ machine }) => `vmd@${machine.version}`))];
  return ids.length === 0
    ? ''
    : ` The config is read for ${ids.join(', ')}, which starts kernels in another state: the set is of another version, or of a later moment.`;
}

/** The `boot` line of the VMs whose kernel vmd loads itself; without one the VM's own line. */
function launchPlaces(facts: RegisterFacts): RelatedPlace[] {
  const machines = facts.candidates.flatMap(({ machine }) => (machine.vmm === 'vmd' ? [machine] : []));
  const direct = machines.flatMap(({ name, images }) =>
    images.flatMap(({ role, path, origin }) =>
      role === 'kernel' && origin.kind === 'text'
        ? [
            {
              at: { uri: origin.uri, range: origin.range },
              message: `has vmd load ${path} itself and start ${name} in this state; the state is vmd’s and no value of the config`,
            },
          ]
        : [],
    ),
  );
  if (direct.length > 0) return direct;
  return machines.flatMap(({ name, nameAt }) =>
    nameAt
      ? [
          {
            at: nameAt,
            message: `${name} names no kernel: vmd starts a firmware for it, in another state than this one, unless vmctl start -b names a kernel`,
          },
        ]
      : [],
  );
}

function comparison({ matching }: VmdEntry): string {
  return matching.map((name) => name.toUpperCase()).join(', ');
}

export const vmdDirectLaunchMatch: CrashRule<RegisterFacts> = {
  id: vmdDirectLaunch.id,
  code: vmdDirectLaunch.id,
  title: vmdDirectLaunch.title,
  confidence: 'likely',
  check(facts): readonly RuleFinding[] {
    const entry = readVmdEntry(facts);
    if (!entry) return [];
    const places = launchPlaces(facts);
    return [
      {
        message: `${comparison(entry)} are those of known issue ${vmdDirectLaunch.id}: ${WORDS[entry.kind]}. It is a register set and no crash.${versionNote(facts, entry)}`,
        severity: 'information',
        // The values are vmd's own, read in its source; that this set was taken under vmd is a reading.
        evidence: 'inferred',
        cause: 'vmm',
        lines: linesOf(facts, 'cr0', 'efer', 'cr3', 'cr4', 'cs'),
        at: places[0]?.at ?? null,
        related: places,
      },
    ];
  },
};
