/** The bhyve command that vm-bhyve makes of a guest's configuration, as keys of bhyve (lib/vm-run, vm::run of commit 89c21d0). */
import type { ConfigEntry } from '../config/flatConfig';
import type { BhyveVersion } from '../versions';
import { isYes, type GuestFile, type GuestLine } from './reader';

const FIRMWARE: Readonly<Record<string, string>> = {
  'uefi-devel': '/usr/local/share/uefi-firmware/BHYVE_UEFI_CODE-devel.fd',
  'uefi-csm': '/usr/local/share/uefi-firmware/BHYVE_UEFI_CSM.fd',
};
const USUAL_FIRMWARE = '/usr/local/share/uefi-firmware/BHYVE_UEFI.fd';
/** `-AHPw`, whatever the configuration says. */
const ALWAYS: readonly (readonly [key: string, value: string])[] = [
  ['acpi_tables', 'true'],
  ['x86.vmexit_on_hlt', 'true'],
  ['x86.vmexit_on_pause', 'true'],
  ['x86.strictmsr', 'false'],
];

/** `uefi` and `uefi-…`, which alone have a frame buffer and no loader before bhyve. */
export function isUefi(loader: string): boolean {
  return loader.replace(/-[^-]*$/, '') === 'uefi';
}

/** Devices that are provisioned while it runs (network, frame buffer) have no address here and are left out. */
export function bhyveEntries({ values }: GuestFile, name: string, { facts }: BhyveVersion): ConfigEntry[] {
  const first = values.values().next().value;
  if (!first) return [];
  const entries: ConfigEntry[] = [];
  const add = (key: string, raw: string, { keySpan, valueSpan }: GuestLine) => {
    entries.push({ key, raw, keySpan, valueSpan, implied: true });
  };
  const copy = (from: string, to: string) => {
    const line = values.get(from);
    if (line && line.value !== '') add(to, line.value, line);
  };
  copy('cpu', 'cpus');
  copy('cpu_sockets', 'sockets');
  copy('cpu_cores', 'cores');
  copy('cpu_threads', 'threads');
  copy('memory', 'memory.size');
  copy('uuid', 'uuid');
  for (const [key, value] of ALWAYS) add(key, value, first);
  const bridge = values.get('hostbridge');
  if (!bridge?.value.startsWith('no')) add('pci.0.0.0.device', 'hostbridge', bridge ?? first);
  add('pci.0.31.0.device', 'lpc', first);
  const loader = values.get('loader');
  if (loader && isUefi(loader.value)) {
    add(facts.bootromKey, FIRMWARE[loader.value] ?? USUAL_FIRMWARE, loader);
  }
  disks(values, isUefi(loader?.value ?? ''), add);
  if (isYes(values.get('wired_memory')?.value)) add('memory.wired', 'true', values.get('wired_memory')!);
  add('name', name, first);
  return entries;
}

/** vm::bhyve_device_disks: from start_slot on, a slot each with UEFI, else a function each. */
function disks(
  values: ReadonlyMap<string, GuestLine>,
  uefi: boolean,
  add: (key: string, raw: string, line: GuestLine) => void,
): void {
  const start = Number(values.get('start_slot')?.value ?? 4);
  for (let number = 0; number < 200; number++) {
    const path = values.get(`disk${number}_name`);
    const type = values.get(`disk${number}_type`);
    if (!path?.value || !type?.value || !Number.isInteger(start)) return;
    const slot = uefi ? start + number : start + Math.floor(number / 8);
    if (slot > 30) return;
    const node = `pci.0.${slot}.${uefi ? 0 : number % 8}`;
    const port = /^ahci-(hd|cd)$/.exec(type.value)?.[1];
    add(`${node}.device`, port === undefined ? type.value : 'ahci', type);
    if (port !== undefined) add(`${node}.port.0.type`, port, type);
    add(port === undefined ? `${node}.path` : `${node}.port.0.path`, path.value, path);
  }
}
