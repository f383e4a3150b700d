/** R24: the guest asked for a reset. R24b: under this command line an early panic looks just like it. */
import { hex } from '../../../address/format';
import type { SourceRange } from '../../../text/position';
import { vmmLabel } from '../../../machine/machine';
import type { CrashRule, RuleFinding } from '../../crashFacts';
import { silentPanic } from '../commandLine';
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
  readonly parameters: readonly string[];
  /** Who wrote it: `the text`, `the config of NAME`, `the default of libkrun@…`. */
  readonly owner: string;
  /** Null where it stands in the dump. */
  readonly at: SourceRange | null;
  readonly cause: 'config' | 'vmm' | null;
}

export function silentPlaces(facts: ResetFacts): SilentPlace[] {
  const found: SilentPlace[] = [];
  for (const { machine } of facts.candidates) {
    const line = machine.commandLine;
    const silent = line ? silentPanic(line.value) : null;
    if (!line || !silent) continue;
    const { parameters } = silent;
    found.push(
      line.origin.kind === 'text'
        ? {
            parameters,
            owner: `the config of ${machine.name}`,
            at: { uri: line.origin.uri, range: line.origin.range },
            cause: 'config',
          }
        : {
            parameters,
            owner: `the default of ${vmmLabel(machine) ?? 'the VMM'} for ${machine.name}`,
            at: machine.nameAt,
            cause: 'vmm',
          },
    );
  }
  const { commandLine } = facts.around;
  const silent = commandLine ? silentPanic(commandLine.value) : null;
  if (silent) found.push({ parameters: silent.parameters, owner: 'the text', at: null, cause: null });
  return found;
}

export const silentCommandLine: CrashRule<ResetFacts> = {
  id: 'R24b',
  code: 'silent-panic-command-line',
  title: 'Under this command line an early panic leaves no words',
  confidence: 'possible',
  check(facts): readonly RuleFinding[] {
    if (facts.request.write.port !== 0x64) return [];
    return silentPlaces(facts).map(({ parameters, owner, at, cause }) => ({
      message: `The command line in ${owner} has ${parameters.join(' ')} and no earlyprintk or earlycon: a panic before the virtio console is up restarts at once through port 0x64 and is written nowhere. That explains the silence if it was a panic, and does not say that it was one.`,
      severity: 'information',
      evidence: 'inferred',
      cause,
      lines:
        facts.around.commandLine && at === null ? [facts.around.commandLine.line] : [facts.request.first],
      at,
    }));
  },
};
