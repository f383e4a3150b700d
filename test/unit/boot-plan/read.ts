/** A text as a boot plan, with what is found in it. */
import { parseBootPlan, type BootPlanDocument } from '../../../server/src/boot-plan/document';
import { runChecks } from '../../../server/src/checks/catalogue';
import type { Finding } from '../../../server/src/text/finding';
import { SourceText } from '../../../server/src/text/sourceText';

export const URI = 'file:///plans/entry.boot.toml';

export function read(text: string): BootPlanDocument {
  return parseBootPlan(new SourceText(URI, text), { files: new Map() });
}

/** Findings of the plan's own codes, as `code: written`, in the order of the text. */
export function told(text: string): string[] {
  return findings(text).map(({ code, at }) => `${code}: ${written(text, at!)}`);
}

export function findings(text: string): Finding[] {
  return runChecks(read(text)).filter(({ code }) => code.startsWith('boot-plan-'));
}

/** The text at a place. */
export function written(text: string, { range }: NonNullable<Finding['at']>): string {
  const { lines } = new SourceText(URI, text);
  return text.slice(lines.offsetAt(range.start), lines.offsetAt(range.end));
}
