/** Finds the symbols of a kernel image on this host: in the image itself or in the files that lie beside it. */
import { basename, dirname, join } from 'node:path';
import type { Files } from './hostFiles';
import { symbolFileNames, symbolsFor } from './machine/image/symbolFiles';
import { unpackedKernel } from './packedKernel';
import type { SymbolChoice } from './simulation/report';

/**
 * The first file whose symbols are those of the image; files that are there and are of no use are named with the reason.
 * @param path absolute, or relative to `folder`
 * @param kernel what the image unpacks to
 */
export async function symbolsBeside(
  files: Pick<Files, 'exists' | 'readImage'>,
  path: string,
  folder: string | null,
  kernel: Uint8Array,
): Promise<SymbolChoice> {
  const own = symbolsFor(kernel, path, kernel);
  if (!('problem' in own)) return { used: own, notes: [] };
  const notes: string[] = [];
  for (const name of symbolFileNames(basename(path))) {
    const file = join(dirname(path), name);
    if (!(await files.exists(folder === null ? file : join(folder, file)))) continue;
    const found = await readSymbolFile(files, file, folder, kernel);
    if ('used' in found) return { ...found, notes };
    notes.push(`symbols of ${file}: ${found.problem}`);
  }
  return { used: null, notes };
}

/** The symbols of one file for a kernel; a problem where they cannot be used. */
export async function readSymbolFile(
  files: Pick<Files, 'readImage'>,
  file: string,
  folder: string | null,
  kernel: Uint8Array | null,
): Promise<SymbolChoice | { readonly problem: string }> {
  try {
    const used = symbolsFor(kernel, file, unpackedKernel(await files.readImage(file, folder)));
    return 'problem' in used ? used : { used, notes: [] };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}
