/** A memory map runs under vmd on its own regions, as under the other VMMs, and the guest is told of them. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { createCore } from '../../../server/emulator/core';
import { memmap } from '../../../server/src/memory-map/language';
import { simulate } from '../../../server/src/simulation/simulate';
import { SourceText } from '../../../server/src/text/sourceText';
import { VMD } from '../../../server/src/vmm/vmd/model';

const MAP = `BIOS-e820: [mem 0x0000000000000000-0x000000000009ffff] usable
BIOS-e820: [mem 0x00000000000f0000-0x00000000000fffff] reserved
BIOS-e820: [mem 0x0000000000100000-0x000000003fffffff] usable
BIOS-e820: [mem 0x00000000fffc0000-0x00000000ffffffff] reserved
`;

for (const [version, told] of [
  ['x86_vm-1.27', /e820 from fw_cfg.*\n[^]*e820 0xfffc0000 length 0x40000 type 0x2[^]*status complete/],
  // The BIOS of that time has the size from the RTC's NVRAM.
  [
    'loadfile-1.11',
    /sizes from CMOS.*\n[^]*e820 0x100000 length 0x3ff00000 type 0x1[^]*status (complete|memory-lost)/,
  ],
] as const) {
  test(`vmd@${version}: a memory map keeps its regions, and the guest is told of them`, () => {
    const [mapped] = memmap.parse(new SourceText('file:///map', MAP), { files: new Map() }).machines;
    const report = simulate(
      { ...mapped!, vmm: 'vmd', version },
      VMD,
      version,
      {
        ...{ machine: null, firmware: null, kernel: null, probe: 'boot-path', taps: [] },
        ...{ maxInstructions: 3_000_000, reboots: 0 },
      },
      { createCore, cancelled: () => false, progress: () => undefined },
    );
    assert.match(report.console, told, report.reason);
  });
}
