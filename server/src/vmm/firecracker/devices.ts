/** The virtio devices of a config in the order in which Firecracker attaches them (build_microvm_for_boot). */
import { jsonAt, type JsonNode } from '../../text/json';

export interface ConfiguredDevice {
  readonly kind: 'balloon' | 'drive' | 'network' | 'pmem' | 'vsock' | 'entropy' | 'memory-hotplug';
  readonly node: JsonNode;
  /** `root=…` with `ro` or `rw`, where it is the root device. */
  readonly root: string | null;
}

/** Entries that are no objects are left out. */
export function configuredDevices(root: JsonNode | null): ConfiguredDevice[] {
  const one = (key: string, kind: ConfiguredDevice['kind']) => {
    const node = jsonAt(root, key);
    return node?.kind === 'object' ? [{ kind, node, root: null }] : [];
  };
  // A root drive goes to the front of its list (BlockBuilder::insert).
  const drives = list(root, 'drives').map((node) => ({
    kind: 'drive' as const,
    node,
    root: driveRoot(node),
  }));
  return [
    ...one('balloon', 'balloon'),
    ...drives.filter((drive) => drive.root !== null).reverse(),
    ...drives.filter((drive) => drive.root === null),
    ...list(root, 'network-interfaces').map((node) => ({ kind: 'network' as const, node, root: null })),
    ...list(root, 'pmem').map((node, index) => ({
      kind: 'pmem' as const,
      node,
      root: flag(node, 'root_device') ? `root=/dev/pmem${index} ${access(node, 'read_only')}` : null,
    })),
    ...one('vsock', 'vsock'),
    ...one('entropy', 'entropy'),
    ...one('memory-hotplug', 'memory-hotplug'),
  ];
}

function list(root: JsonNode | null, key: string): readonly JsonNode[] {
  const node = jsonAt(root, key);
  return node?.kind === 'array' ? node.items.filter(({ kind }) => kind === 'object') : [];
}

function driveRoot(node: JsonNode): string | null {
  if (!flag(node, 'is_root_device')) return null;
  const id = jsonAt(node, 'partuuid');
  const device = id?.kind === 'string' ? `PARTUUID=${id.value}` : '/dev/vda';
  return `root=${device} ${access(node, 'is_read_only')}`;
}

function access(node: JsonNode, key: string): 'ro' | 'rw' {
  return flag(node, key) ? 'ro' : 'rw';
}

function flag(node: JsonNode, key: string): boolean {
  const value = jsonAt(node, key);
  return value?.kind === 'boolean' && value.value === true;
}
