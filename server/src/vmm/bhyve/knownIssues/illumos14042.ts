/**
 * bhyve's second-level page-table code on illumos took the end of a range as its last page: restarting a guest unmaps the
 * first page of its RAM above 4 GiB together with the boot ROM, and a DEBUG kernel panics at the pages beside it.
 */
import { GIB } from '../../../address/range';
import type { KnownIssue, SimulationCell } from '../../../machine/knownIssue';
import { simulatedGuest } from '../../../machine/simulatedGuest';
import type { VmmOrigin } from '../../../machine/origin';
import { HOST_DEBUG, HOST_MAPPING_ORDER } from '../tearDown';
import { BHYVE_VERSIONS } from '../versions';

const REPORT = 'illumos issue 14042';
const PAGE_TABLE =
  'usr/src/uts/i86pc/io/vmm/vmm_gpt.c: the drafts with closed ranges in oxidecomputer/illumos-gate f9313a54fe53 and pfmooney/illumos-gate 8ef583d0a664, and the fixed file in illumos-gate 13ae1a203367';

const GUEST: VmmOrigin = {
  kind: 'vmm',
  vmm: 'bhyve',
  version: 'illumos-2021-08',
  citation: 'the memory map in illumos issue 14042: 3072 MiB below and 5120 MiB above 4 GiB',
};

/** Port of PM1a_CNT on bhyve (usr.sbin/bhyve/pm.c, PM1A_CNT_ADDR). */
const PM1A_CONTROL = 0x404;

/** A run on the affected version, after the guest has touched pages of high RAM (bit n: page n). */
const touching = (
  name: string,
  pages: number,
  evidence: SimulationCell['evidence'],
  more: Partial<SimulationCell> = {},
): SimulationCell => ({
  version: 'illumos-2021-08',
  probe: 'reset-high-memory',
  ...more,
  name,
  parameters: { pages, ...more.parameters },
  evidence,
});

export const illumos14042: KnownIssue = {
  id: 'illumos-14042',
  vmm: 'bhyve',
  title: 'Restarting a guest panics the host: the end of the boot ROM’s range is taken as its last page',
  link: 'https://github.com/bootpath/bootpath/blob/main/docs/known-issues/illumos-14042.md',
  affected: BHYVE_VERSIONS.filter(({ facts }) => facts.guestPageTable === 'closed').map(({ id }) => id),
  statements: [
    {
      text: 'Mappings are freed with half-open ranges, and the page-table code loops over them while page <= end: unmapping the boot ROM [0xffe00000, 0x100000000) clears the entry of GPA 0x100000000 too.',
      evidence: 'proven',
      citation: `${REPORT}; vmm.c vm_free_memmap; ${PAGE_TABLE}`,
    },
    {
      text: 'Then it vacates the table of that page, and a DEBUG kernel asserts that each of its 512 entries is 0; the first that is not is the first page that the guest has touched beyond 0x100000000: index 1 for 0x100001000.',
      evidence: 'reproduced',
      citation: 'vmm_gpt.c vmm_gpt_vacate_entry, run by the model over the pages that the probe has touched',
    },
    {
      text: 'Debian’s cloud kernel 6.1.192 on the map of the report, restarted by panic=-1 reboot=p, has touched both of the first pages at 4 GiB: the assertion fails at index 1.',
      evidence: 'reproduced',
      citation: 'linux-image-6.1.0-56-cloud-amd64 6.1.192-2 under bhyve@illumos-2021-08',
    },
    {
      text: 'The left side of the assertion, 0xe23cd7067, is a live AMD nested page-table entry: present, writable, user, accessed, dirty. Its frame is a host address.',
      evidence: 'proven',
      citation: `${REPORT}, panic text and stack (rvi_ops_unmap)`,
    },
    {
      text: 'A restart frees only what is not system memory, so that high RAM is still mapped. Destroying the VM frees everything in the order in which it was mapped: under Propolis the boot ROM before high RAM, which asserts and is the stack of the report; under bhyve(8) high RAM first, which is clean.',
      evidence: 'mechanism',
      citation:
        'vmm.c vm_cleanup; libvmmapi vm_setup_memory; oxidecomputer/propolis build_instance at 6d5030114dcd (2021-08-16)',
    },
    {
      text: 'A kernel without DEBUG frees the table with its live entries; the pages belong to the memory object and are faulted in again, so that what stays wrong is the count of mapped pages.',
      evidence: 'inferred',
      citation: 'vmm_gpt.c vmm_gpt_vacate_entry, vmm_gpt_unmap; vmm_sol_vm.c vm_fault',
    },
  ],
  hypotheses: [],
  fix: 'A kernel with the fix of illumos issue 14042 (half-open ranges), or at most 3 GiB of guest memory, so that there is no RAM at 4 GiB.',
  simulation: {
    guest: simulatedGuest(
      { name: 'reported', memory: 8n * GIB, images: [{ role: 'firmware', path: 'bootrom' }] },
      GUEST,
    ),
    firmwareSize: 2 * 1024 * 1024,
    cells: [
      touching('restart, 0x100000000 and 0x100001000 touched', 0b11, 'reproduced'),
      touching('restart, 0x100005000 touched', 0b100000, 'reproduced'),
      touching('restart, 0x100000000 touched', 0b1, 'mechanism'),
      touching('restart, nothing touched above 4 GiB', 0, 'mechanism'),
      touching('restart, kernel without DEBUG', 0b11, 'inferred', { settings: { [HOST_DEBUG]: false } }),
      touching('end of the VM in bhyve’s order', 0b11, 'mechanism', {
        parameters: { power_off: PM1A_CONTROL },
      }),
      touching('end of the VM, mapped in Propolis’ order', 0b11, 'reproduced', {
        parameters: { power_off: PM1A_CONTROL },
        settings: { [HOST_MAPPING_ORDER]: 'propolis' },
      }),
      touching('restart, half-open ranges', 0b11, 'reproduced', { version: 'illumos-2021-09' }),
    ],
    reached({ outcome, reason }) {
      const found = /first live entry is index (\d+), GPA (0x[0-9a-f]+)/.exec(reason);
      return outcome === 'host-panic' && found
        ? `The assertion of the report failed at index ${found[1]}, GPA ${found[2]}.`
        : null;
    },
    shows:
      'The page table is filled by what the guest touched and taken down as the kernel does it, once with closed and once with half-open ranges. Host addresses are not modelled, so the value of the entry in the panic is left out.',
  },
};
