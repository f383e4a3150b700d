/**
 * bhyve's in-kernel local APIC on illumos refused INIT by shorthand in a way that the instruction emulation took for an
 * access that userland has to make, and the kernel panicked because none was pending.
 */
import { GIB } from '../../../address/range';
import type { KnownIssue, SimulationCell } from '../../../machine/knownIssue';
import { simulatedGuest } from '../../../machine/simulatedGuest';
import type { VmmOrigin } from '../../../machine/origin';
import { BHYVE_VERSIONS } from '../versions';

const REPORT = 'illumos issue 13253';

const GUEST: VmmOrigin = {
  kind: 'vmm',
  vmm: 'bhyve',
  version: 'illumos-2020-09',
  citation: 'a guest of four vCPUs; the report does not say how many it had',
};

const starting = (
  name: string,
  version: string,
  evidence: SimulationCell['evidence'],
  parameters: SimulationCell['parameters'] = {},
): SimulationCell => ({ name, version, probe: 'ap-start', parameters, evidence });

export const illumos13253: KnownIssue = {
  id: 'illumos-13253',
  vmm: 'bhyve',
  title: 'A guest that starts its other CPUs by a broadcast INIT panics the host: bad pending MMIO state',
  link: 'https://github.com/bootpath/bootpath/blob/main/docs/known-issues/illumos-13253.md',
  affected: BHYVE_VERSIONS.filter(
    ({ facts }) => facts.os === 'illumos' && facts.ipiShorthand === 'panic',
  ).map(({ id }) => id),
  statements: [
    {
      text: 'The guest wrote 0xc4500 to ICR low: INIT, assert, edge, all excluding self.',
      evidence: 'proven',
      citation: `${REPORT}, read from the dump there`,
    },
    {
      text: 'vlapic_icrlo_write_handler knows INIT only for one vCPU, named by the destination field; otherwise it returns -1. vie_mmio_write notes a pending request for ESRCH only, vm_handle_mmio_emul takes any negative value for an access that userland has to make, and vie_exitinfo, which it calls, panics because none is pending.',
      evidence: 'proven',
      citation:
        'illumos-gate usr/src/uts/i86pc/io/vmm/{io/vlapic,vmm_lapic,vmm,vmm_instruction_emul}.c at commit 3e1c5f3a8 (2020-09-25)',
    },
    {
      text: 'With the fix the same refusal becomes an instruction-emulation exit, and bhyve aborts; since issue 13275 the command is carried out.',
      evidence: 'reproduced',
      citation: 'commits 06524cf4e (2020-10-29) and 2606939d9 (2021-01-08)',
    },
    {
      text: 'Where the destination field names a vCPU the affected version does not panic: INIT goes to that one, whatever the shorthand says. INIT to the broadcast ID 0xff panics like the shorthand.',
      evidence: 'mechanism',
      citation: 'vlapic_icrlo_write_handler at commit 3e1c5f3a8; not reported',
    },
    {
      text: 'Debian’s OVMF 2022.11 writes 0xc4500 on its way up, in a guest of one vCPU too, and panics the affected version in the model.',
      evidence: 'reproduced',
      citation:
        'OVMF_CODE.fd of ovmf 2022.11-6+deb12u2; EDK2 UefiCpuPkg/Library/BaseXApicLib SendInitIpiAllExcludingSelf',
    },
    {
      text: 'On an Intel host with APIC-access virtualisation, and in x2APIC mode, the write does not pass through the instruction emulation and cannot come to this panic.',
      evidence: 'proven',
      citation: 'intel/vmx.c vmx_handle_apic_write and emulate_wrmsr at commit 3e1c5f3a8',
    },
  ],
  hypotheses: [],
  fix: 'A kernel with the fixes of illumos issues 13253 (no panic) and 13275 (INIT and SIPI to all but self work).',
  simulation: {
    guest: simulatedGuest(
      { name: 'broadcast', memory: 1n * GIB, vcpus: 4, images: [{ role: 'firmware', path: 'bootrom' }] },
      GUEST,
    ),
    cells: [
      starting('affected, ICR 0xc4500', 'illumos-2020-09', 'reproduced'),
      starting('fixed, ICR 0xc4500', 'illumos-2020-12', 'reproduced'),
      starting('INIT and SIPI in full, ICR 0xc4500', 'illumos-2021-03', 'reproduced'),
      starting('newest, ICR 0xc4500', 'illumos-2025', 'reproduced'),
      starting('affected, ICR 0xc4500 with vCPU 1 in the destination', 'illumos-2020-09', 'mechanism', {
        startup: 0x4608,
        destination: 1,
      }),
      starting('affected, ICR 0x4500 to the broadcast ID', 'illumos-2020-09', 'mechanism', {
        init: 0x4500,
        startup: 0x4608,
        destination: 0xff,
      }),
    ],
    reached({ outcome, reason }) {
      const icr = /writes ICR (0x[0-9a-f]+)/.exec(reason);
      return outcome === 'host-panic' && reason.includes('bad pending MMIO state') && icr
        ? `The panic of the report, at ICR ${icr[1]}.`
        : null;
    },
    shows:
      'The interrupt command goes through the decisions of each generation’s in-kernel local APIC. The instruction emulation around it is told, not run, and the host has no APIC-access virtualisation.',
  },
};
