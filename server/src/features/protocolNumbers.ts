/** The numbers of the Language Server Protocol 3.17 that we send, so that features need its types only. */
import type {
  CompletionItemKind,
  DiagnosticSeverity,
  DiagnosticTag,
  SymbolKind,
} from 'vscode-languageserver-types';
import type { OutlineKind, Suggestion } from '../machine/language';
import type { Severity } from '../text/finding';

export const SEVERITY: Readonly<Record<Severity, DiagnosticSeverity>> = {
  error: 1,
  warning: 2,
  information: 3,
  hint: 4,
};

export const TAG: Readonly<Record<'unnecessary' | 'deprecated', DiagnosticTag>> = {
  unnecessary: 1,
  deprecated: 2,
};

/** Module, Interface, Constant, Property, Array, Namespace, File, Event. */
export const SYMBOL: Readonly<Record<OutlineKind, SymbolKind>> = {
  machine: 2,
  switch: 11,
  macro: 14,
  option: 7,
  region: 18,
  map: 3,
  include: 1,
  crash: 24,
};

/** Keyword, Value, Constant, Reference, Snippet, Module. */
export const COMPLETION: Readonly<Record<Suggestion['kind'], CompletionItemKind>> = {
  keyword: 14,
  value: 12,
  macro: 21,
  switch: 18,
  snippet: 15,
  machine: 9,
};

export const SNIPPET_FORMAT = 2;
