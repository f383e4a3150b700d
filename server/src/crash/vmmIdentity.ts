/** Which VMM a guest ran under, by the DMI strings that the kernel prints as `Hardware name`. */

export interface VmmIdentity {
  /** As people call it. */
  readonly title: string;
  /** The model's folder under vmm/, where there is or will be one. */
  readonly model: string | null;
}

const IDENTITIES: readonly { readonly pattern: RegExp; readonly identity: VmmIdentity }[] = [
  { pattern: /OpenBSD VMM|OpenBSD-vmm/, identity: { title: 'OpenBSD vmd/vmm', model: 'vmd' } },
  { pattern: /OXIDE|Propolis/, identity: { title: 'Oxide Propolis', model: 'propolis' } },
  { pattern: /BHYVE/i, identity: { title: 'bhyve', model: 'bhyve' } },
  { pattern: /Cloud Hypervisor/i, identity: { title: 'Cloud Hypervisor', model: 'cloud-hypervisor' } },
  { pattern: /Microsoft Corporation Virtual Machine/, identity: { title: 'Microsoft Hyper-V', model: null } },
  { pattern: /VMware/, identity: { title: 'VMware', model: null } },
  { pattern: /^Xen /, identity: { title: 'Xen', model: null } },
  // The vendor alone is no VMM: Chromebooks say Google too.
  { pattern: /Google Compute Engine/, identity: { title: 'Google Compute Engine', model: null } },
  { pattern: /OpenStack/, identity: { title: 'OpenStack (QEMU)', model: 'pc' } },
  { pattern: /QEMU|Bochs/, identity: { title: 'QEMU (or Bochs)', model: 'pc' } },
];

export function identifyVmm(hardware: string): VmmIdentity | null {
  return IDENTITIES.find(({ pattern }) => pattern.test(hardware))?.identity ?? null;
}
