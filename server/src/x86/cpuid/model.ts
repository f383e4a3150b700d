/**
 * CPUID as a value: leaves that a VMM masks, forces and replaces one by one, as hypervisors do with the CPUID of their host.
 * Nothing is changed in place. OSXSAVE, OSPKE, the APIC bit and the sizes in leaf 0xD follow the running CPU: whoever
 * executes CPUID sets them (the emulator core does).
 */
import { vendorOf, type CpuidAnswers, type CpuidRegisters, type CpuVendor } from './answers';
import { CPUID_REGISTERS, cpuidFeature, type CpuidFeatureName, type CpuidRegisterName } from './features';

/** One answer; `subleaf` null answers every subleaf that has no row of its own. */
export interface CpuidLeaf {
  readonly leaf: number;
  readonly subleaf: number | null;
  readonly registers: CpuidRegisters;
}

export type CpuidWords = Partial<Readonly<Record<CpuidRegisterName, number>>>;

/**
 * The leaf that answers one beyond the maximum of its range, null for zeros. Processors: Intel the highest basic leaf (SDM
 * vol. 2A, CPUID), AMD zeros (APM vol. 3, appendix E). A VMM may have its own rule.
 */
export type OutOfRange = (leaf: number, model: CpuidModel) => number | null;

const HYPERVISOR = 0x40000000;
const EXTENDED = 0x80000000;
const NOTHING: CpuidRegisters = [0, 0, 0, 0];

/** Leaves whose answer depends on ECX (SDM vol. 2A, CPUID; APM vol. 3, appendix E). */
const WITH_SUBLEAVES: ReadonlySet<number> = new Set([
  ...[4, 7, 0xb, 0xd, 0xf, 0x10, 0x12, 0x14, 0x17, 0x18, 0x1b, 0x1d, 0x1f, 0x20, 0x23, 0x24],
  ...[0x8000001d, 0x80000020, 0x80000026],
]);
const hasSubleaves = (leaf: number): boolean =>
  WITH_SUBLEAVES.has(leaf) || (leaf >= HYPERVISOR && leaf < EXTENDED);

const processorRule: OutOfRange = (_leaf, model) => (model.vendor === 'intel' ? model.maximum(0) : null);

const keyOf = (leaf: number, subleaf: number | null): string => `${leaf}.${subleaf ?? '*'}`;

export class CpuidModel implements CpuidAnswers {
  private readonly rows: ReadonlyMap<string, CpuidRegisters>;

  private constructor(
    readonly leaves: readonly CpuidLeaf[],
    private readonly outOfRange: OutOfRange,
  ) {
    this.rows = new Map(leaves.map(({ leaf, subleaf, registers }) => [keyOf(leaf, subleaf), registers]));
  }

  static of(leaves: readonly CpuidLeaf[], outOfRange: OutOfRange = processorRule): CpuidModel {
    const sorted = leaves.map(({ leaf, subleaf, registers }) => ({
      leaf: leaf >>> 0,
      subleaf: hasSubleaves(leaf >>> 0) ? subleaf : null,
      registers: unsigned(registers),
    }));
    sorted.sort((a, b) => a.leaf - b.leaf || (a.subleaf ?? -1) - (b.subleaf ?? -1));
    return new CpuidModel(sorted, outOfRange);
  }

  get vendor(): CpuVendor {
    return vendorOf(this);
  }

  /** The highest leaf of the range that begins at `range`, as its first leaf says; 0 where there is none. */
  maximum(range: number): number {
    return this.row(range, 0)?.[0] ?? 0;
  }

  /** What CPUID answers on vCPU number `vcpu`, whose APIC ID is that number. */
  cpuid(leaf: number, subleaf: number, vcpu: number): CpuidRegisters {
    const asked = leaf >>> 0;
    const range = asked >= EXTENDED ? EXTENDED : asked >= HYPERVISOR ? HYPERVISOR : 0;
    // Leaves of a hypervisor are its own: it answers, or nobody does.
    const inside = asked <= this.maximum(range) || (range === HYPERVISOR && this.row(HYPERVISOR, 0));
    const answering = inside ? asked : this.outOfRange(asked, this);
    return answering === null ? NOTHING : this.answer(answering, subleaf >>> 0, vcpu);
  }

