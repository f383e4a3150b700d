/**
 * The option groups that a config file of QEMU may have. Read: system/vl.c (qemu_init and the lists above it) and util/qemu-config.c
 * of QEMU 10 and 11 development, softmmu/vl.c of 6.1, vl.c of 2.x; monitor/monitor.c, hw/core/machine-smp.c. A group stands here with
 * its keys only where QEMU refuses every other key and the list was read; the union of all versions, so that none is refused wrongly.
 */

export interface OptionGroup {
  /** What it configures, for hovers. */
  readonly text: string;
  /** All keys that some version takes, without `id`; null where QEMU takes any at this point. */
  readonly keys: readonly string[] | null;
  /**
   * `refused`: all groups of the name are merged into one, and `[name "id"]` is an error (merge_lists); `needed`: nothing can be made
   * without one.
   */
  readonly id: 'refused' | 'optional' | 'needed';
}

const open = (text: string, id: OptionGroup['id'] = 'optional'): OptionGroup => ({ text, keys: null, id });
const closed = (text: string, keys: string, id: OptionGroup['id'] = 'optional'): OptionGroup => ({
  text,
  keys: keys.split(' '),
  id,
});

export const OPTION_GROUPS: Readonly<Record<string, OptionGroup>> = {
  accel: open('Accelerator, as `-accel`.'),
  acpi: open('ACPI tables, as `-acpitable`.'),
  action: closed('What happens on events, as `-action`.', 'shutdown reboot panic watchdog', 'refused'),
  'add-fd': closed('A file descriptor for an fd set, as `-add-fd`.', 'fd set opaque'),
  audiodev: open('Audio backend, as `-audiodev`.', 'needed'),
  'boot-opts': closed(
    'Boot order, as `-boot`.',
    'order once menu splash splash-time reboot-timeout strict',
    'refused',
  ),
  chardev: open('Character device, as `-chardev`.', 'needed'),
  cpudef: open('Definition of a CPU model, of QEMU before 2.0.'),
  device: open('Device, as `-device`; its `driver` says which.'),
  drive: open('Disk, as `-drive`.'),
  fsdev: open('Shared directory, as `-fsdev`.', 'needed'),
  fw_cfg: closed('Item for the firmware, as `-fw_cfg`.', 'name file string gen_id'),
  global: closed('Default of a property of all devices of a driver, as `-global`.', 'driver property value'),
  icount: closed(
    'Virtual instruction counter, as `-icount`.',
    'shift align sleep rr rrfile rrsnapshot',
    'refused',
  ),
  iscsi: open('Session parameters of iSCSI, as `-iscsi`.'),
  machine: open(
    'Machine type and its properties, as `-machine`; also `kernel`, `initrd`, `append`.',
    'refused',
  ),
  memory: closed('Guest memory, as `-m`; a bare number is in MiB.', 'size slots maxmem', 'refused'),
  mon: closed('Monitor, as `-mon`.', 'mode chardev default pretty timestamp'),
  msg: closed('Form of messages, as `-msg`.', 'timestamp guest-name'),
  name: closed('Name of the guest, as `-name`.', 'guest process debug-threads', 'refused'),
  net: open('Network, as `-net`.'),
  netdev: open('Network backend, as `-netdev`.', 'needed'),
  nic: open('Network card with backend, as `-nic`.'),
  numa: open('NUMA node, as `-numa`.'),
  object: open('Object, as `-object`; its `qom-type` says which.', 'needed'),
  'option-rom': closed('Option ROM, as `-option-rom`.', 'bootindex romfile'),
  overcommit: closed('Overcommitment of the host, as `-overcommit`.', 'mem-lock cpu-pm'),
  plugin: open('TCG plugin, as `-plugin`.'),
  realtime: open('Locking of memory, of QEMU before 6.0.'),
  rtc: closed('Clock, as `-rtc`.', 'base clock driftfix', 'refused'),
  'run-with': open('How the process runs, as `-run-with`.'),
  sandbox: open('Seccomp filter, as `-sandbox`.'),
  'semihosting-config': open('Semihosting, as `-semihosting-config`.'),
  smbios: open('SMBIOS table, as `-smbios`.'),
  'smp-opts': closed(
    'vCPUs and their topology, as `-smp`.',
    'cpus maxcpus drawers books sockets dies clusters modules cores threads',
    'refused',
  ),
  spice: open('SPICE server, as `-spice`.'),
  tpmdev: open('TPM backend, as `-tpmdev`.'),
  trace: open('Trace events, as `-trace`.'),
  virtfs: open('Shared directory with its device, as `-virtfs`.'),
  vnc: open('VNC display, as `-vnc`.'),
};

/** What people write for a group, from the option of the command line; null where a config file cannot have it. */
export const LIKE_OPTIONS: Readonly<Record<string, string | null>> = {
  blockdev: null,
  boot: 'boot-opts',
  cpu: null,
  display: null,
  m: 'memory',
  monitor: 'mon',
  serial: null,
  smp: 'smp-opts',
  vga: null,
};
