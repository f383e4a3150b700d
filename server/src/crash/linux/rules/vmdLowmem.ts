/** A crash that shows all signs of a known issue; what the issue leaves open stays open. */
import { formatRange, hex } from '../../../address/format';
import { regionAt } from '../../../machine/machine';
import type { Hypothesis } from '../../../machine/knownIssue';
import type { RelatedPlace } from '../../../text/finding';
import { vmdLowmem } from '../../../vmm/vmd/knownIssues/vmdLowmem';
import { bit } from '../../../x86/bitField';
import { linesOf, register, type CrashRule } from '../../crashFacts';
import type { OopsFacts } from '../facts';
import { conflictingMachines, failureInWindow, isAffected, isUnderVmd } from './ebdaWindow';
import { exceptionFrameUnpushable } from './exceptionFrame';

/** All of it: vmd, the BIOS reboot path, its first instruction pending, a frame that could not be pushed, the window. */
function matchesVmdLowmem(facts: OopsFacts): boolean {
  const blob = facts.reboot?.blob;
  return (
    isUnderVmd(facts) &&
    facts.oops.kind === 'double-fault' &&
    blob !== null &&
    blob !== undefined &&
    blob.entryPending &&
    blob.restartType === 'BIOS' &&
    exceptionFrameUnpushable.check(facts).length > 0
  );
}

/** What the configs say about the version, and the link that only an affected one gets. */
function versionNote(facts: OopsFacts): {
  readonly text: string;
  readonly related: readonly RelatedPlace[];
} {
  const failure = failureInWindow(facts);
  const affected = conflictingMachines(facts);
  if (failure && affected.length > 0) {
    const related: RelatedPlace[] = [];
    for (const { machine } of affected) {
      const region = regionAt(machine, failure.address)!;
      if (!region.at) continue;
      related.push({
        at: region.at,
        message: `produces ${region.name} ${formatRange(region.range)} of ${machine.name} on vmd@${machine.version}; ending it at 0x90000 is the reported remedy, not an established cause`,
      });
    }
    const ids = [...new Set(affected.map(({ machine }) => `vmd@${machine.version}`))].join(', ');
    return { text: `${ids} is an affected version: it calls ${hex(failure.address)} RAM.`, related };
  }
  const known = facts.candidates.filter((candidate) => isAffected(candidate) !== null);
  if (known.length > 0 && known.every((candidate) => isAffected(candidate) === false)) {
    const ids = [...new Set(known.map(({ machine }) => `vmd@${machine.version}`))].join(', ');
    return {
      text: `The config is for ${ids}, which is not affected: low RAM ends at 576 KiB there.`,
      related: [],
    };
  }
  const unnamed = facts.candidates.some(({ versionAssumed }) => versionAssumed);
  return {
    text: `The version of vmd is not known${unnamed ? ' (the config names none)' : ''}; affected are ${vmdLowmem.affected.map((id) => `vmd@${id}`).join(', ')}.`,
    related: [],
  };
}

export const vmdLowmemMatch: CrashRule<OopsFacts> = {
  id: vmdLowmem.id,
  code: vmdLowmem.id,
  title: vmdLowmem.title,
  confidence: 'likely',
  check(facts) {
    if (!matchesVmdLowmem(facts)) return [];
    const { text, related } = versionNote(facts);
    return [
      {
        message: `The crash has every sign of known issue ${vmdLowmem.id} (${vmdLowmem.title}). Its first fault is recorded nowhere, so the cause is open: the hypotheses and the experiments that decide are below. ${text}`,
        severity: 'warning',
        evidence: 'inferred',
        cause: null,
        lines: linesOf(facts, 'rip'),
        related,
      },
    ];
  },
};

const CR4_CET = 23;

/** The issue's hypotheses, with what this dump says for or against each. */
export function hypothesesOf(facts: OopsFacts): Hypothesis[] {
  if (!matchesVmdLowmem(facts)) return [];
  const [endbranch, overwritten] = vmdLowmem.hypotheses;
  if (!endbranch || !overwritten) return [];
  const cr4 = register(facts, 'cr4');
  const cet = cr4 === undefined ? null : bit(cr4, CR4_CET);
  const general = endbranch.for.slice(1);
  const first: Hypothesis = {
    ...endbranch,
    for: cet
      ? [`CR4 ${hex(cr4!)} has CET (bit 23) on in this dump, and Linux sets it for kernel IBT.`, ...general]
      : general,
    against: [
      ...(cet === false ? [`CR4 ${hex(cr4!)} has CET off in this dump: without it there is no #CP.`] : []),
      ...endbranch.against,
    ],
  };
  return cet === false ? [overwritten, first] : [first, overwritten];
}
