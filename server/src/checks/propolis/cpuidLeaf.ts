/** Leaves of the CPUID profile that the VM has: their names, their values, and two for one place. */
import { isTemplate } from '../../text/shape/checkShape';
import type { ConfigMember, NodeSpan } from '../../text/shape/node';
import type { Found } from '../check';
import { propolisCheck, type NamedTable, type PropolisRules } from './propolisCheck';

const U32_MOST = 0xffff_ffffn;

export const cpuidLeaf = propolisCheck(
  { code: 'propolis-cpuid-leaf', severity: 'error', title: 'A CPUID leaf that Propolis cannot read' },
  function* (rules) {
    const named = rules.main('cpuid_profile')?.value;
    const profile = rules.profiles.find(({ name }) => named?.kind === 'string' && named.value === name);
    if (profile) yield* leavesOf(rules, profile);
  },
);

interface Leaf {
  readonly leaf: bigint;
  readonly subleaf: bigint | null;
}

function* leavesOf(rules: PropolisRules, { table }: NamedTable): Generator<Found> {
  const first = new Map<string, NodeSpan>();
  const forms = new Map<bigint, { readonly key: NodeSpan; readonly subleaves: boolean }>();
  for (const { key, value } of table.members) {
    if (key.text === 'vendor' || isTemplate(key.text)) continue;
    const at = rules.at(key);
    const leaf = leafOf(key.text);
    if (!leaf) {
      yield {
        at,
        message: `\`${key.text.slice(0, 60)}\` names no CPUID leaf: propolis-standalone ends with "Unable to parse leaf". It takes LEAF or LEAF-SUBLEAF, each a hexadecimal number of 32 bits without 0x.`,
        ...hexFix(rules, key),
      };
      continue;
    }
    const problem = value && valueProblem(value);
    if (value && problem) yield { at: rules.at(value), message: problem };
    const place = `${leaf.leaf}-${leaf.subleaf ?? ''}`;
    const same = first.get(place);
    if (same) {
      yield {
        at,
        message: `This is the same leaf as \`${rules.source.text.slice(same.start, same.end).slice(0, 60)}\`: propolis-standalone ends with a conflict between the two.`,
        related: [rules.related(same, 'The first one')],
      };
      continue;
    }
    first.set(place, key);
    const subleaves = leaf.subleaf !== null;
    const form = forms.get(leaf.leaf);
    if (!form) forms.set(leaf.leaf, { key, subleaves });
    else if (form.subleaves !== subleaves && rules.version.facts.strictSubleaves) {
      yield {
        at,
        message: `Leaf ${leaf.leaf.toString(16)} stands here ${subleaves ? 'with' : 'without'} a subleaf and ${subleaves ? 'without' : 'with'} one elsewhere: propolis-standalone takes one form of a leaf alone, and ends with an error.`,
        related: [rules.related(form.key, 'The other form')],
      };
    }
  }
}

/** Null where u32::from_str_radix refuses a part, which takes a plus sign but no 0x. */
function leafOf(text: string): Leaf | null {
  const match = /^\+?([0-9A-Fa-f]{1,64})(?:-\+?([0-9A-Fa-f]{1,64}))?$/.exec(text);
  if (!match) return null;
  const [leaf, subleaf] = [match[1], match[2]].map((digits) =>
    digits === undefined ? null : BigInt(`0x${digits}`),
  );
  if (leaf === null || leaf === undefined || leaf > U32_MOST || (subleaf ?? 0n) > U32_MOST) return null;
  return { leaf, subleaf: subleaf ?? null };
}

function hexFix(rules: PropolisRules, key: ConfigMember['key']): Pick<Found, 'fixes'> {
  const plain = key.text.replace(/0[xX]/g, '');
  if (plain === key.text || !leafOf(plain)) return {};
  return { fixes: [rules.replace(`Change to "${plain}"`, key, `"${plain}"`, true)] };
}

function valueProblem(value: NonNullable<ConfigMember['value']>): string | null {
  const ends = 'propolis-standalone ends with "Unable to parse values"';
  if (value.kind === 'invalid') return null;
  if (value.kind === 'string' && isTemplate(value.value)) return null;
  if (value.kind !== 'array') return `A leaf is an array of eax, ebx, ecx and edx: ${ends}.`;
  if (value.items.some(({ kind }) => kind === 'invalid')) return null;
  if (value.items.length !== 4) {
    return `A leaf has four values, eax, ebx, ecx and edx, and here ${value.items.length === 1 ? 'is 1' : `are ${value.items.length}`}: ${ends}.`;
  }
  for (const item of value.items) {
    if (item.kind !== 'integer') return `The values of a leaf must be integers: ${ends}.`;
    if (item.value < 0n || item.value > U32_MOST) {
      return `${item.value} is no number of 32 bits without a sign: ${ends}.`;
    }
  }
  return null;
}