  private row(leaf: number, subleaf: number): CpuidRegisters | undefined {
    return this.rows.get(keyOf(leaf, subleaf)) ?? this.rows.get(keyOf(leaf, null));
  }

  private answer(leaf: number, subleaf: number, vcpu: number): CpuidRegisters {
    const [eax, ebx, ecx, edx] = this.row(leaf, subleaf) ?? NOTHING;
    if (leaf === 1) return [eax, ((ebx & 0x00ffffff) | (vcpu << 24)) >>> 0, ecx, edx];
    if ((leaf === 0xb || leaf === 0x1f) && this.row(leaf, 0))
      // The x2APIC ID, and the subleaf that was asked for, come with invalid subleaves as well.
      return [eax, ebx, ((ecx & ~0xff) | (subleaf & 0xff)) >>> 0, vcpu >>> 0];
    if (leaf === 0x8000001e && this.row(leaf, 0)) return [vcpu >>> 0, ebx, ecx, edx];
    return [eax, ebx, ecx, edx];
  }

  /** Replaces a leaf, or one subleaf of it; null takes it away. A change of the maximum is a change of leaf 0 or 0x80000000. */
  replace(leaf: number, asked: number | null, registers: CpuidRegisters | null): CpuidModel {
    const subleaf = hasSubleaves(leaf >>> 0) ? asked : null;
    const others = this.leaves.filter(
      (row) => row.leaf !== leaf >>> 0 || (subleaf !== null && row.subleaf !== subleaf),
    );
    return this.from(registers === null ? others : [...others, { leaf, subleaf, registers }]);
  }

  /** Keeps, of one leaf, the bits that are set in `words`; registers that are not named stay. */
  mask(leaf: number, subleaf: number, words: CpuidWords): CpuidModel {
    return this.change(leaf, subleaf, words, (old, word) => old & word);
  }

  /** Sets bits of one leaf. */
  force(leaf: number, subleaf: number, words: CpuidWords): CpuidModel {
    return this.change(leaf, subleaf, words, (old, word) => old | word);
  }

  /** Offers features; the maximum of a range rises where a feature's leaf needs it. */
  with(...names: readonly CpuidFeatureName[]): CpuidModel {
    return names.reduce<CpuidModel>((model, name) => {
      const { leaf, subleaf, register, bit } = cpuidFeature(name);
      const range = leaf >= EXTENDED ? EXTENDED : 0;
      const reached = model.maximum(range) >= leaf ? model : model.limit(range, leaf);
      return reached.force(leaf, subleaf, { [register]: 1 << bit });
    }, this);
  }

  without(...names: readonly CpuidFeatureName[]): CpuidModel {
    return names.reduce<CpuidModel>((model, name) => {
      const { leaf, subleaf, register, bit } = cpuidFeature(name);
      return model.mask(leaf, subleaf, { [register]: ~(1 << bit) });
    }, this);
  }

  /** The highest leaf of a range, kept low or raised. */
  limit(range: number, maximum: number): CpuidModel {
    const [, ebx, ecx, edx] = this.row(range, 0) ?? NOTHING;
    return this.replace(range, null, [maximum, ebx, ecx, edx]);
  }

  /** The same leaves with another rule for those beyond the maximum. */
  beyond(outOfRange: OutOfRange): CpuidModel {
    return CpuidModel.of(this.leaves, outOfRange);
  }

  private change(
    leaf: number,
    subleaf: number,
    words: CpuidWords,
    combine: (old: number, word: number) => number,
  ): CpuidModel {
    const old = this.row(leaf, subleaf) ?? NOTHING;
    const registers = CPUID_REGISTERS.map((name, i) => {
      const word = words[name];
      return word === undefined ? old[i]! : combine(old[i]!, word);
    }) as unknown as CpuidRegisters;
    const own = this.leaves.some((row) => row.leaf === leaf >>> 0 && row.subleaf === null) ? null : subleaf;
    return this.replace(leaf, own, registers);
  }

  private from(leaves: readonly CpuidLeaf[]): CpuidModel {
    return CpuidModel.of(leaves, this.outOfRange);
  }
}

function unsigned([eax, ebx, ecx, edx]: CpuidRegisters): CpuidRegisters {
  return [eax >>> 0, ebx >>> 0, ecx >>> 0, edx >>> 0];
}
