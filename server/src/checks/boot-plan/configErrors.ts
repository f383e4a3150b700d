/** Errors of the config that a plan names: its VMM does not start it, or its guest does not run. */
import type { NamedConfig } from '../../boot-plan/config';
import { isBootPlan } from '../../boot-plan/document';
import { BOOT_PLAN_PROBLEMS } from '../../boot-plan/problems';
import type { Document, LanguageKind } from '../../machine/language';
import type { Machine } from '../../machine/machine';
import type { Finding } from '../../text/finding';
import { containsPosition } from '../../text/position';
import { leftToTheRun } from './leftToTheRun';

const CODE = 'boot-plan-config';
const MOST_RELATED = 10;
/** Kinds whose texts hold machines that have nothing to do with each other; of any other an error refuses the whole. */
const APART: ReadonlySet<LanguageKind> = new Set(['bhyve-command', 'libkrun-c', 'memmap']);

/** One finding at the path for all of them. To another VMM, which the machine is laid out for, errors of the config's own mean nothing. */
export function configErrors(
  document: Document,
  findingsOf: (config: Document) => readonly Finding[],
): Finding[] {
  const config = isBootPlan(document) ? document.config : null;
  if (!isBootPlan(document) || !config?.document || !config.ownVmm) return [];
  const errors = findingsOf(config.document).filter(
    (finding) =>
      finding.severity === 'error' && !leftToTheRun(finding, document.plan) && !isOfAnother(finding, config),
  );
  const [first] = errors;
  if (!first) return [];
  const { value, at } = config.path;
  const count = errors.length === 1 ? 'an error' : `${errors.length} errors, the first one`;
  const line = first.at ? ` in line ${first.at.range.start.line + 1}` : '';
  return [
    {
      code: CODE,
      severity: BOOT_PLAN_PROBLEMS[CODE].severity,
      message: `${value} has ${count}${line}: ${first.message}`,
      at,
      related: errors
        .slice(0, MOST_RELATED)
        .flatMap((error) => (error.at ? [{ at: error.at, message: error.message }] : [])),
    },
  ];
}

function isOfAnother({ at }: Finding, { document, machine }: NamedConfig): boolean {
  if (!at || !machine || !document || !APART.has(document.language)) return false;
  const holds = (candidate: Machine) =>
    candidate.at?.uri === at.uri && containsPosition(candidate.at.range, at.range.start);
  return !holds(machine) && document.machines.some(holds);
}
