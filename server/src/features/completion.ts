/** Suggestions of the language as completion items. */
import type { CompletionItem } from 'vscode-languageserver-types';
import type { Suggestion } from '../machine/language';
import { COMPLETION, SNIPPET_FORMAT } from './protocolNumbers';

/** `snippets`: whether the client can take them; without it they are left out. */
export function completionItems(suggestions: readonly Suggestion[], snippets: boolean): CompletionItem[] {
  return suggestions
    .filter((suggestion) => snippets || suggestion.kind !== 'snippet')
    .map((suggestion) => ({
      label: suggestion.label,
      kind: COMPLETION[suggestion.kind],
      detail: suggestion.detail,
      ...(suggestion.markdown === ''
        ? {}
        : { documentation: { kind: 'markdown', value: suggestion.markdown } }),
      textEdit: { range: suggestion.range, newText: suggestion.insert },
      ...(suggestion.kind === 'snippet' ? { insertTextFormat: SNIPPET_FORMAT } : {}),
    }));
}
