/** Definition and references of macros, switches and machines. */
import type { Location } from 'vscode-languageserver-types';
import type { Document, NamedSymbol } from '../machine/language';
import { containsPosition, type Position, type SourceRange } from '../text/position';

function symbolAt(document: Document, position: Position): NamedSymbol | null {
  const here = (place: SourceRange) =>
    place.uri === document.source.uri && containsPosition(place.range, position);
  return (
    document.symbols.find(
      (symbol) => symbol.references.some(here) || (symbol.definition !== null && here(symbol.definition)),
    ) ?? null
  );
}

const location = ({ uri, range }: SourceRange): Location => ({ uri, range });

export function definition(document: Document, position: Position): Location | null {
  const found = symbolAt(document, position)?.definition;
  return found ? location(found) : null;
}

export function references(document: Document, position: Position, withDefinition: boolean): Location[] {
  const symbol = symbolAt(document, position);
  if (!symbol) return [];
  const places = withDefinition && symbol.definition ? [symbol.definition] : [];
  return [...places, ...symbol.references].map(location);
}
