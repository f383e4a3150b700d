// What the matrix boots: an image of a Debian package, how Bootpath and QEMU are asked to boot it, and the milestone: the text
// `until` that the guest must write, or how the run must end (`ends`).
import { FIRST_LINE, LINUX, OVMF, ROOT_MOUNT, SEABIOS } from './packageNames.mjs';
import { VMM_ROWS } from './vmmRows.mjs';

const MEMTEST = 'memtest86+';
const QBOOT = 'qemu-system-data';
const XEN = 'xen-hypervisor-4.17-amd64';
const I386 = 'debian-installer-12-netboot-i386';

const firmware = (id, title, name, path, row) => ({
  id,
  title,
  packages: { rom: [name, path] },
  memory: '128M',
  ...row,
});

const seabios = (size, file) =>
  firmware(`seabios-${size}`, `SeaBIOS, ${size} KiB`, SEABIOS, `usr/share/seabios/${file}`, {
    until: 'No bootable device.',
    bootpath: ({ rom }) => [rom, '--tap', '0x402'],
    qemu: ({ rom }) => ({
      args: ['-M', 'pc', '-nodefaults', '-bios', rom],
      channel: 'debug port',
    }),
  });

const ovmf = (size, code, vars) => ({
  id: `ovmf-${size}`,
  title: `OVMF, ${size} MiB`,
  packages: { code: [OVMF, `usr/share/OVMF/${code}`], vars: [OVMF, `usr/share/OVMF/${vars}`] },
  memory: '128M',
  until: 'BdsDxe: ',
  bootpath: ({ code }) => [code],
  qemu: ({ code, vars }) => ({
    args: [
      ...['-M', 'pc', '-nodefaults', '-drive', `if=pflash,unit=0,format=raw,readonly=on,file=${code}`],
      // Written to a temporary copy.
      ...['-drive', `if=pflash,unit=1,format=raw,snapshot=on,file=${vars}`],
    ],
  }),
});

/** `nopause`: without the five seconds in which its menu waits for a key. */
const MEMTEST_LINE = 'nopause console=ttyS0,115200';

const memtest = (width) => ({
  id: `memtest86+-${width}`,
  title: `memtest86+ 6.10, ${width}`,
  packages: { kernel: [MEMTEST, `boot/memtest86+${width}.bin`] },
  memory: '64M',
  until: '#0  [Address test',
  bootpath: ({ kernel }) => [kernel, '--append', MEMTEST_LINE],
  qemu: ({ kernel }) => ({ args: ['-M', 'pc', '-kernel', kernel, '-append', MEMTEST_LINE] }),
});

const CONSOLE = 'console=ttyS0 earlyprintk=ttyS0';

/** The bzImage, or for PVH the ELF file in it. */
const kernelFor = (protocol, { kernel, vmlinux }) => (protocol === 'pvh' ? vmlinux() : kernel);

/** The Debian cloud kernel; `protocol` is how its image is booted. */
const linux = (protocol, until, cpus) => ({
  id: `linux-${protocol}-${cpus}cpu-${until === FIRST_LINE ? 'first-line' : 'root-mount'}`,
  title: `Linux 6.1 cloud, ${protocol}, ${cpus} vCPU${cpus > 1 ? 's' : ''}`,
  packages: { kernel: [LINUX, 'boot/vmlinuz-*'] },
  memory: '256M',
  cpus,
  until,
  bootpath: (files) => [kernelFor(protocol, files), '--protocol', protocol, '--append', CONSOLE],
  qemu: (files) => ({ args: ['-M', 'pc', '-kernel', kernelFor(protocol, files), '-append', CONSOLE] }),
});

/** How `reboot=` restarts the machine, and by which words the report tells it. */
const REBOOTS = [
  ['k', 'the keyboard controller', /keyboard controller/],
  ['t', 'a triple fault', /triple fault/],
  ['a', 'the ACPI reset register', /0xcf9/],
  ['p', 'PCI reset, port 0xCF9', /0xcf9/],
  ['b', 'the BIOS, which resets by port 0xCF9', /0xcf9/],
  ['e', 'EFI, which is not there, so the BIOS', /0xcf9/],
];

const reboot = (protocol, cpus, [method, title, reason]) => ({
  id: `linux-reboot-${method}-${protocol}-${cpus}cpu`,
  title: `Linux 6.1 cloud, ${protocol}, ${cpus} vCPU${cpus > 1 ? 's' : ''}, panic=-1 reboot=${method}: ${title}`,
  packages: { kernel: [LINUX, 'boot/vmlinuz-*'] },
  memory: '256M',
  cpus,
  ends: { outcome: 'guest-panic', reason },
  bootpath: (files) => [
    ...[kernelFor(protocol, files), '--protocol', protocol],
    ...['--append', `${CONSOLE} panic=-1 reboot=${method}`],
  ],
  qemu: (files) => ({
    args: [
      ...['-M', 'pc', '-kernel', kernelFor(protocol, files)],
      ...['-append', `${CONSOLE} panic=-1 reboot=${method}`],
    ],
  }),
});

export const ROWS = [
  seabios(128, 'bios.bin'),
  seabios(256, 'bios-256k.bin'),
  firmware('qboot', 'qboot without a kernel: it halts', QBOOT, 'usr/share/qemu/qboot.rom', {
    ends: { outcome: 'halted', reason: /RFLAGS\.IF = 0/ },
    bootpath: ({ rom }) => [rom],
  }),
  memtest('x64'),
  memtest('ia32'),
  ...['linux64', 'pvh'].map((protocol) => linux(protocol, FIRST_LINE, 1)),
  ...['linux64', 'pvh'].flatMap((protocol) => [1, 2].map((cpus) => linux(protocol, ROOT_MOUNT, cpus))),
  ...REBOOTS.map((method) => reboot('pvh', 1, method)),
  ...REBOOTS.map((method) => reboot('linux64', 2, method)),
  {
    id: 'linux-i386-first-line',
    title: 'Debian installer’s i386 kernel (XZ), 32-bit entry',
    packages: {
      kernel: [I386, 'usr/lib/debian-installer/images/12/i386/text/debian-installer/i386/linux'],
    },
    memory: '256M',
    until: FIRST_LINE,
    bootpath: ({ kernel }) => [kernel, '--append', CONSOLE],
    qemu: ({ kernel }) => ({ args: ['-M', 'pc', '-kernel', kernel, '-append', CONSOLE] }),
  },
  {
    id: 'xen-multiboot',
    title: 'Xen 4.17, Multiboot, with the cloud kernel as dom0, which panics',
    packages: { xen: [XEN, 'boot/xen-*-amd64.gz'], dom0: [LINUX, 'boot/vmlinuz-*'] },
    memory: '512M',
    until: ROOT_MOUNT,
    bootpath: ({ xen, dom0 }) => [
      ...[xen, '--protocol', 'multiboot', '--append', 'com1=115200 console=com1 loglvl=all'],
      ...['--module', `${dom0} console=hvc0 earlyprintk=xen`],
    ],
    qemu: ({ gunzipped, dom0 }) => ({
      args: [
        ...['-M', 'pc', '-kernel', gunzipped('xen'), '-append', 'com1=115200 console=com1 loglvl=all'],
        ...['-initrd', `${dom0} console=hvc0 earlyprintk=xen`],
      ],
    }),
  },
  ovmf(2, 'OVMF_CODE.fd', 'OVMF_VARS.fd'),
  ovmf(4, 'OVMF_CODE_4M.fd', 'OVMF_VARS_4M.fd'),
  ...VMM_ROWS,
];
