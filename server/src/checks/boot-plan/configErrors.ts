/** Errors of the config that a plan names: its VMM does not start it, or its guest does not run. */
import { isBootPlan } from '../../boot-plan/document';
import { BOOT_PLAN_PROBLEMS } from '../../boot-plan/problems';
import type { Document } from '../../machine/language';
import type { Finding } from '../../text/finding';
import { leftToTheRun } from './leftToTheRun';

const CODE = 'boot-plan-config';
const MOST_RELATED = 10;

/** One finding at the path for all of them. To another VMM, which the machine is laid out for, errors of the config's own mean nothing. */
export function configErrors(
  document: Document,
  findingsOf: (config: Document) => readonly Finding[],
): Finding[] {
  const config = isBootPlan(document) ? document.config : null;
  if (!isBootPlan(document) || !config?.document || !config.ownVmm) return [];
  const errors = findingsOf(config.document).filter(
    (finding) => finding.severity === 'error' && !leftToTheRun(finding, document.plan),
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
