/** An explained value as text; its JSON is the object itself. */
import type { Explanation } from '../x86/bitField';

export function explanationText(explanation: Explanation): string {
  const lines = [`${explanation.kind} ${explanation.value}: ${explanation.summary}`];
  const width = Math.max(0, ...explanation.fields.map(({ name }) => name.length));
  for (const { name, bits, value, meaning } of explanation.fields) {
    lines.push(`  ${bits.padStart(7)}  ${name.padEnd(width)}  ${value}${meaning ? `  ${meaning}` : ''}`);
  }
  if (explanation.set.length) lines.push(`set: ${explanation.set.join(' ')}`);
  for (const problem of explanation.problems) lines.push(`problem: ${problem}`);
  return lines.join('\n') + '\n';
}
