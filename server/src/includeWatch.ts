/** Which files a client should watch because open documents include them. */

export interface Watcher {
  readonly globPattern: string | { readonly baseUri: string; readonly pattern: string };
}

export class IncludeWatch {
  private readonly includes = new Map<string, ReadonlySet<string>>();

  /** Takes the normalised URIs that a document includes now, and returns what is to be watched in all. */
  watchers(uri: string, includes: ReadonlySet<string>, relative: boolean): Watcher[] {
    if (includes.size > 0) this.includes.set(uri, includes);
    else this.includes.delete(uri);
    const files = new Set([...this.includes.values()].flatMap((set) => [...set]));
    return [...files].map((file) => {
      const slash = file.lastIndexOf('/');
      const pattern = nameOf(file.slice(slash + 1)).replace(/[*?{}[\]]/g, '?');
      return { globPattern: relative ? { baseUri: file.slice(0, slash), pattern } : `**/${pattern}` };
    });
  }
}

function nameOf(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}
