/** A decoded descriptor, page-table entry or register as Markdown. */
import type { Explanation } from '../x86/bitField';
import { codeSpan, escapeMarkdown } from './markdownText';

/** The summary, what is wrong with the value, then its fields from the highest bit down as the source lists them. */
export function explanationText({ kind, value, summary, fields, problems }: Explanation): string {
  const lines = [`**${escapeMarkdown(kind)}** ${codeSpan(value)}: ${escapeMarkdown(summary)}`];
  if (problems.length > 0) lines.push('', ...problems.map((problem) => `- ⚠ ${escapeMarkdown(problem)}`));
  if (fields.length > 0) {
    lines.push('', '| bits | field | value | meaning |', '|---:|---|---:|---|');
    for (const field of fields) {
      lines.push(
        `| ${field.bits} | ${escapeMarkdown(field.name)} | ${codeSpan(field.value)} | ${escapeMarkdown(field.meaning)} |`,
      );
    }
  }
  return lines.join('\n');
}
