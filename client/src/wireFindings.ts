/** Findings as they come over the wire, for diagnostic collections of the client's own. */
import * as vscode from 'vscode';
import type { WireFinding } from '../../server/src/protocol';

const SEVERITIES: Record<WireFinding['severity'], vscode.DiagnosticSeverity> = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  information: vscode.DiagnosticSeverity.Information,
  hint: vscode.DiagnosticSeverity.Hint,
};

/** Findings without a place are left out: the report tells them. */
export function diagnosticsByUri(
  source: string,
  findings: readonly WireFinding[],
): [vscode.Uri, vscode.Diagnostic[]][] {
  const byUri = new Map<string, vscode.Diagnostic[]>();
  for (const { code, severity, message, page, uri, range } of findings) {
    if (uri === null || range === null) continue;
    const { start, end } = range;
    const diagnostic = new vscode.Diagnostic(
      new vscode.Range(start.line, start.character, end.line, end.character),
      message,
      SEVERITIES[severity],
    );
    diagnostic.source = source;
    diagnostic.code = { value: code, target: vscode.Uri.parse(page) };
    byUri.set(uri, [...(byUri.get(uri) ?? []), diagnostic]);
  }
  return [...byUri].map(([uri, diagnostics]) => [vscode.Uri.parse(uri), diagnostics]);
}
