/** ROMs on the plain PC: own probes, and the firmware of Debian packages where they are installed. */
import { strict as assert } from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { probeNamed } from '../../../server/src/simulation/probes/probes';
import { probeRom } from '../../../server/src/simulation/probes/rom';
import { linuxFile } from '../../unit/image/linuxFile';
import { bootPcFirmware } from './bootPcFirmware';

const packaged = (file: string, name: string) =>
  existsSync(file) ? {} : { skip: `${file} is not there (Debian package ${name})` };

test('the vCPU starts at the reset vector, and the end of the ROM is below 1 MiB too', () => {
  const report = bootPcFirmware(probeRom(probeNamed('boot-path')!), { maxInstructions: 5_000_000 });
  assert.match(report.console, /status complete/);
});

test('the ROM reads as flash: a write to it changes nothing', () => {
  // At the reset vector, CS.base 0xffff0000: MOV BYTE CS:[0xff00], 1; compare; HLT.
  const rom = new Uint8Array(65536);
  rom[0xff00] = 0x5a;
  rom.set([0x2e, 0xc6, 0x06, 0x00, 0xff, 0x01, 0x2e, 0xa0, 0x00, 0xff, 0xf4], 0xfff0);
  const report = bootPcFirmware(rom);
  // CS is writable after RESET (attributes 0x93), so the write reaches the bus.
  assert.equal(report.outcome, 'halted', report.reason);
  assert.equal(report.vcpus[0]!.registers.general.rax, 0x5an);
});

test('a ROM of a size that no flash has does not start', () => {
  const report = bootPcFirmware(new Uint8Array(65537).fill(0xeb));
  assert.equal(report.outcome, 'vmm-exit');
  assert.match(report.reason, /65537 bytes, 1 more than a multiple of 4 KiB/);
});

for (const file of ['bios.bin', 'bios-256k.bin']) {
  const path = `/usr/share/seabios/${file}`;
  test(`SeaBIOS (${file}) says on COM1 that nothing boots, and waits`, packaged(path, 'seabios'), () => {
    const report = bootPcFirmware(readFileSync(path));
    assert.match(report.console, /SeaBIOS \(version [^)]*\)\r\nBooting from Floppy\.\.\./);
    assert.match(report.console, /Booting from Hard Disk/);
    assert.match(report.console, /No bootable device\.\r\n$/);
    assert.equal(report.outcome, 'halted', report.reason);
  });
}

const QBOOT = '/usr/share/qemu/qboot.rom';
test('qboot halts where there is no kernel', packaged(QBOOT, 'qemu-system-data'), () => {
  const report = bootPcFirmware(readFileSync(QBOOT));
  assert.equal(report.outcome, 'halted', report.reason);
  assert.equal(report.vcpus[0]!.mode, 'protected-32');
});

test('qboot starts the kernel that fw_cfg holds for it', packaged(QBOOT, 'qemu-system-data'), () => {
  // The setup code at 0x200 writes a letter to COM1 and halts; qboot enters it at 0x1020:0.
  const code = [0xeb, 0x66];
  const kernel = linuxFile();
  kernel.set(code, 0x200);
  kernel.set([0xba, 0xf8, 0x03, 0xb0, 0x4b, 0xee, 0xfa, 0xf4], 0x268);
  const report = bootPcFirmware(readFileSync(QBOOT), {
    kernel,
    boot: {
      protocol: null,
      imageName: 'bzImage',
      commandLine: '',
      modules: [],
    },
  });
  assert.equal(report.console, 'K', report.reason);
  assert.equal(report.vcpus[0]!.registers.segments.cs.selector, 0x1020);
});
