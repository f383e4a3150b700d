/** Hover and completion in a Propolis config, from the table of its keys. */
import type { Description, Document, Suggestion } from '../../machine/language';
import type { Position } from '../../text/position';
import { complete } from '../../text/shape/complete';
import { describeAt } from '../../text/shape/describe';
import { inVersionOf } from '../../text/shape/shape';
import { TOML_WRITING } from '../../text/shape/tomlWriting';
import { tomlTyping } from '../../text/toml/typing';
import { isPropolisDocument } from './document';
import { PROPOLIS_SHAPE } from './shape';
import { PROPOLIS_VERSIONS } from './versions';

export function describePropolis(document: Document, position: Position): Description | null {
  if (!isPropolisDocument(document)) return null;
  const { source, config, choice } = document;
  const inVersion = inVersionOf(PROPOLIS_VERSIONS, choice?.version ?? '');
  const found = describeAt(config, PROPOLIS_SHAPE, source.lines.offsetAt(position), inVersion);
  return found && { range: source.lines.rangeAt(found.span.start, found.span.end), markdown: found.markdown };
}

export function completePropolis(document: Document, position: Position): Suggestion[] {
  if (!isPropolisDocument(document)) return [];
  const { source, toml, config, choice } = document;
  const typing = tomlTyping(source.text, toml.root, source.lines.offsetAt(position));
  // At the top level there are tables alone.
  if (!typing || (typing.path.length === 0 && typing.typing === 'key')) return [];
  const range = source.lines.rangeAt(typing.word.start, typing.word.end);
  const inVersion = inVersionOf(PROPOLIS_VERSIONS, choice?.version ?? '');
  return complete(config, PROPOLIS_SHAPE, typing, TOML_WRITING, inVersion).map(
    ({ label, kind, detail, markdown, insert }) => ({
      label,
      detail,
      markdown,
      kind: kind === 'key' ? 'snippet' : 'value',
      insert,
      range,
    }),
  );
}
