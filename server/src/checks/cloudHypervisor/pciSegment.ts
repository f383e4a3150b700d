/** PCI segments that the platform does not have, and devices that must or cannot be behind the IOMMU. */
import { integerOf, isOn, itemsOf, type IntegerNode } from '../jsonRules';
import { cloudHypervisorCheck, nameOf, REFUSED } from './cloudHypervisorCheck';

export const pciSegment = cloudHypervisorCheck(
  { code: 'cloud-hypervisor-pci-segment', severity: 'error', title: 'A PCI segment that is not there' },
  function* (rules) {
    const platform = rules.section('platform');
    const segments = rules.segments;
    // Without a platform nothing was checked up to v52.0.
    if (segments === null || !rules.has({ since: 'v20.0' })) return;
    if (!platform && !rules.has({ since: 'v53.0' })) return;
    const count = integerOf(platform, 'num_pci_segments');
    const asked: IntegerNode[] = [
      ...rules.pciDevices.map(({ node }) => integerOf(node, 'pci_segment')),
      ...rules.devices('pci_segments').map((node) => integerOf(node, 'pci_segment')),
    ].filter((segment) => segment !== null);
    const lists = [
      ...itemsOf(platform, 'iommu_segments'),
      ...rules.devices('numa').flatMap((node) => itemsOf(node, 'pci_segments')),
    ];
    for (const item of lists) if (item.kind === 'integer') asked.push(item);
    for (const segment of asked) {
      if (segment.value < segments || segment.value > 0xffffn) continue;
      yield {
        at: rules.at(segment),
        message: `Segment ${segment.value} is not there: \`platform.num_pci_segments\` is ${segments}${count ? '' : ', the default'}, and the first is 0. ${REFUSED} (InvalidPciSegment).`,
        related: count ? [rules.related(count, 'The number of segments')] : [],
      };
    }
  },
);

/** Devices that cannot be behind the IOMMU at all, and since when that is refused. */
const NEVER: Readonly<Record<string, string>> = {
  fs: 'v52.0',
  generic_vhost_user: 'v52.0',
  user_devices: 'v52.0',
  ivshmem: 'v53.0',
};

export const iommu = cloudHypervisorCheck(
  { code: 'cloud-hypervisor-iommu', severity: 'error', title: 'A device on the wrong side of the IOMMU' },
  function* (rules) {
    if (!rules.has({ since: 'v23.0' })) return;
    const items = itemsOf(rules.section('platform'), 'iommu_segments');
    const segments = new Map(items.flatMap((item) => (item.kind === 'integer' ? [[item.value, item]] : [])));
    for (const device of rules.pciDevices) {
      const { list, node } = device;
      const on = isOn(node, 'iommu');
      const never = NEVER[list];
      const at = rules.present(node, 'iommu');
      const cannot =
        never !== undefined
          ? rules.has({ since: never })
          : (list === 'disks' || list === 'net') && isOn(node, 'vhost_user') && rules.has({ since: 'v26.0' });
      if (on && cannot && at) {
        yield {
          at: rules.at(at.key),
          message: `The process of a vhost-user or vfio-user device maps memory past the virtual IOMMU: ${REFUSED} (IommuNotSupported).`,
        };
      }
      const segment = integerOf(node, 'pci_segment');
      const behind = segment && segments.get(segment.value);
      if (!segment || !behind || on || (at && !isOff(node))) continue;
      yield {
        at: rules.at(segment),
        message: `Segment ${segment.value} is behind the virtual IOMMU, and ${nameOf(device)} has no \`iommu\`: ${REFUSED}.`,
        related: [rules.related(behind, 'The segment is behind the IOMMU')],
      };
    }
  },
);

function isOff(node: Parameters<typeof isOn>[0]): boolean {
  return (
    node?.kind === 'object' &&
    node.members.some(({ key, value }) => key.text === 'iommu' && value?.kind === 'boolean')
  );
}
