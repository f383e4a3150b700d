/** Paths in a text as links to files: includes, disks, kernels. */
import type { DocumentLink } from 'vscode-languageserver-types';
import { URI, Utils } from 'vscode-uri';
import type { Document } from '../machine/language';

/** The URI of a path as written: absolute, or relative to the file that says it. Null where it cannot be one. */
export function resolvePath(path: string, fromUri: string): string | null {
  if (path === '' || path.includes('\0')) return null;
  try {
    const from = URI.parse(fromUri, true);
    if (from.scheme === 'untitled') return path.startsWith('/') ? URI.file(path).toString() : null;
    return (
      path.startsWith('/') ? from.with({ path }) : Utils.resolvePath(Utils.dirname(from), path)
    ).toString();
  } catch {
    return null;
  }
}

export function documentLinks(document: Document): DocumentLink[] {
  return document.links.flatMap((link) => {
    const target = resolvePath(link.path, document.source.uri);
    return target === null ? [] : [{ range: link.range, target }];
  });
}
