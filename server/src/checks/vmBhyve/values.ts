/** What a configuration needs, and values that vm-bhyve or the bhyve that it starts does not take. */
import { memorySize, smallCount } from '../../vmm/bhyve/config/numbers';
import { deviceRow } from '../../vmm/bhyve/keys/devices';
import { isUefi } from '../../vmm/bhyve/vmBhyve/guest';
import { guestKey, patternOf } from '../../vmm/bhyve/vmBhyve/keys';
import { isYes } from '../../vmm/bhyve/vmBhyve/reader';
import { at, replace, shown } from '../places';
import { given, vmBhyveCheck } from './vmBhyveCheck';

const LOADERS = new Set(['bhyveload', 'grub', 'uefi', 'uefi-csm', 'uefi-devel', 'uefi-custom']);

export const missing = vmBhyveCheck(
  { code: 'vm-bhyve-missing', severity: 'error', title: 'No loader, CPU count or memory' },
  function* (guest) {
    const first = guest.lines[0];
    if (!first) return;
    for (const key of ['loader', 'cpu', 'memory']) {
      if (given(guest, key)) continue;
      const empty = guest.values.get(key);
      const said = key === 'cpu' ? 'unable to determine cpu count' : 'missing required configuration';
      yield {
        at: at(guest, empty ? empty.keySpan : first.keySpan),
        message: `\`${key}\` is ${empty ? 'empty' : 'missing'}: vm-bhyve does not start the guest ("fatal; ${said}").`,
      };
    }
  },
);

export const value = vmBhyveCheck(
  { code: 'vm-bhyve-value', severity: 'error', title: 'A value that vm-bhyve or bhyve does not take' },
  function* (guest) {
    const loader = given(guest, 'loader');
    if (loader && !LOADERS.has(loader.value)) {
      const uefi = isUefi(loader.value);
      yield {
        ...(uefi ? { severity: 'warning' as const } : {}),
        at: at(guest, loader.valueSpan),
        message: uefi
          ? `\`${shown(loader.value)}\` is no loader of its own: vm-bhyve takes BHYVE_UEFI.fd for every \`uefi-…\` but csm, devel and custom.`
          : `There is no loader \`${shown(loader.value)}\`, only bhyveload, grub, uefi, uefi-csm, uefi-devel and uefi-custom: vm-bhyve does not start the guest ("unsupported loader").`,
      };
    }
    const memory = given(guest, 'memory');
    if (memory && !/[$%{]/.test(memory.value) && memorySize(memory.value) === null) {
      yield {
        at: at(guest, memory.valueSpan),
        message: `\`${shown(memory.value)}\` is no memory size: bhyve ends with "invalid memsize".`,
      };
    }
    for (const key of ['cpu', 'cpu_sockets', 'cpu_cores', 'cpu_threads']) {
      const line = given(guest, key);
      if (!line || /[$%{]/.test(line.value) || smallCount(line.value) !== null) continue;
      // `cpu` goes behind -c as it is, where a topology may stand too.
      if (key === 'cpu' && line.value.includes(',')) continue;
      yield {
        at: at(guest, line.valueSpan),
        message: `\`${key}=${shown(line.value)}\` is no number from 1 to 65535: bhyve does not start.`,
      };
    }
    for (const [key, line] of guest.values) {
      const { pattern } = patternOf(key);
      const kind = pattern === 'diskN_type' ? 'disk' : pattern === 'networkN_type' ? 'network' : null;
      if (kind === null || line.value === '' || /[$%{\s]/.test(line.value) || deviceRow(line.value)) continue;
      yield {
        at: at(guest, line.valueSpan),
        message: `bhyve has no device \`${shown(line.value)}\`, which vm-bhyve puts behind -s as it is: it ends with "unknown device" and status 4.`,
      };
    }
  },
);

export const topology = vmBhyveCheck(
  { code: 'vm-bhyve-topology', severity: 'error', title: 'A CPU topology that does not come out' },
  function* (guest) {
    const count = (key: string, otherwise: number | null) => {
      const line = given(guest, key);
      return line ? smallCount(line.value) : otherwise;
    };
    const cpus = count('cpu', null);
    const sockets = count('cpu_sockets', cpus);
    const [cores, threads] = [count('cpu_cores', 1), count('cpu_threads', 1)];
    if (cpus === null || sockets === null || cores === null || threads === null) return;
    const product = sockets * cores * threads;
    if (product === cpus) return;
    yield {
      at: at(guest, given(guest, 'cpu')!.valueSpan),
      message: `\`cpu=${cpus}\`, but sockets × cores × threads is ${product}${given(guest, 'cpu_sockets') ? '' : ' (without `cpu_sockets` there are as many sockets as CPUs)'}: bhyve ends with status 4.`,
    };
  },
);

const NEGATIVE = /^(?:n|f|none|never|disabled?|nope)$/i;

export const yesNo = vmBhyveCheck(
  { code: 'vm-bhyve-yes-no', severity: 'warning', title: 'A word that vm-bhyve takes for yes' },
  function* (guest) {
    for (const [key, line] of guest.values) {
      if (guestKey(key)?.kind !== 'yesno' || !NEGATIVE.test(line.value)) continue;
      yield {
        at: at(guest, line.valueSpan),
        message: `\`${shown(line.value)}\` counts as yes: vm-bhyve takes only no, false, off, 0 and an empty value for no.`,
        fixes: [replace(guest, 'Change to no', line.valueSpan, '"no"')],
      };
    }
  },
);

export const graphics = vmBhyveCheck(
  { code: 'vm-bhyve-graphics', severity: 'warning', title: 'Graphics of a guest without UEFI' },
  function* (guest) {
    const loader = given(guest, 'loader');
    const line = given(guest, 'graphics');
    if (!loader || !line || !isYes(line.value) || isUefi(loader.value) || /[$%{]/.test(loader.value)) return;
    yield {
      at: at(guest, { start: line.keySpan.start, end: line.valueSpan.end }),
      message: `With the loader \`${shown(loader.value)}\` vm-bhyve makes no frame buffer: \`graphics\` has an effect only with UEFI.`,
      related: [{ at: guest.source.at(loader.keySpan.start, loader.valueSpan.end), message: 'The loader' }],
      tags: ['unnecessary'],
    };
  },
);

export const fwcfg = vmBhyveCheck(
  { code: 'vm-bhyve-fwcfg', severity: 'warning', title: 'A firmware interface that does not reach bhyve' },
  function* (guest) {
    const line = given(guest, 'fwcfg');
    if (!line) return;
    yield {
      at: at(guest, { start: line.keySpan.start, end: line.valueSpan.end }),
      message: `vm-bhyve hands this on as \`-s 31,lpc,fwcfg=${shown(line.value)}\`, and bhyve reads \`lpc.fwcfg\` and no setting of the lpc device: the guest keeps bhyve’s own interface. \`bhyve_options="-o lpc.fwcfg=${shown(line.value)}"\` sets it.`,
    };
  },
);
