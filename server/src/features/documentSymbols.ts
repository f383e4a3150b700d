/** The outline. */
import type { DocumentSymbol } from 'vscode-languageserver-types';
import type { Document, OutlineNode } from '../machine/language';
import { SYMBOL } from './protocolNumbers';

/** More than this makes the Outline view slow; what is left out is said in a last symbol. */
const SYMBOL_LIMIT = 5000;

export interface Outline {
  readonly symbols: DocumentSymbol[];
  /** Nodes beyond the limit. */
  readonly dropped: number;
}

export function documentSymbols(document: Document, limit = SYMBOL_LIMIT): Outline {
  let left = limit;
  let dropped = 0;
  const convert = (nodes: readonly OutlineNode[]): DocumentSymbol[] => {
    const symbols: DocumentSymbol[] = [];
    for (const node of nodes) {
      if (left <= 0) {
        dropped += 1 + countNodes(node.children);
        continue;
      }
      left--;
      symbols.push({
        // The protocol forbids an empty name.
        name: node.name.trim() === '' ? '(no name)' : node.name,
        detail: node.detail,
        kind: SYMBOL[node.kind],
        range: node.range,
        selectionRange: node.nameRange,
        children: convert(node.children),
      });
    }
    return symbols;
  };
  const symbols = convert(document.outline);
  const last = document.outline.at(-1);
  if (dropped > 0 && last) {
    symbols.push({
      name: `… ${dropped} more are not listed (limit ${limit})`,
      kind: SYMBOL.option,
      range: last.range,
      selectionRange: last.nameRange,
    });
  }
  return { symbols, dropped };
}

function countNodes(nodes: readonly OutlineNode[]): number {
  return nodes.reduce((sum, node) => sum + 1 + countNodes(node.children), 0);
}
