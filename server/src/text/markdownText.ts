/** Text of files and users inside Markdown, so that it cannot become markup. */

/** For running text and table cells. Control characters become spaces. */
export function escapeMarkdown(text: string): string {
  // eslint-disable-next-line no-control-regex -- a NUL in a paste must not reach the renderer.
  return text.replace(/[\u0000-\u001f]+/g, ' ').replace(/[\\`*_[\]<>|~&]/g, '\\$&');
}

/** An inline code span, also for text that has backticks of its own. */
export function codeSpan(text: string): string {
  // eslint-disable-next-line no-control-regex -- as above.
  const plain = text.replace(/[\u0000-\u001f]+/g, ' ');
  return plain.includes('`') ? '`` ' + plain + ' ``' : '`' + plain + '`';
}
