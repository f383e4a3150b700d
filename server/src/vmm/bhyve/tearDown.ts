/**
 * What bhyve's kernel module on illumos does with a guest's second-level page table when the guest is restarted or destroyed:
 * `vm_cleanup` in `vmm.c` frees the mappings one by one, in the order of its table, and each `vm_free_memmap` ends in the
 * unmap and vacate of `vmm_sol_rvi.c` or `vmm_sol_ept.c`. Read at commit cf409e3f2 (2021-05-31) and in the drafts of the page
 * table, oxidecomputer/illumos-gate f9313a54fe53.
 */
import { formatRange, hex } from '../../address/format';
import { contains, intersection, isEmpty, PAGE, type AddressRange } from '../../address/range';
import type { Core } from '../../../emulator/face';
import type { Machine } from '../../machine/machine';
import type { Verdict } from '../model';
import { GuestPageTable, LEAF_SPAN, type GuestPageTableOptions } from './guestPageTable';

/** One entry of `vm->mem_maps`. */
export interface GuestMapping {
  readonly name: string;
  readonly range: AddressRange;
  /** System memory stays mapped across a restart; everything else is unmapped then too. */
  readonly systemMemory: boolean;
}

/** In which order a VMM's userland maps the parts of a guest, which is the order in which they are freed. */
export type MappingOrder = 'bhyve' | 'propolis';

const FOUR_GIB = 0x1_0000_0000n;

/**
 * The mappings of a machine, in the order in which its VMM makes them. bhyve: memory above 4 GiB, memory below, then the boot
 * ROM (`vm_setup_memory` in libvmmapi, then `init_bootrom`). Propolis: memory below 4 GiB, the boot ROM, memory above
 * (`build_instance`, commit 6d5030114dcd of 2021-08-16). `bootrom` is where the ROM is really mapped, in the place of the ROM
 * regions; null leaves it to them, as for a memory map.
 */
export function guestMappings(
  machine: Machine,
  order: MappingOrder,
  bootrom: AddressRange | null = null,
): GuestMapping[] {
  const rank = ({ range, systemMemory }: GuestMapping): number => {
    if (!systemMemory) return order === 'bhyve' ? 2 : 1;
    return range.start >= FOUR_GIB === (order === 'bhyve') ? 0 : order === 'bhyve' ? 1 : 2;
  };
  const mappings = machine.regions
    .filter(({ kind, range }) => (kind === 'ram' || (kind === 'rom' && !bootrom)) && !isEmpty(range))
    .map(({ name, range, kind }) => ({ name, range, systemMemory: kind === 'ram' }));
  if (bootrom) mappings.push({ name: 'bootrom', range: bootrom, systemMemory: false });
  return mappings.sort((a, b) => rank(a) - rank(b));
}

/** Setting of a guest: whether the host's kernel is built with DEBUG. True where nothing says otherwise, as in the report. */
export const HOST_DEBUG = 'host.debug';
/** And in which order the guest was mapped (a MappingOrder), where that was not bhyve(8). */
export const HOST_MAPPING_ORDER = 'host.mapping-order';

export interface TearDownOptions extends GuestPageTableOptions {
  /** The guest's memory is wired: every page is mapped from the start (vm_mmap_memseg with VM_MEMMAP_F_WIRED). */
  readonly wired: boolean;
}

/**
 * Tears down what the guest has touched. `reset` is VM_REINIT, which leaves system memory mapped; `destroy` frees everything.
 * Null where that goes well; a host panic where an assertion fails; otherwise how the guest goes on, with what was lost.
 */
export function tearDownGuest(
  core: Core,
  mappings: readonly GuestMapping[],
  why: 'reset' | 'destroy',
  options: TearDownOptions,
): Verdict | null {
  const table = new GuestPageTable(options);
  for (const { range } of mappings) {
    const touched = core.touchedIn(range.start, range.end);
    const pages = options.wired ? [...touched, ...pagesAtBorders(range, mappings)] : touched;
    if (options.ranges === 'counted') {
      // Tables are made for all of a mapping when it is made. Those without a touched page would only be freed again.
      for (const start of new Set(pages.map((page) => page - (page % LEAF_SPAN)))) {
        table.populateRegion(intersection(range, { start, end: start + LEAF_SPAN })!);
      }
    }
    for (const page of pages) table.map(page, 1n);
  }
  const kept = mappings.filter(({ systemMemory }) => systemMemory && why === 'reset');
  const freed = mappings.filter((mapping) => !kept.includes(mapping));
  const losses: string[] = [];
  for (const [at, mapping] of freed.entries()) {
    // What the mappings that are not freed yet have in the table: nothing of it may change here.
    const others = [...kept, ...freed.slice(at + 1)];
    const before = table.mapped.filter((page) => others.some(({ range }) => contains(range, page)));
    table.unmapRegion(mapping.range);
    const cleared = before.filter((page) => table.lookup(page) === 0n);
    const { assertion, lost } = table.vacateRegion(mapping.range);
    const unmapped = cleared.map((page) => `the entry of GPA ${hex(page)}`).join(', ');
    const closed = `with the end of ${mapping.name} ${formatRange(mapping.range)} taken as its last page it`;
    if (assertion) {
      const clears = unmapped ? `clears ${unmapped} and ` : '';
      return {
        kind: 'host-panic',
        address: mapping.range.start,
        reason:
          `panic "${assertion.text}": the first live entry is index ${assertion.index}, GPA ${hex(assertion.gpa)}. ` +
          `${CALLS[why]}; ${closed} ${clears}vacates the page table behind it. A kernel without DEBUG does not look`,
      };
    }
    if (unmapped) losses.push(`${closed} clears ${unmapped}`);
    for (const { start, entries } of lost) {
      const span = formatRange({ start, end: start + LEAF_SPAN });
      losses.push(
        `the page table of ${span} is freed with ${entries} live ${entries === 1 ? 'entry' : 'entries'}`,
      );
    }
  }
  if (losses.length === 0) return null;
  const after =
    why === 'reset'
      ? ', and the guest gets its pages back at its next access to them (inferred from the source)'
      : ' (inferred from the source)';
  return { kind: AFTER[why], reason: `${CALLS[why]}: ${losses.join('; ')}${after}` };
}

const AFTER = { reset: 'reset', destroy: 'shutdown' } as const;
const CALLS = {
  reset: 'The restart (VM_REINIT, vm_cleanup) frees all mappings but system memory',
  destroy:
    'The end of the VM (vm_destroy, vm_cleanup) frees its mappings in the order in which they were made',
} as const;

/** The pages of a mapping in the leaf tables where any mapping begins or ends: only those tables can be torn down by mistake. */
function pagesAtBorders(range: AddressRange, mappings: readonly GuestMapping[]): bigint[] {
  const leaves = new Set<bigint>();
  for (const { range: other } of mappings) {
    for (const border of [other.start, other.end - 1n, other.end]) leaves.add(border - (border % LEAF_SPAN));
  }
  const pages: bigint[] = [];
  for (const start of leaves) {
    const common = intersection(range, { start, end: start + LEAF_SPAN });
    for (let page = common?.start ?? 0n; common && page < common.end; page += PAGE) pages.push(page);
  }
  return pages;
}
