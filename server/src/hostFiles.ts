/** Files of this host for the faces: texts of includes and configs, bytes of images. */
import { readFileSync, statSync, type Stats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeText } from './text/decodeText';

/** A config or a map that is larger is none. */
const TEXT_LIMIT = 16 * 1024 * 1024;
/** Far above any kernel or firmware; keeps a mistaken disk image out of memory. */
const IMAGE_LIMIT = 512 * 1024 * 1024;

export interface Files {
  /** The text of a `file:` URI; null where it cannot be read, is no ordinary file or is too large. */
  readText(uri: string): Promise<string | null>;
  /** Whether there is anything at an absolute path. */
  exists(path: string): Promise<boolean>;
  /** The bytes of an image; rejects with a sentence for the user. A relative path starts at `folder`. */
  readImage(path: string, folder: string | null): Promise<Uint8Array>;
}

/** The path of a `file:` URI, null for any other. */
export function pathOfUri(uri: string): string | null {
  try {
    return uri.startsWith('file:') ? fileURLToPath(uri) : null;
  } catch {
    return null;
  }
}

/** Throws for what is not to be read: a device or a FIFO would be read for ever. */
function demandOrdinary(info: Stats, limit: number): void {
  if (!info.isFile()) throw new Error('it is not an ordinary file');
  if (info.size > limit) throw new Error(`its ${info.size} bytes are more than the limit of ${limit}`);
}

async function readBounded(path: string, limit: number): Promise<Uint8Array> {
  demandOrdinary(await stat(path), limit);
  return readFile(path);
}

/** As `Files.readText`, for the command line, which has nothing else to do meanwhile. */
export function readTextSync(uri: string): string | null {
  const path = pathOfUri(uri);
  if (path === null) return null;
  try {
    demandOrdinary(statSync(path), TEXT_LIMIT);
    return decodeText(readFileSync(path));
  } catch {
    return null;
  }
}

export const hostFiles: Files = {
  async readText(uri) {
    const path = pathOfUri(uri);
    if (path === null) return null;
    try {
      return decodeText(await readBounded(path, TEXT_LIMIT));
    } catch {
      return null;
    }
  },

  async exists(path) {
    try {
      await stat(path);
      return true;
    } catch (error) {
      // What may not be looked at may well be there.
      const { code } = error as NodeJS.ErrnoException;
      return code !== 'ENOENT' && code !== 'ENOTDIR';
    }
  },

  async readImage(path, folder) {
    const full = isAbsolute(path) || folder === null ? path : join(folder, path);
    try {
      return await readBounded(full, IMAGE_LIMIT);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const why =
        code === 'ENOENT' ? 'there is no such file' : code === 'EACCES' ? 'permission is denied' : message;
      throw new Error(`Cannot read the image ${full}: ${why}.`, { cause: error });
    }
  },
};
