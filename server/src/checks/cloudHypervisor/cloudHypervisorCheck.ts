/** How a rule on a Cloud Hypervisor config is made: a row of the table and a function on the config. */
import type { Severity } from '../../text/finding';
import type { NodeSpan, ObjectNode } from '../../text/shape/node';
import type { InVersion } from '../../text/shape/shape';
import { isCloudHypervisorDocument, type CloudHypervisorDocument } from '../../vmm/cloud-hypervisor/document';
import { inCloudHypervisor } from '../../vmm/cloud-hypervisor/shape';
import type { Check, Found } from '../check';
import { flagOf, integerOf, isOn, itemsOf, JsonRules, objectsOf, textOf } from '../jsonRules';

/** Lists of devices, and objects of which there is one. */
const DEVICE_LISTS = [
  'disks',
  'net',
  'fs',
  'generic_vhost_user',
  'pmem',
  'user_devices',
  'vdpa',
  'devices',
] as const;
const SINGLE_DEVICES = ['rng', 'rtc', 'console', 'balloon', 'vsock', 'ivshmem'] as const;

export interface Device {
  readonly list: string;
  readonly node: ObjectNode;
}

export class CloudHypervisorRules extends JsonRules {
  readonly version: string;
  readonly has: InVersion;

  constructor(
    readonly document: CloudHypervisorDocument,
    config: JsonRules['config'],
  ) {
    super(document.source, config);
    this.version = document.choice?.version ?? '';
    this.has = inCloudHypervisor(this.version);
  }

  get memory() {
    return this.section('memory');
  }

  get zones(): readonly ObjectNode[] {
    return objectsOf(this.memory, 'zones');
  }

  /** Every PCI device, in the order in which validate() goes through them. */
  get pciDevices(): readonly Device[] {
    return [
      ...DEVICE_LISTS.flatMap((list) => this.devices(list).map((node) => ({ list, node }))),
      ...SINGLE_DEVICES.flatMap((list) => {
        const node = this.section(list);
        return node ? [{ list, node }] : [];
      }),
    ];
  }

  /** `cpus.boot_vcpus`, or the default where there is no `cpus`; null where it cannot be told. */
  get bootVcpus(): bigint | null {
    if (!this.present(this.config, 'cpus')) return 1n;
    return integerOf(this.section('cpus'), 'boot_vcpus')?.value ?? null;
  }

  /** `platform.num_pci_segments`, 1 where none are given; null where it cannot be told. */
  get segments(): bigint | null {
    const platform = this.section('platform');
    if (!this.present(platform, 'num_pci_segments')) return 1n;
    return integerOf(platform, 'num_pci_segments')?.value ?? null;
  }

  /** Bytes of RAM at the start: `memory.size` and the zones (MemoryConfig::total_size); null where it cannot be told. */
  get ram(): bigint | null {
    if (!this.present(this.config, 'memory')) return 512n << 20n;
    const size = integerOf(this.memory, 'size');
    const zones = itemsOf(this.memory, 'zones').map((zone) => integerOf(zone, 'size')?.value ?? null);
    if (!size || zones.includes(null)) return null;
    return zones.reduce<bigint>((sum, zone) => sum + (zone ?? 0n), size.value);
  }

  /**
   * Whether memory is what vhost-user devices can map (VmConfig::backed_by_shared_memory; `memory.shared` alone up to
   * v27.0). Null where it cannot be told.
   */
  get sharesMemory(): boolean | null {
    if (isOn(this.memory, 'shared')) return true;
    for (const key of ['shared', 'hugepages']) {
      if (this.present(this.memory, key) && !flagOf(this.memory, key)) return null;
    }
    const newer = this.has({ since: 'v28.0' });
    if (newer && isOn(this.memory, 'hugepages')) return true;
    if (!newer || !this.memory) return false;
    const size = integerOf(this.memory, 'size');
    if (!size) return null;
    if (size.value !== 0n) return false;
    return this.zones.every((zone) => isOn(zone, 'shared') || isOn(zone, 'hugepages'));
  }

  /** The opening of an object, for what it lacks. */
  opening(node: NodeSpan): NodeSpan {
    return { start: node.start, end: node.start + 1 };
  }
}

export function nameOf({ list, node }: Device): string {
  const id = textOf(node, 'id')?.value;
  return id === undefined ? `an entry of \`${list}\`` : `\`${id}\``;
}

/** What vm.info answers with, beside the config. */
const VM_INFO: ReadonlySet<string> = new Set(['state', 'memory_actual_size', 'device_tree']);

/** A config among keys of another program: how that program reads it is not known. */
export function isForeign({ wrapper, json }: CloudHypervisorDocument): boolean {
  const { root } = json;
  return (
    wrapper !== null &&
    root?.kind === 'object' &&
    root.members.some(({ key }) => key.value !== wrapper.key.value && !VM_INFO.has(key.value))
  );
}

export function cloudHypervisorCheck(
  row: { readonly code: string; readonly severity: Severity; readonly title: string },
  run: (rules: CloudHypervisorRules) => Iterable<Found>,
): Check {
  return {
    ...row,
    on: ['cloud-hypervisor'],
    run: (document) =>
      isCloudHypervisorDocument(document) && document.config?.kind === 'object' && !isForeign(document)
        ? run(new CloudHypervisorRules(document, document.config))
        : [],
  };
}

export const REFUSED = 'Cloud Hypervisor refuses to boot the VM';
