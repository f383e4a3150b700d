/**
 * Keys outside of the PCI devices. Read: freebsd-src usr.sbin/bhyve bhyve_config.5 (2021-09-25), bhyverun.c (2022 to 2026),
 * amd64/bhyverun_machdep.c commits 15181b730, b5e57cb83 and of 2026, amd64/pci_lpc.c commit 6e225b56e, tpm_device.c commit
 * 36a59a73b; illumos-gate usr/src/cmd/bhyve common/bhyverun.c commit 34d47eb96 (2026), amd64/bhyverun_machdep.c commit 5c4a5fe16,
 * common/smbiostbl.c commit 9bdc2660b, common/privileges.c.
 */
import type { KeyRow } from './keyRow';

const COM_PORTS = [1, 2, 3, 4];

/** Tables of SMBIOS strings (smbiostbl.c), by structure: names and what holds where nothing is said. */
const SMBIOS: Readonly<Record<string, readonly string[]>> = {
  bios: ['vendor', 'version', 'release_date'],
  system: ['manufacturer', 'product_name', 'version', 'serial_number', 'sku', 'family_name'],
  board: ['manufacturer', 'product_name', 'version', 'serial_number', 'asset_tag', 'location'],
  chassis: ['manufacturer', 'version', 'serial_number', 'asset_tag', 'sku'],
};

const NEWER_BOOTROM = { freebsd: 'freebsd-15', illumos: 'illumos-2025' } as const;
const ILLUMOS = { illumos: 'illumos-2021-08' } as const;
const ILLUMOS_2025 = { illumos: 'illumos-2025' } as const;
const FREEBSD_15 = { freebsd: 'freebsd-15' } as const;

