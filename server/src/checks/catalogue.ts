/** The table of all codes, and the run that turns a document into findings. */
import type { Document } from '../machine/language';
import type { Finding, Severity } from '../text/finding';
import { suppressionsIn, type Suppressions } from '../text/suppression';
import { applies, type Check } from './check';
import { BOOT_PLAN_CHECKS } from './boot-plan/rows';
import { BHYVE_CHECKS } from './bhyve/rows';
import { BOXLITE_CHECKS } from './boxlite/rows';
import { CLOUD_HYPERVISOR_CHECKS } from './cloudHypervisor/rows';
import { BOOT_STATE_CHECKS } from './bootState/rows';
import { COMMAND_LINE_CHECKS } from './commandLine/rows';
import { CONFIG_CHECKS } from './config/rows';
import { FIRECRACKER_CHECKS } from './firecracker/rows';
import { HOST_CHECKS } from './host/imageMissing';
import { KNOWN_ISSUE_CHECKS } from './knownIssues/rows';
import { LAYOUT_CHECKS } from './layout/rows';
import { PROPOLIS_CHECKS } from './propolis/rows';
import { LIBKRUN_CHECKS } from './libkrun/rows';
import { QEMU_CHECKS } from './qemu/rows';
import { VM_BHYVE_CHECKS } from './vmBhyve/rows';
import { VMCONF_CHECKS } from './vmconf/rows';

/** One row a code. Rules live one a file: `vmconf/` for vm.conf, `layout/` for machines and memory maps, `knownIssues/`. */
export const CHECKS: readonly Check[] = [
  ...VMCONF_CHECKS,
  ...CONFIG_CHECKS,
  ...BHYVE_CHECKS,
  ...VM_BHYVE_CHECKS,
  ...CLOUD_HYPERVISOR_CHECKS,
  ...FIRECRACKER_CHECKS,
  ...PROPOLIS_CHECKS,
  ...QEMU_CHECKS,
  ...BOOT_PLAN_CHECKS,
  ...LAYOUT_CHECKS,
  ...BOOT_STATE_CHECKS,
  ...COMMAND_LINE_CHECKS,
  ...LIBKRUN_CHECKS,
  ...BOXLITE_CHECKS,
  ...KNOWN_ISSUE_CHECKS,
  ...HOST_CHECKS,
];

export interface CheckSettings {
  /** A severity, or `off`, by code. */
  readonly severities?: Readonly<Record<string, Severity | 'off'>>;
}

const LONGEST_MESSAGE = 1000;

/** Nobody reads more findings of one code; a generated or mangled file may have any number. */
const MOST_OF_A_CODE = 500;

/**
 * All findings of a document: the parser's and every rule's, with the settings and the suppression comments applied,
 * in the order of the text (the document's own file first).
 */
export function runChecks(document: Document, settings: CheckSettings = {}): Finding[] {
  const found = upToMost(document.problems);
  // Whose machines are those of another text has them checked there.
  const looked = document.subject ? { ...document, machines: [] } : document;
  for (const check of CHECKS) {
    if (!check.run || settings.severities?.[check.code] === 'off' || !applies(check, looked)) continue;
    let count = 0;
    for (const finding of check.run(looked)) {
      if (++count > MOST_OF_A_CODE) break;
      found.push({ ...finding, code: check.code, severity: finding.severity ?? check.severity });
    }
  }
  const suppressions = new Map<string, Suppressions>();
  for (const source of [document.source, ...(document.included ?? [])]) {
    suppressions.set(source.uri, suppressionsIn(source.text));
  }
  return found
    .filter(
      (finding) =>
        !finding.at || !suppressions.get(finding.at.uri)?.covers(finding.at.range.start.line, finding.code),
    )
    .flatMap((finding) => weigh(clipped(finding), settings))
    .sort((a, b) => compareFindings(a, b, document.source.uri));
}

function upToMost(problems: readonly Finding[]): Finding[] {
  const counts = new Map<string, number>();
  return problems.filter(({ code }) => {
    const count = (counts.get(code) ?? 0) + 1;
    counts.set(code, count);
    return count <= MOST_OF_A_CODE;
  });
}

/** A name in a message may be as long as the file. */
function clipped(finding: Finding): Finding {
  const { message } = finding;
  return message.length > LONGEST_MESSAGE
    ? { ...finding, message: `${message.slice(0, LONGEST_MESSAGE)}…` }
    : finding;
}

function weigh(finding: Finding, settings: CheckSettings): Finding[] {
  const wanted = settings.severities?.[finding.code];
  if (wanted === 'off') return [];
  return [wanted ? { ...finding, severity: wanted } : finding];
}

function compareFindings(a: Finding, b: Finding, own: string): number {
  if (!a.at || !b.at) return Number(!a.at) - Number(!b.at);
  if (a.at.uri !== b.at.uri) {
    if (a.at.uri === own || b.at.uri === own) return a.at.uri === own ? -1 : 1;
    return a.at.uri < b.at.uri ? -1 : 1;
  }
  const [from, to] = [a.at.range.start, b.at.range.start];
  return (
    from.line - to.line || from.character - to.character || (a.code < b.code ? -1 : a.code > b.code ? 1 : 0)
  );
}
