/** R24: the guest asked for a reset. R24b: under this command line an early panic looks just like it. */
import { hex } from '../../../address/format';
import type { SourceRange } from '../../../text/position';
import { hidesEarlyPanic } from '../../../checks/commandLine/earlyPanic';
import { vmmLabel, type Machine } from '../../../machine/machine';
import { libkrunCommandLine } from '../../../vmm/libkrun/commandLine';
import { libkrunGuest } from '../../../vmm/libkrun/guestFacts';
import { libkrunVersion } from '../../../vmm/libkrun/versions';
import type { CrashRule, RuleFinding } from '../../crashFacts';
import { libkrunI8042Reset } from '../../knownIssues';
import type { ResetFacts } from '../facts';

export function writeText({ request: { write } }: ResetFacts): string {
  return `${hex(write.value)} to port ${hex(write.port)}`;
}

export const guestReset: CrashRule<ResetFacts> = {
  id: 'R24',
  code: 'guest-requested-reset',
  title: 'The guest asked for a reset',
  confidence: 'certain',
  check(facts) {
    const { request, around, withGuestCrash } = facts;
    const { exitStatus } = around;
    const often = request.count > 1 ? ` The text has it ${request.count} times.` : '';
    const status = exitStatus
      ? ` The exit status ${exitStatus.value} is the VMM’s and says nothing about the guest: a reset, a shutdown and, in some VMMs, a triple fault end alike.`
      : '';
    const reason = withGuestCrash
      ? 'The text also has a crash of a Linux guest: read that first, the reset probably follows from it.'
      : 'Why it did so is not recorded: a panic, a reboot command and whatever else ends in a reset write the same.';
    return [
      {
        message: `The guest wrote ${writeText(facts)}, ${request.reset.how}: it asked for a reset and did not power off.${often} ${reason}${status}`,
        // The reset ends the run, but it is not the first cause: the guest had a reason for it.
        severity: 'warning',
        evidence: 'proven',
        cause: 'guest',
        lines: [request.first, ...(exitStatus ? [exitStatus.line] : [])],
      },
    ];
  },
};

/** A command line that makes an early panic silent, and where it comes from. */
export interface SilentPlace {
  /** The parameters that make it so, as written. */
  readonly parameters: readonly string[];
  /** Who wrote it: `the text`, `the config of NAME`, `libkrun for NAME`. */
  readonly owner: string;
  /** Null where it stands in the dump. */
  readonly at: SourceRange | null;
  readonly cause: 'config' | 'vmm' | null;
}

export function silentPlaces(facts: ResetFacts): SilentPlace[] {
  const found: SilentPlace[] = [];
  for (const { machine } of facts.candidates) {
    const parameters = silentParameters(effectiveCommandLine(machine));
    if (!parameters) continue;
    const origin = machine.commandLine?.origin;
    if (origin?.kind === 'text') {
      const at = { uri: origin.uri, range: origin.range };
      found.push({ parameters, owner: `the config of ${machine.name}`, at, cause: 'config' });
    } else {
      const owner = `${vmmLabel(machine) ?? 'the VMM'} for ${machine.name}`;
      found.push({ parameters, owner, at: machine.nameAt ?? machine.at, cause: 'vmm' });
    }
  }
  const parameters = silentParameters(facts.around.commandLine?.value ?? null);
  if (parameters) found.push({ parameters, owner: 'the text', at: null, cause: null });
  return found;
}

/** What the kernel gets: where the config gives none, libkrun's own. Null where nobody knows. */
function effectiveCommandLine(machine: Machine): string | null {
  const given = machine.commandLine?.value ?? null;
  if (machine.vmm !== libkrunI8042Reset.vmm) return given;
  const guest = libkrunGuest(machine);
  if (guest.payload === 'firmware' || guest.computedCommandLine) return null;
  return libkrunCommandLine(given, guest, libkrunVersion(machine.version ?? '').facts);
}

/** The parameters that decide, where an early panic is silent under them. */
function silentParameters(commandLine: string | null): readonly string[] | null {
  if (commandLine === null || !hidesEarlyPanic(commandLine)) return null;
  return commandLine.split(/\s+/).filter((word) => /^(?:reboot|panic|console)=/.test(word));
}

export const silentCommandLine: CrashRule<ResetFacts> = {
  id: 'R24b',
  code: 'silent-panic-command-line',
  title: 'Under this command line an early panic leaves no words',
  confidence: 'possible',
  check(facts): readonly RuleFinding[] {
    if (facts.request.write.port !== 0x64) return [];
    return silentPlaces(facts).map(({ parameters, owner, at, cause }) => ({
      message: `The command line of ${owner} has ${parameters.join(' ')} and no earlyprintk or earlycon: a panic before the virtio console is up restarts at once through port 0x64 and is written nowhere. That explains the silence if it was a panic, and does not say that it was one.`,
      severity: 'information',
      evidence: 'inferred',
      cause,
      lines:
        facts.around.commandLine && at === null ? [facts.around.commandLine.line] : [facts.request.first],
      at,
    }));
  },
};