export const GLOBAL_KEYS: readonly KeyRow[] = [
  {
    key: 'name',
    kind: 'text',
    text: 'Name of the VM. A name at the end of the command line comes later and wins.',
  },
  { key: 'cpus', kind: 'count', default: '1', text: 'Number of vCPUs; has to be sockets × cores × threads.' },
  { key: 'sockets', kind: 'count', text: 'CPU sockets. As many as `cpus` where it is not given.' },
  { key: 'cores', kind: 'count', default: '1', text: 'Cores in each socket.' },
  { key: 'threads', kind: 'count', default: '1', text: 'Threads of each core.' },
  {
    key: 'memory.size',
    kind: 'size',
    default: '256M',
    text: 'Guest memory. A plain number below 1048576 counts MiB, any other one bytes; K, M, G, T, P and E are binary.',
  },
  {
    key: 'memory.wired',
    kind: 'boolean',
    default: 'false',
    text: 'Wires the guest’s memory; `passthru` devices need it.',
  },
  {
    key: 'memory.guest_in_core',
    kind: 'boolean',
    default: 'false',
    text: 'Includes guest memory in a core file.',
  },
  {
    key: 'memory.use_reservoir',
    kind: 'boolean',
    default: 'false',
    since: ILLUMOS,
    text: 'Takes guest memory from the VMM reservoir.',
  },
  {
    key: 'acpi_tables',
    kind: 'boolean',
    text: 'Writes ACPI tables for the guest. On by default in FreeBSD 15, off before and on illumos.',
  },
  {
    key: 'acpi_tables_in_memory',
    kind: 'boolean',
    default: 'true',
    text: 'Also puts the ACPI tables into guest memory, beside the firmware’s table loader.',
  },
  {
    key: 'destroy_on_poweroff',
    kind: 'boolean',
    default: 'false',
    text: 'Destroys the VM when the guest powers off.',
  },
  { key: 'gdb.address', kind: 'text', default: 'localhost', text: 'Address of the debug server.' },
  { key: 'gdb.port', kind: 'text', text: 'TCP port of the debug server; there is none without it.' },
  {
    key: 'gdb.wait',
    kind: 'boolean',
    default: 'false',
    text: 'Waits for a debugger before the guest starts.',
  },
  { key: 'keyboard.layout', kind: 'text', text: 'Name of a file in /usr/share/bhyve/kbdlayout.' },
  {
    key: 'rtc.use_localtime',
    kind: 'boolean',
    default: 'true',
    text: 'The clock shows the host’s local time, else UTC.',
  },
  {
    key: 'uuid',
    kind: 'text',
    text: 'UUID in the SMBIOS system information; made of host and VM name otherwise.',
  },
  {
    key: 'virtio_msix',
    kind: 'boolean',
    default: 'true',
    text: 'VirtIO devices use MSI-X, else MSI.',
  },
  { key: 'virtio.*', kind: 'text', since: ILLUMOS_2025, text: 'Settings of all VirtIO devices.' },
  {
    key: 'config.dump',
    kind: 'boolean',
    default: 'false',
    text: 'Prints all variables and ends; no VM is started.',
  },
  { key: 'x86.mptable', kind: 'boolean', default: 'true', text: 'Writes an MP table.' },
  { key: 'x86.x2apic', kind: 'boolean', default: 'false', text: 'Local APICs start in x2APIC mode.' },
  {
    key: 'x86.strictio',
    kind: 'boolean',
    default: 'false',
    text: 'Ends at an I/O port that nothing emulates; otherwise reads give all ones.',
  },
  {
    key: 'x86.strictmsr',
    kind: 'boolean',
    default: 'true',
    text: 'An MSR that is not emulated is #GP; otherwise it reads as zero.',
  },
  {
    key: 'x86.verbosemsr',
    kind: 'boolean',
    default: 'false',
    since: FREEBSD_15,
    text: 'Logs accesses to MSRs that are not emulated.',
  },
  {
    key: 'x86.vmexit_on_hlt',
    kind: 'boolean',
    text: 'HLT of a vCPU yields the host CPU. Off by default on FreeBSD, on on illumos.',
  },
  {
    key: 'x86.vmexit_on_pause',
    kind: 'boolean',
    default: 'false',
    text: 'PAUSE of a vCPU yields the host CPU.',
  },
  {
    key: 'bootrom',
    kind: 'path',
    since: NEWER_BOOTROM,
    text: 'Boot ROM, which ends at 4 GiB. Older versions have it as `lpc.bootrom`.',
  },
  {
    key: 'bootvars',
    kind: 'path',
    since: NEWER_BOOTROM,
    text: 'File with the boot ROM’s variables. Older versions have it as `lpc.bootvars`.',
  },
  {
    key: 'lpc.bootrom',
    kind: 'path',
    text: 'Boot ROM, which ends at 4 GiB. Since FreeBSD 15 and on illumos since 2025 the key is `bootrom`.',
  },
  { key: 'lpc.bootvars', kind: 'path', text: 'File with the boot ROM’s variables. Newer: `bootvars`.' },
  ...COM_PORTS.map((n): KeyRow => ({
    key: `lpc.com${n}.path`,
    kind: 'path',
    text: `Backend of the serial port COM${n}: \`stdio\` or a device such as /dev/nmdm0A.`,
  })),
  {
    key: 'lpc.pc-testdev',
    kind: 'boolean',
    default: 'false',
    text: 'The debug and test device of kvm-unit-tests.',
  },
  {
    key: 'lpc.fwcfg',
    kind: 'text',
    default: 'bhyve',
    values: ['bhyve', 'qemu'],
    text: 'Interface to the firmware: bhyve’s own, or QEMU’s fw_cfg.',
  },
  { key: 'tpm.type', kind: 'text', values: ['passthru', 'swtpm'], text: 'Kind of TPM.' },
  { key: 'tpm.path', kind: 'path', text: 'Device or socket of the TPM.' },
  { key: 'tpm.version', kind: 'text', values: ['2.0'], text: 'Version of the TPM: 2.0 is the only one.' },
  { key: 'tpm.intf', kind: 'text', default: 'crb', values: ['crb'], text: 'Interface of the TPM.' },
  ...Object.entries(SMBIOS).flatMap(([structure, names]) =>
    names.map((name): KeyRow => ({
      key: `${structure}.${name}`,
      kind: 'text',
      text: `SMBIOS: ${name.replace('_', ' ')} of the ${structure === 'bios' ? 'BIOS' : structure}.`,
    })),
  ),
  {
    key: 'vcpu.*.cpuset',
    kind: 'text',
    since: { freebsd: 'freebsd-13' },
    text: 'Host CPUs that the vCPU may run on: `0,2-3`.',
  },
  { key: 'domains.*.size', kind: 'size', since: FREEBSD_15, most: 7, text: 'Memory of the NUMA domain.' },
  {
    key: 'domains.*.cpus',
    kind: 'text',
    since: FREEBSD_15,
    most: 7,
    text: 'vCPUs of the NUMA domain: `0-3`.',
  },
  {
    key: 'domains.*.domain_policy',
    kind: 'text',
    since: FREEBSD_15,
    most: 7,
    text: 'Host domains that back the domain’s memory.',
  },
  {
    key: 'monitor',
    kind: 'boolean',
    default: 'false',
    since: FREEBSD_15,
    text: 'Restarts the VM by itself.',
  },
  {
    key: 'suspend_at_boot',
    kind: 'boolean',
    default: 'false',
    since: ILLUMOS,
    text: 'The boot CPU waits for a debugger.',
  },
  {
    key: 'e820.debug',
    kind: 'boolean',
    default: 'false',
    since: ILLUMOS_2025,
    text: 'Prints the E820 table.',
  },
  {
    key: 'privileges.debug',
    kind: 'boolean',
    default: 'false',
    since: ILLUMOS,
    text: 'Logs used privileges.',
  },
];
