/** Keys and words of a config in Markdown, from the table of its keys. */
import { nameOf } from './checkShape';
import type { ConfigNode, NodeSpan } from './node';
import { placeAt, valuesOf, type ShapePlace } from './resolve';
import { ANY_VERSION, type InVersion, type Member, type Shape, type StringValue } from './shape';

export interface ShapeDescription {
  readonly span: NodeSpan;
  readonly markdown: string;
  readonly place: ShapePlace;
}

/** Words of a key that are listed under it; more are counted. */
const MOST_WORDS = 16;

/** What the table of keys says about the key or word at an offset; null where it has nothing there. */
export function describeAt(
  root: ConfigNode,
  shape: Shape,
  offset: number,
  inVersion: InVersion = ANY_VERSION,
): ShapeDescription | null {
  const place = placeAt(root, shape, offset);
  if (!place) return null;
  const { key, member, word, span } = place;
  if (word) return { span, place, markdown: describeWord(key, word) };
  return member && { span, place, markdown: describeMember(key, member, inVersion) };
}

function describeWord(key: string, { value, text }: StringValue): string {
  return `**${key}** \`${value}\`\n\n${text}`;
}

/** A key with what it takes: its title line, its text, its words. */
export function describeMember(key: string, member: Member, inVersion: InVersion = ANY_VERSION): string {
  return [
    `**${key}** · ${detailOf(member)}`,
    member.text,
    wordsOf(member.shape, inVersion),
    versionsOf(member),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** `a string or an integer · required`, `a boolean · default: true`. */
export function detailOf({ shape, required, default: otherwise }: Member): string {
  const parts = [nameOf(shape)];
  if (required === true) parts.push('required');
  if (otherwise !== undefined) parts.push(`default: ${otherwise}`);
  return parts.join(' · ');
}

function wordsOf(shape: Shape, inVersion: InVersion): string {
  const inner = shape.kind === 'array' ? shape.of : shape;
  const words = valuesOf(inner).filter(inVersion);
  if (words.length === 0) return '';
  const lines = words.slice(0, MOST_WORDS).map(({ value, text }) => `- \`${value}\`: ${text}`);
  if (words.length > MOST_WORDS) lines.push(`- and ${words.length - MOST_WORDS} more`);
  return lines.join('\n');
}

/** By the versions that are told apart: what changed between two of them stands with the later. */
function versionsOf({ since, until }: Member): string {
  if (since === undefined && until === undefined) return '';
  if (since === undefined) return `In version ${until} and earlier ones.`;
  return until === undefined ? `In version ${since} and later ones.` : `In versions ${since} to ${until}.`;
}
