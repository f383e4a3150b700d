/** All VMM models. Adding a VMM is adding a folder and a line here. */
import { BHYVE } from './bhyve/model';
import { FIRECRACKER } from './firecracker/model';
import { LIBKRUN } from './libkrun/model';
import type { VmmModel } from './model';
import { CLOUD_HYPERVISOR } from './cloud-hypervisor/model';
import { PC } from './pc/model';
import { PROPOLIS } from './propolis/model';
import { VMD } from './vmd/model';

export const VMM_MODELS: readonly VmmModel[] = [
  VMD,
  BHYVE,
  FIRECRACKER,
  LIBKRUN,
  CLOUD_HYPERVISOR,
  PROPOLIS,
  PC,
];

/** The model of that name, or undefined. */
export function vmmModel(name: string): VmmModel | undefined {
  return VMM_MODELS.find((model) => model.name === name);
}
