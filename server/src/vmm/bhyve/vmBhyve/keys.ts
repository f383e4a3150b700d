/** Every key that vm-bhyve reads of a guest's configuration (config::get and config::yesno in lib/ of commit 89c21d0). */

export interface GuestKey {
  /** `N` stands for a number from 0. */
  readonly key: string;
  readonly kind: 'yesno' | 'text';
}

const yesno = (...keys: string[]): GuestKey[] => keys.map((key) => ({ key, kind: 'yesno' }));
const text = (...keys: string[]): GuestKey[] => keys.map((key) => ({ key, kind: 'text' }));

export const GUEST_KEYS: readonly GuestKey[] = [
  ...text('loader', 'cpu', 'cpu_sockets', 'cpu_cores', 'cpu_threads', 'memory', 'hostbridge', 'fwcfg'),
  ...text(
    'comports',
    'uuid',
    'bhyve_options',
    'start_slot',
    'install_slot',
    'on_restart',
    'on_fault',
    'tags',
  ),
  ...text(
    'bhyveload_loader',
    'bhyveload_args',
    'loader_timeout',
    'ahci_device_limit',
    'prestart',
    'priority',
  ),
  ...text('grub_installN', 'grub_runN', 'grub_run_partition', 'grub_run_dir', 'grub_run_file'),
  ...text('diskN_name', 'diskN_type', 'diskN_dev', 'diskN_opts', 'diskN_size'),
  ...text('networkN_type', 'networkN_switch', 'networkN_mac', 'networkN_device', 'networkN_name'),
  ...text(
    'graphics_port',
    'graphics_listen',
    'graphics_res',
    'graphics_vga',
    'graphics_wait',
    'vnc_password',
  ),
  ...text('sound_play', 'sound_rec', 'virt_consoleN', 'passthruN', 'passthruN_options'),
  ...text('limit_pcpu', 'limit_rbps', 'limit_wbps', 'limit_riops', 'limit_wiops'),
  ...text('zfs_dataset_opts', 'zfs_zvol_opts'),
  ...yesno(
    'debug',
    'ignore_msr',
    'wired_memory',
    'utctime',
    'nulliso_fix',
    'uefi_vars',
    'grub_run_no_partition',
  ),
  ...yesno('networkN_span', 'virt_random', 'graphics', 'xhci_mouse', 'sound'),
];

const BY_PATTERN: ReadonlyMap<string, GuestKey> = new Map(GUEST_KEYS.map((row) => [row.key, row]));
const NUMBER = /(?<=^[a-z_]+)\d+/;

/** `diskN_type` of `disk0_type`; numbers with padding are other keys. */
export function patternOf(key: string): { pattern: string; number: string | null } {
  const number = NUMBER.exec(key)?.[0] ?? null;
  return { pattern: number === null ? key : key.replace(NUMBER, 'N'), number };
}

export function guestKey(key: string): GuestKey | undefined {
  const { pattern, number } = patternOf(key);
  return number !== null && /^0\d/.test(number) ? undefined : BY_PATTERN.get(pattern);
}
