/** Findings as `check` prints them: text, JSON and SARIF 2.1.0. */
import type { Finding, Severity } from '../text/finding';
import type { LanguageKind } from '../machine/language';
import { placeJson, placeText, type PathOf, type PlaceJson } from './place';

export interface FindingJson extends PlaceJson {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
}

/** One input of `check` with what was found in it. */
export interface CheckedFile {
  readonly file: string;
  /** Null where no language recognised the text. */
  readonly language: LanguageKind | null;
  /** `vmd@7.8`, or null. */
  readonly vmm: string | null;
  readonly findings: readonly Finding[];
}

export function findingJson(finding: Finding, pathOf: PathOf): FindingJson {
  const { code, severity, message } = finding;
  return { code, severity, message, ...placeJson(finding.at, pathOf) };
}

export function checkJson(files: readonly CheckedFile[], pathOf: PathOf): object {
  return {
    files: files.map(({ file, language, vmm, findings }) => ({
      file,
      language,
      vmm,
      findings: findings.map((finding) => findingJson(finding, pathOf)),
    })),
  };
}

/** `path:line:column: severity: message [code]`, the shape that problem matchers know, with related places below. */
export function findingText(finding: Finding, pathOf: PathOf): string[] {
  const place = finding.at ? `${placeText(finding.at, pathOf)}: ` : '';
  const lines = [`${place}${finding.severity}: ${finding.message} [${finding.code}]`];
  for (const related of finding.related ?? []) {
    lines.push(`    ${placeText(related.at, pathOf)}: ${related.message}`);
  }
  return lines;
}

export function checkText(files: readonly CheckedFile[], pathOf: PathOf): string {
  const lines: string[] = [];
  for (const { file, vmm, language, findings } of files) {
    lines.push(
      `${file}: ${language ?? 'not recognised'}${vmm ? `, read as ${vmm}` : ''}, ${countOf(findings)}`,
    );
    for (const finding of findings) lines.push(...findingText(finding, pathOf).map((line) => '  ' + line));
  }
  return lines.join('\n') + '\n';
}

const PLURAL: Readonly<Record<Severity, readonly [string, string]>> = {
  error: ['error', 'errors'],
  warning: ['warning', 'warnings'],
  information: ['note', 'notes'],
  hint: ['hint', 'hints'],
};

/** `1 error, 2 notes`, or `nothing found`. */
export function countOf(findings: readonly Finding[]): string {
  const parts = (Object.keys(PLURAL) as Severity[]).flatMap((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length;
    return count ? [`${count} ${PLURAL[severity][count === 1 ? 0 : 1]}`] : [];
  });
  return parts.join(', ') || 'nothing found';
}

const SARIF_LEVEL = { error: 'error', warning: 'warning', information: 'note', hint: 'note' } as const;

/** A relative reference where the path is shown as relative, else the whole URI: a bare absolute path is neither. */
function artifactUri(uri: string, pathOf: PathOf): string {
  const path = pathOf(uri).replaceAll('\\', '/');
  return /^(?:\/|[A-Za-z]:)/.test(path) ? uri : encodeURI(path).replace(/[?#]/g, encodeURIComponent);
}

/** SARIF 2.1.0 (OASIS), for code-scanning services. */
export function checkSarif(
  files: readonly CheckedFile[],
  pathOf: PathOf,
  version: string,
  helpOf: (code: string) => string,
): object {
  const findings = files.flatMap((file) => file.findings);
  const rules = [...new Set(findings.map((finding) => finding.code))].sort();
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: { name: 'bootpath', version, rules: rules.map((id) => ({ id, helpUri: helpOf(id) })) },
        },
        columnKind: 'utf16CodeUnits',
        results: findings.map((finding) => ({
          ruleId: finding.code,
          level: SARIF_LEVEL[finding.severity],
          message: { text: finding.message },
          locations: finding.at
            ? [
                {
                  physicalLocation: {
                    artifactLocation: { uri: artifactUri(finding.at.uri, pathOf) },
                    region: {
                      startLine: finding.at.range.start.line + 1,
                      startColumn: finding.at.range.start.character + 1,
                      endLine: finding.at.range.end.line + 1,
                      endColumn: finding.at.range.end.character + 1,
                    },
                  },
                },
              ]
            : [],
        })),
      },
    ],
  };
}
