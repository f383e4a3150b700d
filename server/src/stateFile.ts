/** Saved runs on this host's disk. */
import { accessSync, closeSync, constants, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { version } from '../../package.json';
import { coreBuild } from '../emulator/coreBuild';
import { decodeRun, encodeRun, type Compression, type StateProblem } from './simulation/savedRunFile';
import type { SavedRun } from './simulation/savedRun';

const COMPRESSION: Compression = {
  // The fastest level: most pages of a guest are zeros or code, and the best one takes ten times as long.
  deflate: (bytes) => deflateRawSync(bytes, { level: 1 }),
  inflate(bytes, length) {
    try {
      const inflated = inflateRawSync(bytes, { maxOutputLength: Math.max(length, 1) });
      return inflated.length === length ? inflated : null;
    } catch {
      return null;
    }
  },
};

function writer() {
  return { program: version, core: coreBuild() };
}

/** Why no state can be written there, or null: asked before a run that may take minutes. */
export function stateFileProblem(path: string): string | null {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return 'is a folder';
  try {
    accessSync(dirname(path), constants.W_OK);
    return null;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return missing ? `there is no folder ${dirname(path)}` : `${dirname(path)} may not be written to`;
  }
}

/** Writes beside the file first, so that a failure leaves the old one. Throws what the system says. */
export function writeStateFile(path: string, run: SavedRun): void {
  const partial = `${path}.partial`;
  try {
    const file = openSync(partial, 'w');
    try {
      for (const piece of encodeRun(run, writer(), COMPRESSION)) writeWhole(file, piece);
    } finally {
      closeSync(file);
    }
    renameSync(partial, path);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}

function writeWhole(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
}

export function readState(bytes: Uint8Array): SavedRun | StateProblem {
  return decodeRun(bytes, writer(), COMPRESSION);
}
