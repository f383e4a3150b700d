/** NUMA nodes and what they name (vmm/src/vm.rs, create_numa_nodes; NumaConfig::validate since v51.0; VmConfig::validate). */
import type { NodeSpan, ObjectNode } from '../../text/shape/node';
import { isTemplate } from '../../text/shape/checkShape';
import type { Found } from '../check';
import { integerOf, itemsOf, nearestName, objectsOf, textOf } from '../jsonRules';
import { cloudHypervisorCheck, REFUSED, type CloudHypervisorRules } from './cloudHypervisorCheck';

export const numa = cloudHypervisorCheck(
  { code: 'cloud-hypervisor-numa', severity: 'error', title: 'NUMA nodes that do not go with the rest' },
  function* (rules) {
    const nodes = rules.devices('numa');
    const known = zoneNames(rules);
    const seen = {
      nodes: new Map<bigint, NodeSpan>(),
      zones: new Map<string, NodeSpan>(),
      segments: new Map<bigint, NodeSpan>(),
    };
    const destinations = new Set(nodes.map((node) => integerOf(node, 'guest_numa_id')?.value ?? 0n));
    for (const node of nodes) {
      const id = integerOf(node, 'guest_numa_id');
      const first = id && seen.nodes.get(id.value);
      if (id && first) {
        yield {
          at: rules.at(id),
          message: `Node ${id.value} is there already: ${REFUSED} (InvalidNumaConfig).`,
          related: [rules.related(first, 'The same node')],
        };
      } else if (id) seen.nodes.set(id.value, id);
      yield* parts(rules, node);
      yield* zones(rules, node, known, seen.zones);
      yield* distances(rules, node, destinations);
      yield* segments(rules, node, id?.value ?? 0n, seen.segments);
    }
  },
);

/** Since v51.0 a node has CPUs or memory, or is a device; not both, not neither, and no empty list. */
function* parts(rules: CloudHypervisorRules, node: ObjectNode): Generator<Found> {
  if (rules.has({ since: 'v20.0', until: 'v34.0' }) && !rules.present(node, 'memory_zones')) {
    yield {
      at: rules.at(rules.opening(node)),
      message:
        'The node has no `memory_zones`: releases from v19.0 to v35.0 unwrap them when they check the config, and panic.',
    };
  }
  if (!rules.has({ since: 'v52.0' })) return;
  const [cpus, zoneList, device] = ['cpus', 'memory_zones', 'device_id'].map((key) =>
    rules.present(node, key),
  );
  const own = cpus ?? zoneList;
  const key = cpus ? 'cpus' : 'memory_zones';
  if (device && own) {
    yield {
      at: rules.at(device.key),
      message: `A node is a device or has CPUs and memory, and this has both: ${REFUSED} (InvalidNumaConfig).`,
      related: [rules.related(own.key, `\`${key}\``)],
    };
  } else if (!device && !own) {
    yield {
      at: rules.at(rules.opening(node)),
      message: `The node has no \`cpus\`, \`memory_zones\` or \`device_id\`: ${REFUSED} since v51.0 (InvalidNumaConfig).`,
    };
  } else if (own && itemsOf(node, key).length === 0 && rules.source.text[own.start] === '[') {
    yield {
      at: rules.at(own),
      message: `\`${key}\` is empty: ${REFUSED} since v51.0 (InvalidNumaConfig).`,
    };
  }
}

/** Names of the zones of memory; null where one of them is filled in. */
function zoneNames(rules: CloudHypervisorRules): ReadonlySet<string> | null {
  const names = rules.zones.flatMap((zone) => textOf(zone, 'id')?.value ?? []);
  return names.length === itemsOf(rules.memory, 'zones').length ? new Set(names) : null;
}

function* zones(
  rules: CloudHypervisorRules,
  node: ObjectNode,
  known: ReadonlySet<string> | null,
  seen: Map<string, NodeSpan>,
): Generator<Found> {
  for (const item of itemsOf(node, 'memory_zones')) {
    if (item.kind !== 'string' || isTemplate(item.value)) continue;
    const first = seen.get(item.value);
    if (first) {
      yield {
        at: rules.at(item),
        message: `Zone \`${item.value}\` belongs to a node already: ${REFUSED} (MemoryZoneReused).`,
        related: [rules.related(first, 'The same zone')],
      };
    } else if (known && !known.has(item.value)) {
      const nearest = nearestName(item.value, known);
      yield {
        at: rules.at(item),
        message: `\`memory.zones\` has no \`${item.value}\`: ${REFUSED} (InvalidNumaConfig).`,
        fixes:
          nearest === undefined ? [] : [rules.replace(`Change to ${nearest}`, item, JSON.stringify(nearest))],
      };
    }
    seen.set(item.value, item);
  }
}

function* distances(
  rules: CloudHypervisorRules,
  node: ObjectNode,
  destinations: ReadonlySet<bigint>,
): Generator<Found> {
  const seen = new Map<bigint, NodeSpan>();
  for (const distance of objectsOf(node, 'distances')) {
    const to = integerOf(distance, 'destination');
    if (!to) continue;
    const first = seen.get(to.value);
    if (!destinations.has(to.value)) {
      yield {
        at: rules.at(to),
        message: `There is no node ${to.value}: ${REFUSED} (InvalidNumaConfig).`,
      };
    } else if (first) {
      yield {
        at: rules.at(to),
        message: `The distance to node ${to.value} is given already: ${REFUSED} (InvalidNumaConfig).`,
        related: [rules.related(first, 'The first distance')],
      };
    }
    seen.set(to.value, to);
  }
}

function* segments(
  rules: CloudHypervisorRules,
  node: ObjectNode,
  id: bigint,
  seen: Map<bigint, NodeSpan>,
): Generator<Found> {
  if (!rules.has({ since: 'v38.0' })) return;
  for (const item of itemsOf(node, 'pci_segments')) {
    if (item.kind !== 'integer') continue;
    const first = seen.get(item.value);
    if (item.value === 0n && id !== 0n) {
      yield {
        at: rules.at(item),
        message: `Segment 0 belongs to node 0: ${REFUSED} (DefaultPciSegmentInvalidNode).`,
      };
    } else if (first) {
      yield {
        at: rules.at(item),
        message: `Segment ${item.value} belongs to a node already: ${REFUSED} (PciSegmentReused).`,
        related: [rules.related(first, 'The same segment')],
      };
    }
    seen.set(item.value, item);
  }
}
