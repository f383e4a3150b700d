/** A text as a boot plan, with what is found in it. */
import { parseBootPlan, type BootPlanDocument } from '../../../server/src/boot-plan/document';
import { bootpathService, CONFIGS } from '../../../server/src/service';
import type { ParseContext } from '../../../server/src/machine/language';
import type { Finding } from '../../../server/src/text/finding';
import { SourceText } from '../../../server/src/text/sourceText';

export const URI = 'file:///plans/entry.boot.toml';

/** @param files texts by their paths from the plan */
export function read(
  text: string,
  files: Readonly<Record<string, string>> = {},
  choice?: ParseContext['choice'],
): BootPlanDocument {
  const texts = Object.entries(files).map(([path, content]) => [new URL(path, URI).href, content] as const);
  const context = { files: new Map(texts), ...(choice ? { choice } : {}) };
  return parseBootPlan(new SourceText(URI, text), context, CONFIGS);
}

/** Findings of the plan's own codes, as `code: written`, in the order of the text. */
export function told(text: string, files: Readonly<Record<string, string>> = {}): string[] {
  return findings(text, files).map(({ code, at }) => `${code}: ${written(text, at!)}`);
}

export function findings(text: string, files: Readonly<Record<string, string>> = {}): Finding[] {
  return bootpathService.findings(read(text, files)).filter(({ code }) => code.startsWith('boot-plan-'));
}

/** The text at a place. */
export function written(text: string, { range }: NonNullable<Finding['at']>): string {
  const { lines } = new SourceText(URI, text);
  return text.slice(lines.offsetAt(range.start), lines.offsetAt(range.end));
}
