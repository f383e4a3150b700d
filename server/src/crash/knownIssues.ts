/** The known issues that leave a signature in a dump. */
export { illumos13253 } from '../vmm/bhyve/knownIssues/illumos13253';
export { illumos14042 } from '../vmm/bhyve/knownIssues/illumos14042';
export { chvGuestPhysicalBits } from '../vmm/cloud-hypervisor/knownIssues/guestPhysicalBits';
export { chvSilentTripleFault } from '../vmm/cloud-hypervisor/knownIssues/silentTripleFault';
export { firecrackerTripleFaultStatus } from '../vmm/firecracker/knownIssues/tripleFaultStatus';
export { libkrunI8042Reset } from '../vmm/libkrun/knownIssues/i8042Reset';
export { vmdDirectLaunch } from '../vmm/vmd/knownIssues/vmdDirectLaunch';
export { propolisRomWrite } from '../vmm/propolis/knownIssues/romWrite';
export { vmdLowmem } from '../vmm/vmd/knownIssues/vmdLowmem';
