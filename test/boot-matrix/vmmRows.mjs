// What the matrix boots under the models of VMMs: configs of configs/ with an image of a Debian package in the place of theirs. None
// of these machines is QEMU's. Fields as in rows.mjs; `vmm` is the model and its version, `ends.wrote` what the guest says before.
import { FIRST_LINE, LINUX, OVMF, ROOT_MOUNT, SEABIOS } from './packageNames.mjs';

const configs = 'test/boot-matrix/configs';

/** The Debian cloud kernel; `image` is the bzImage or the ELF file in it, `way` how the VMM starts that. */
const linux = (id, vmm, config, [image, way], row) => ({
  id: `vmm-${id}`,
  title: `Linux 6.1 cloud, ${way}`,
  vmm,
  packages: { kernel: [LINUX, 'boot/vmlinuz-*'] },
  bootpath: ({ kernel, vmlinux }) => [
    `${configs}/${config}`,
    '--as',
    vmm,
    '--image',
    image === 'vmlinux' ? vmlinux() : kernel,
    ...(row.append ? ['--append', row.append] : []),
  ],
  ...row,
});

const firmware = (id, title, vmm, config, [name, path], row) => ({
  id: `vmm-${id}`,
  title,
  vmm,
  packages: { rom: [name, path] },
  bootpath: ({ rom }) => [`${configs}/${config}`, '--as', vmm, '--firmware', rom, ...(row.options ?? [])],
  ...row,
});

const BIOS = [SEABIOS, 'usr/share/seabios/bios-256k.bin'];

export const VMM_ROWS = [
  linux('firecracker-pvh', 'firecracker@1.16', 'firecracker.json', ['vmlinux', 'PVH, panic=-1 reboot=k'], {
    ends: { outcome: 'vmm-exit', reason: /OUT 0x64, 0xfe.*exit status 0/, wrote: ROOT_MOUNT },
  }),
  linux('firecracker-linux64', 'firecracker@1.11', 'firecracker.json', ['vmlinux', '64-bit entry'], {
    until: ROOT_MOUNT,
  }),
  // ACPI is hardware-reduced, so Linux asks EFI (efi_reboot_required), which is not there, and then the BIOS, for which it first
  // writes CMOS register 0xF (machine_real_restart).
  linux(
    'cloud-hypervisor-pvh',
    'cloud-hypervisor@v53.0',
    'cloud-hypervisor.json',
    ['vmlinux', 'PVH, panic=-1'],
    {
      ends: { outcome: 'guest-panic', reason: /CMOS register 0x8f/, wrote: ROOT_MOUNT },
    },
  ),
  linux(
    'cloud-hypervisor-bzimage',
    'cloud-hypervisor@v53.0',
    'cloud-hypervisor.json',
    ['bzImage', 'bzImage, 32-bit entry'],
    { until: ROOT_MOUNT },
  ),
  linux(
    'cloud-hypervisor-linux64',
    'cloud-hypervisor@v15.0',
    'cloud-hypervisor.json',
    ['vmlinux', '64-bit entry'],
    { until: FIRST_LINE },
  ),
  linux('libkrun-pvh', 'libkrun@1.19.0', 'libkrun.c', ['vmlinux', 'PVH, panic=-1 reboot=k'], {
    ends: { outcome: 'vmm-exit', reason: /0xfe to port 0x64.*status 0/, wrote: ROOT_MOUNT },
  }),
  linux('libkrun-linux64', 'libkrun@1.16.0', 'libkrun.c', ['vmlinux', '64-bit entry'], { until: FIRST_LINE }),
  linux('bhyve-grub', 'bhyve@freebsd-15', 'bhyve.conf', ['bzImage', 'grub2-bhyve’s 32-bit entry, 2 vCPUs'], {
    append: 'console=ttyS0 earlyprintk=ttyS0',
    until: ROOT_MOUNT,
  }),
  firmware(
    'propolis-ovmf',
    'OVMF, 2 MiB, without variable store',
    'propolis@2026-06',
    'propolis.toml',
    [OVMF, 'usr/share/OVMF/OVMF_CODE.fd'],
    { until: 'BdsDxe: ' },
  ),
  // vmd's own SeaBIOS is patched not to use string I/O; a run with a tapped port goes on past it.
  firmware('vmd-seabios', 'SeaBIOS, 256 KiB, which uses string I/O', 'vmd@7.8', 'vm.conf', BIOS, {
    ends: { outcome: 'vmm-exit', reason: /^REP INSB at port 0x511/ },
  }),
  firmware(
    'vmd-seabios-passed-over',
    'SeaBIOS, 256 KiB, string I/O passed over',
    'vmd@7.8',
    'vm.conf',
    BIOS,
    {
      options: ['--tap', '0x402'],
      until: 'No bootable device.',
    },
  ),
];
