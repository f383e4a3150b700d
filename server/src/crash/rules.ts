/** The rules that explain a crash, in the order in which their findings are shown. */
import { toFinding, type CrashFacts, type CrashRule } from './crashFacts';
import type { CrashFinding } from './report';
import { doubleFaultFirstEvent } from './rules/doubleFaultFirstEvent';
import { ebdaWindow } from './rules/ebdaWindow';
import { exceptionFrameUnpushable, faultBelowStack, pushFaulted } from './rules/exceptionFrame';
import { fetchInVgaWindow } from './rules/fetchInVgaWindow';
import { severalOopses, taintedKernel, vmmIdentified, vmmOwnedBits } from './rules/identity';
import { knownIssueMatch } from './rules/knownIssueMatch';
import {
  biosRebootPath,
  opcodeBytesRefused,
  panicReason,
  rebootCall,
  reportedException,
  restartEntryPending,
  stackBeyondTrampoline,
} from './rules/linuxKernel';
import { missingEndbranch } from './rules/missingEndbranch';
import { nullPointer } from './rules/nullPointer';
import { unfitRegion } from './rules/unfitRegion';

export const CRASH_RULES: readonly CrashRule[] = [
  knownIssueMatch,
  exceptionFrameUnpushable,
  pushFaulted,
  faultBelowStack,
  nullPointer,
  fetchInVgaWindow,
  unfitRegion,
  reportedException,
  doubleFaultFirstEvent,
  rebootCall,
  biosRebootPath,
  restartEntryPending,
  stackBeyondTrampoline,
  missingEndbranch,
  ebdaWindow,
  opcodeBytesRefused,
  panicReason,
  severalOopses,
  taintedKernel,
  vmmIdentified,
  vmmOwnedBits,
];

/** The page that explains a rule's findings, from the root of the repository. */
export function documentationOf(rule: CrashRule): string {
  return rule === knownIssueMatch ? `docs/known-issues/${rule.code}.md` : `docs/crashes/${rule.code}.md`;
}

/** What the rules find. Findings of low confidence only where they are asked for. */
export function applyRules(facts: CrashFacts, includeLow: boolean): CrashFinding[] {
  return CRASH_RULES.flatMap((rule) =>
    rule.check(facts).map((found) => toFinding(facts, rule, found)),
  ).filter((finding) => includeLow || finding.confidence !== 'low');
}
