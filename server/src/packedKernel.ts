/** Kernels as they come packed: whole files with gzip or LZ4, and the kernel within a bzImage. */
import { gunzipSync } from 'node:zlib';
import { isElf } from './machine/image/elf';
import { parseLinuxImage } from './machine/image/linuxImage';
import { unpackLz4 } from './machine/image/lz4';
import { packingOf, type Packing } from './machine/image/packing';

/** Far above any kernel, and below what a worker can be given. */
const LIMIT = 512 * 1024 * 1024;
const KERNEL = 'The kernel image';

/** A kernel as VMMs read it: an ELF file may be packed with gzip, as OpenBSD's bsd.rd is. Throws a sentence. */
export function gunzippedKernel(bytes: Uint8Array): Uint8Array {
  if (packingOf(bytes, 'file') !== 'gzip') return bytes;
  const unpacked = unpack(bytes, 'gzip', KERNEL);
  return isElf(unpacked) ? unpacked : bytes;
}

/** For the plain PC: what is in a file that is packed with gzip or LZ4, else the file itself. Throws a sentence. */
export function unpackedKernel(bytes: Uint8Array): Uint8Array {
  const packing = packingOf(bytes, 'file');
  return packing === null ? bytes : unpack(bytes, packing, KERNEL);
}

/**
 * The ELF file that a bzImage unpacks when it runs, so that a VMM's ELF loaders can take it. Throws a sentence where it cannot
 * be had.
 */
export function bzImagePayload(bytes: Uint8Array): Uint8Array {
  const image = parseLinuxImage(bytes);
  if ('problem' in image) throw new Error(`The bzImage cannot be read: ${image.problem}.`);
  const { payload } = image;
  if (payload === null)
    throw new Error('The bzImage does not say where its payload is: payload_offset is 0.');
  const packing = packingOf(payload, 'payload');
  const unpacked = packing === null ? payload : unpack(payload, packing, 'The payload of the bzImage');
  if (!isElf(unpacked)) throw new Error('The payload of the bzImage is no ELF file.');
  return unpacked;
}

function unpack(bytes: Uint8Array, packing: Packing, what: string): Uint8Array {
  if (packing === 'gzip') {
    try {
      return gunzipSync(bytes, { maxOutputLength: LIMIT });
    } catch (error) {
      throw new Error(`${what} cannot be unpacked with gzip: ${(error as Error).message}.`, { cause: error });
    }
  }
  if (packing === 'LZ4') {
    const unpacked = unpackLz4(bytes, LIMIT);
    if ('problem' in unpacked) throw new Error(`${what} cannot be unpacked: ${unpacked.problem}.`);
    return unpacked;
  }
  throw new Error(`${what} is packed with ${packing}; only gzip and LZ4 are unpacked here.`);
}
