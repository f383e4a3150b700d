/** Sizes as the command line takes them: in JSON they are numbers of bytes (option_parser/src/lib.rs, ByteSized, is not asked). */
import { formatSize } from '../../address/format';
import type { ShapeProblem } from '../../text/shape/checkShape';
import { memberOf, nodeAt, type ConfigNode } from '../../text/shape/node';
import { quote } from '../places';
import { cloudHypervisorCheck } from './cloudHypervisorCheck';

const UNITS: Readonly<Record<string, bigint>> = {
  '': 1n,
  K: 1n << 10n,
  M: 1n << 20n,
  G: 1n << 30n,
  T: 1n << 40n,
};
const SIZE_KEYS: ReadonlySet<string> = new Set(['size', 'hotplug_size', 'hotplugged_size', 'hugepage_size']);
const SECTIONS: readonly string[] = ['memory', 'balloon', 'pmem', 'sgx_epc', 'ivshmem'];

/** What a text means as a size, in bytes: the command line's suffixes, and how people write them else. */
function bytesOf(text: string): bigint | null {
  const match = /^\s*(\d{1,19})\s*([KMGT]?)(?:i?B)?\s*$/i.exec(text);
  return match ? BigInt(match[1]!) * UNITS[match[2]!.toUpperCase()]! : null;
}

function isSizePath(path: readonly (string | number)[]): boolean {
  return SECTIONS.includes(String(path[0])) && SIZE_KEYS.has(String(path.at(-1)));
}

/** The rule says it with the number, so the shape does not. */
export function isSizeText(problem: ShapeProblem, config: ConfigNode): boolean {
  if (problem.kind !== 'wrong-type' || !isSizePath(problem.path)) return false;
  const value = nodeAt(config, ...problem.path);
  return value?.kind === 'string' && bytesOf(value.value) !== null;
}

export const sizeText = cloudHypervisorCheck(
  { code: 'cloud-hypervisor-size-text', severity: 'error', title: 'A size in quotes' },
  function* (rules) {
    for (const node of objectsIn(SECTIONS.map((key) => memberOf(rules.config, key)?.value ?? null))) {
      for (const { key, value } of node.members) {
        if (!SIZE_KEYS.has(key.text) || value?.kind !== 'string') continue;
        const bytes = bytesOf(value.value);
        if (bytes === null) continue;
        yield {
          at: rules.at(value),
          message: `${quote(value.value)} is how the command line takes a size. In JSON it is a number of bytes, ${bytes} for ${formatSize(bytes)}: serde refuses a string, and vm.create fails.`,
          fixes: [rules.replace(`Change to ${bytes}`, value, `${bytes}`, true)],
        };
      }
    }
  },
);

/** The objects, those of lists, and the zones of memory. */
function* objectsIn(
  nodes: readonly (ConfigNode | null)[],
): Generator<ConfigNode & { readonly kind: 'object' }> {
  for (const node of nodes) {
    if (node?.kind === 'array') yield* objectsIn(node.items);
    else if (node?.kind === 'object') {
      yield node;
      const zones = memberOf(node, 'zones')?.value;
      if (zones?.kind === 'array') yield* objectsIn(zones.items);
    }
  }
}
