/** What the panel shows, as plain data made of a layout message. */
import { formatSize, formatSizeShort } from '../../server/src/address/format';
import { KIND_WORDS } from '../../server/src/picture/pictureMachine';
import type { ToWebview } from './messages';

type Layout = Extract<ToWebview, { type: 'layout' }>;
export type WireMachine = Layout['machines'][number];
type WireRegion = WireMachine['regions'][number];

export interface RegionView {
  /** Index into the machine's regions. */
  readonly index: number;
  /** Stays the same over edits that leave the region alone: what a selection is kept by. */
  readonly key: string;
  readonly start: bigint;
  readonly end: bigint;
  readonly kind: WireRegion['kind'];
  readonly kindWord: string;
  readonly name: string;
  /** Exact. */
  readonly size: string;
  /** At most two decimals, marked where that rounds. */
  readonly shortSize: string;
  readonly permissions: string | null;
  readonly reason: string;
  readonly approximate: boolean;
  /** Where it was written; null where only the VMM says so. */
  readonly source: { readonly uri: string; readonly range: NonNullable<WireRegion['range']> } | null;
}

export function regionViews(machine: WireMachine): RegionView[] {
  const seen = new Map<string, number>();
  return machine.regions.map((region, index) => {
    const start = BigInt(region.start);
    const end = BigInt(region.end);
    const bytes = end > start ? end - start : 0n;
    // Two regions of one name and kind are told apart by their order.
    const base = `${region.kind} ${region.name}`;
    const nth = seen.get(base) ?? 0;
    seen.set(base, nth + 1);
    return {
      index,
      key: `${base} ${nth}`,
      start,
      end,
      kind: region.kind,
      kindWord: KIND_WORDS[region.kind],
      name: region.name.trim() === '' ? KIND_WORDS[region.kind] : region.name,
      size: (region.approximate ? '~' : '') + formatSize(bytes),
      shortSize: (region.approximate ? '~' : '') + formatSizeShort(bytes),
      permissions: region.permissions,
      reason: region.reason,
      approximate: region.approximate,
      source: region.uri !== null && region.range !== null ? { uri: region.uri, range: region.range } : null,
    };
  });
}

/** `0x9fc00`, with a `~` where the source prints rounded numbers. */
export const hexText = (value: bigint, approximate = false): string =>
  `${approximate ? '~' : ''}0x${value.toString(16)}`;

/** What a screen reader says for a region. */
export function spoken(region: RegionView): string {
  const parts = [
    region.name === region.kindWord ? region.kindWord : `${region.name}, ${region.kindWord}`,
    `from ${hexText(region.start)} to ${hexText(region.end, region.approximate)}, exclusive`,
    region.size,
    region.permissions === null ? null : `permissions ${region.permissions}`,
    region.source === null ? 'decided by the VMM' : `line ${region.source.range.start.line + 1}`,
  ];
  return parts.filter((part) => part !== null).join('; ');
}

export const lineOf = (region: RegionView): number | null =>
  region.source === null ? null : region.source.range.start.line + 1;
