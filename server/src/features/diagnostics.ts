/** Findings as diagnostics of one file, each with a link to its page and the places that are related to it. */
import type { Diagnostic } from 'vscode-languageserver-types';
import { CHECKS } from '../checks/catalogue';
import { CRASH_RULES, documentationOf } from '../crash/rules';
import type { Document } from '../machine/language';
import type { Finding } from '../text/finding';
import type { TextRange } from '../text/position';
import { VMM_MODELS } from '../vmm/models';
import { resolvePath } from './documentLinks';
import type { WireFinding } from './wireFinding';
import { SEVERITY, TAG } from './protocolNumbers';

export const DIAGNOSTIC_SOURCE = 'bootpath';

const REPOSITORY = 'https://github.com/bootpath/bootpath/blob/main/';
const START: TextRange = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };

/** Pages of the crash rules' codes, from the root of the repository. */
const CRASH_PAGES = new Map(CRASH_RULES.map((rule) => [rule.code, documentationOf(rule)]));

/** Known issues of which no check has the code: a boot alone finds them. */
const ISSUES_OF_BOOTS = new Set(
  VMM_MODELS.flatMap(({ knownIssues }) => knownIssues.map(({ id }) => id)).filter(
    (id) => !CHECKS.some(({ code }) => code === id),
  ),
);

/** The page that explains the code of a check or of a boot finding. */
export function pageOf(code: string): string {
  const folder = ISSUES_OF_BOOTS.has(code) ? 'known-issues' : 'checks';
  return `${REPOSITORY}docs/${folder}/${encodeURIComponent(code)}.md`;
}

/** The page that explains the code of a crash finding. */
export function crashPageOf(code: string): string {
  return REPOSITORY + (CRASH_PAGES.get(code) ?? 'docs/crashes/');
}

/** A finding of a boot or of a crash as the client takes it, for collections of its own. */
export function wireFinding({ code, severity, message, at }: Finding, page = pageOf(code)): WireFinding {
  return { code, severity, message, page, uri: at?.uri ?? null, range: at?.range ?? null };
}

function toDiagnostic(finding: Finding, range: TextRange): Diagnostic {
  return {
    range,
    severity: SEVERITY[finding.severity],
    code: finding.code,
    codeDescription: { href: pageOf(finding.code) },
    source: DIAGNOSTIC_SOURCE,
    message: finding.message,
    ...(finding.tags && finding.tags.length > 0 ? { tags: finding.tags.map((tag) => TAG[tag]) } : {}),
    ...(finding.related && finding.related.length > 0
      ? {
          relatedInformation: finding.related.map((place) => ({
            location: { uri: place.at.uri, range: place.at.range },
            message: place.message,
          })),
        }
      : {}),
  };
}

/**
 * The diagnostics of the document's own text. A finding in an included file is shown at the include, with a link to
 * the place, since pull diagnostics have no other place for it while that file is closed.
 */
export function diagnosticsOf(document: Document, findings: readonly Finding[]): Diagnostic[] {
  const own = document.source.uri;
  return findings.map((finding) => {
    if (!finding.at) return toDiagnostic(finding, START);
    if (finding.at.uri === own) return toDiagnostic(finding, finding.at.range);
    const place = { at: finding.at, message: finding.message };
    return toDiagnostic(
      { ...finding, related: [place, ...(finding.related ?? [])] },
      includeOf(document, finding.at.uri) ?? START,
    );
  });
}

/** The diagnostics that a document which includes `uri` has for that file. */
export function diagnosticsIn(uri: string, findings: readonly Finding[]): Diagnostic[] {
  return findings.flatMap((finding) =>
    finding.at?.uri === uri ? [toDiagnostic(finding, finding.at.range)] : [],
  );
}

/** The include that leads to a file; for one that another include brings in, the first include. */
function includeOf(document: Document, uri: string): TextRange | null {
  const includes = document.outline.filter((node) => node.kind === 'include');
  const direct = document.links.find((link) => resolvePath(link.path, document.source.uri) === uri);
  return direct?.range ?? includes[0]?.nameRange ?? null;
}
