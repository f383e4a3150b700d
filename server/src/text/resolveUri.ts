/**
 * The URI of a path in the file `base`: an absolute path within that file's own scheme, a relative one beside it. Null where
 * neither can be said.
 */
export function resolveUri(path: string, base: string): string | null {
  if (path === '' || path.includes('\0')) return null;
  try {
    return new URL(encodeURI(path).replace(/[?#]/g, encodeURIComponent), base).toString();
  } catch {
    return null;
  }
}
