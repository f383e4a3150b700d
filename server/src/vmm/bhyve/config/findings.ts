/** What the readers of bhyve's configs and commands say themselves. */
import type { Finding } from '../../../text/finding';
import type { SourceText } from '../../../text/sourceText';
import { isTemplate } from './config';
import type { BadLine, Span } from './flatConfig';
import type { ConfigValue } from './guest';
import { BHYVE_PROBLEMS, type BhyveProblem } from './problems';
import { References, type ReferenceProblem } from './references';
import type { ConfigTree, KeyProblem } from './tree';

/** Values with references expanded; what is wrong with those. */
export function expandValues(
  source: SourceText,
  tree: ConfigTree,
): { values: Map<string, ConfigValue>; findings: Finding[] } {
  const values = new Map<string, ConfigValue>();
  const findings: Finding[] = [];
  const references = new References(tree.values);
  for (const [key, entry] of tree.values) {
    const { value, problems } = references.expand(entry.raw);
    values.set(key, { entry, value, open: problems.length > 0 || isTemplate(value) });
    // The VM's name usually stands at the end of the command line.
    const told = problems.filter((problem) => problem.why !== 'missing' || problem.key !== 'name');
    for (const problem of told.slice(0, 3)) {
      const made = finding(source, 'bhyve-config-reference', entry.valueSpan, referenceText(key, problem));
      // Where the file is a template, the command line has `-o key=value`.
      findings.push(problem.why === 'missing' ? { ...made, severity: 'information' } : made);
    }
  }
  return { values, findings };
}

export function finding(
  source: SourceText,
  code: BhyveProblem,
  { start, end }: Span,
  message: string,
): Finding {
  return { code, severity: BHYVE_PROBLEMS[code].severity, message, at: source.at(start, end) };
}

const ENDS = 'bhyve ends with status 4 before it makes a VM';

export function badLine({ why, text }: BadLine): string {
  if (why === 'no-value') {
    return `\`${cut(text)}\` has nothing behind the equals sign: there are no empty values, and ${ENDS}.`;
  }
  return text.trim() === ''
    ? `This line has blanks and nothing else: only a line without any character is skipped, and ${ENDS}.`
    : `\`${cut(text)}\` is no \`key=value\`: ${ENDS}. A comment begins with # in the first column.`;
}

export function keyFinding(source: SourceText, { entry, why, other }: KeyProblem): Finding {
  const key = cut(entry.key);
  const message = {
    empty: `\`${key}\` has an empty part between its dots: ${ENDS}.`,
    'below-value': `\`${key}\` is below \`${cut(other?.key ?? '')}\`, which is a value already: ${ENDS}.`,
    node: `\`${key}\` cannot be a value, since \`${cut(other?.key ?? '')}\` is below it: ${ENDS}.`,
  }[why];
  const made = finding(source, 'bhyve-config-key', entry.keySpan, message);
  if (!other) return made;
  const { start, end } = other.keySpan;
  return { ...made, related: [{ at: source.at(start, end), message: 'The other one is here.' }] };
}

function referenceText(key: string, problem: ReferenceProblem): string {
  const value = `the value of \`${cut(key)}\``;
  switch (problem.why) {
    case 'missing':
      return `\`%(${cut(problem.key)})\` in ${value} names a key that has no value in this file: unless the command line gives one with -o, bhyve puts nothing there.`;
    case 'empty':
      return `\`%()\` in ${value} names no key: bhyve puts nothing there.`;
    case 'invalid':
      return `A percent sign in ${value} begins no \`%(key)\`: bhyve warns and takes it as it is.`;
    case 'too-deep':
      return `References in ${value} go more than 15 levels deep, as where two name each other: bhyve leaves the rest unexpanded.`;
    case 'trailing-backslash':
      return `The backslash at the end of ${value} has nothing behind it: bhyve leaves it out.`;
    case 'too-long':
      return `References make ${value} longer than 64 KiB: the rest is not read here.`;
    case 'too-many':
      return `References of this config come to more than 4 MiB in all: ${value} and those behind it are taken as they are written.`;
  }
}

function cut(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
