/** The VMM model of Cloud Hypervisor on KVM, x86-64. */
import type { VmmModel } from '../model';
import { cloudHypervisorBoard } from './board';
import { CLOUD_HYPERVISOR_KNOWN_ISSUES } from './knownIssues';
import { cloudHypervisorInitialState } from './initialState';
import { layOutCloudHypervisor } from './layout';
import { NAME } from './origin';
import { CLOUD_HYPERVISOR_VERSIONS } from './versions';

export const CLOUD_HYPERVISOR: VmmModel = {
  name: NAME,
  title: 'Cloud Hypervisor',
  versions: CLOUD_HYPERVISOR_VERSIONS,
  knownIssues: CLOUD_HYPERVISOR_KNOWN_ISSUES,
  // v20.0 to v27.0 take raw firmware too; a probe starts as a kernel there as well.
  startsKernels: () => true,
  layOut: layOutCloudHypervisor,
  board: cloudHypervisorBoard,
  bootState: cloudHypervisorInitialState,
};
