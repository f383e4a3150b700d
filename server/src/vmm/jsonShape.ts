/** Hover and completion in a JSON config, from the table of its keys. */
import type { Description, Suggestion } from '../machine/language';
import { jsonTyping, type JsonTyping } from '../text/jsonTyping';
import type { Position } from '../text/position';
import { complete, type Writing } from '../text/shape/complete';
import { describeAt } from '../text/shape/describe';
import { exampleOf, inSnippet } from '../text/shape/example';
import type { ConfigNode } from '../text/shape/node';
import type { InVersion, Shape } from '../text/shape/shape';
import type { SourceText } from '../text/sourceText';

/** A config as the shape is held against it. */
export interface ShapedConfig {
  readonly source: SourceText;
  readonly config: ConfigNode | null;
  readonly shape: Shape;
  readonly inVersion: InVersion;
  /** The key in which the text wraps the config; null where it does not. */
  readonly wrapper: string | null;
}

export function describeJson(of: ShapedConfig, position: Position): Description | null {
  const { source, config, shape, inVersion } = of;
  const found = config && describeAt(config, shape, source.lines.offsetAt(position), inVersion);
  return found && { range: source.lines.rangeAt(found.span.start, found.span.end), markdown: found.markdown };
}

export function completeJson(of: ShapedConfig, position: Position): Suggestion[] {
  const { source, config, shape, inVersion, wrapper } = of;
  const typing = jsonTyping(source.text, source.lines.offsetAt(position));
  if (!typing) return [];
  const { path, word, end } = typing;
  if (wrapper !== null && path[0] !== wrapper) return [];
  const place = { ...typing, path: wrapper === null ? path : path.slice(1) };
  return complete(config, shape, place, writingOf(typing), inVersion).map(
    ({ label, kind, detail, markdown, insert }) => ({
      label,
      detail,
      markdown,
      kind: kind === 'key' ? 'snippet' : 'value',
      insert,
      range: source.lines.rangeAt(word.start, kind === 'key' ? end : word.end),
    }),
  );
}

/** The quote that opens a key is there where it was typed; the one that closes it is replaced. */
function writingOf({ quoted, colon, comma }: JsonTyping): Writing {
  return {
    key: (key, member) => {
      const name = quoted ? `${key}"` : `"${key}"`;
      return colon
        ? name
        : `${name}: \${1:${inSnippet(member.example ?? member.default ?? exampleOf(member.shape))}}${comma ? ',' : ''}`;
    },
    word: (value) => JSON.stringify(value),
  };
}
