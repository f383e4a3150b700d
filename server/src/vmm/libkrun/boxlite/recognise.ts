/** Whether a text is BoxLite's options of a box (BoxOptions) as JSON. Imported by the client too: no parser here. */

import { looksBinary } from '../../../text/binary';

/** As much as is looked at, in UTF-16 units. */
const LOOKED_AT = 64 * 1024;
const PRAGMA = /(?:#|\/\/|;)\s*bootpath:\s*libkrun\b/;
/** BoxLite's own spelling of an enum with a value: the rest only counts together. */
const ROOTFS = /"rootfs"\s*:\s*\{\s*"(?:Image|RootfsPath)"\s*:/;
const MEMORY = /"memory_mib"\s*:/;
const OTHERS =
  /"(?:rootfs|cpus|disk_size_gb|working_dir|auto_remove|auto_delete|auto_stop|detach|entrypoint|inbound_network)"\s*:/;

/** Looks at the first 64 KiB, never at the file's name. */
export function recogniseBoxlite(text: string): boolean {
  const head = text.slice(0, LOOKED_AT);
  if (looksBinary(head) || !/^\ufeff?\s*(?:\/[/*]|\{)/.test(head)) return false;
  const first = head.split('\n', 10).join('\n');
  return PRAGMA.test(first) || ROOTFS.test(head) || (MEMORY.test(head) && OTHERS.test(head));
}
