/** What the readers of several VMMs' configs find alike: the version comment, and JSON that is none. */
import { JSON_SYNTAX } from '../../vmm/jsonConfig';
import type { Check } from '../check';

export const CONFIG_CHECKS: readonly Check[] = [
  {
    code: 'config-pragma',
    severity: 'warning',
    title: 'A version comment that names no known version',
    on: ['firecracker', 'cloud-hypervisor', 'boxlite', 'libkrun-c', 'qemu-config'],
  },
  {
    code: JSON_SYNTAX,
    severity: 'error',
    title: 'The text is no JSON here',
    on: ['firecracker', 'cloud-hypervisor', 'boxlite'],
  },
];
