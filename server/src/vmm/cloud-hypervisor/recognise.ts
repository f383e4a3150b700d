/**
 * Whether a text is the configuration of a VM for Cloud Hypervisor's API (vm.create, vm.info): a JSON object with its `cpus` or its
 * `payload`. Imported by the client too: no parser here.
 */

import { looksBinary } from '../../text/binary';

const LOOKED_AT = 64 * 1024;
const OPENS = /^(?:\ufeff)?\s*(?:\/\/[^\n]*\n\s*)*\{/;
/** Names that no other VMM's config has. */
const VCPUS = /"boot_vcpus"\s*:/;
/** A description of an API that has such names is no config. */
const SCHEMA = /"(?:swagger|openapi|\$ref|properties)"\s*:/;
/** Services around Cloud Hypervisor name a VM in bodies of their own; VmConfig has no name. */
const OF_A_SERVICE = /^(?:\ufeff)?\s*\{\s*"name"\s*:/;
const PAYLOAD = /"payload"\s*:\s*\{\s*"(?:kernel|firmware|initramfs|cmdline|igvm)"\s*:/;

export function recogniseCloudHypervisor(text: string): boolean {
  const head = text.slice(0, LOOKED_AT);
  if (looksBinary(head) || !OPENS.test(head) || SCHEMA.test(head)) return false;
  return PAYLOAD.test(head) || (VCPUS.test(head) && !OF_A_SERVICE.test(head));
}
