/** The boot plans that `bootpath test` runs: files that are named, and `*.boot.toml` in folders that are. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { orReason } from './inputs';

const PLAN = /\.boot\.toml$/;
/** What others have written, and what nobody wrote. */
const SKIPPED: ReadonlySet<string> = new Set(['node_modules', '.git']);

/**
 * `-` is standard input. Sorted by path, character by character whatever the language of the host, each once. A folder is searched to its depths, but
 * not through symbolic links to folders. UsageError for what is not there or may not be read.
 */
export function planFiles(paths: readonly string[]): string[] {
  const found = paths.flatMap((path) => {
    const folder = path !== '-' && orReason(path, () => statSync(path).isDirectory());
    return folder ? plansIn(path) : [path];
  });
  const byPath = new Map(found.map((file) => [join(file).replaceAll('\\', '/'), join(file)]));
  return [...byPath].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, file]) => file);
}

function plansIn(folder: string): string[] {
  const files: string[] = [];
  const folders = [folder];
  for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
    const here = at;
    for (const entry of orReason(here, () => readdirSync(here, { withFileTypes: true }))) {
      const path = join(here, entry.name);
      if (entry.isDirectory()) {
        if (!SKIPPED.has(entry.name)) folders.push(path);
      } else if (PLAN.test(entry.name)) files.push(path);
    }
  }
  return files;
}
