/** Which build of the core this is: the layout of its memory, and with it that of a snapshot, belongs to one build. */
import wasm from '../../dist/core.wasm';

/** FNV-1a of the WebAssembly module, eight hexadecimal digits. */
export function coreBuild(): string {
  let hash = 0x811c9dc5;
  for (const byte of wasm) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
