/** What bhyve accepts of single keys, beyond their kind: a function for each, which says what bhyve does with what it does not take. */
import type { BhyveConfig } from '../../vmm/bhyve/config/config';
import { atoi } from '../../vmm/bhyve/config/numbers';

export interface Verdict {
  readonly refused: boolean;
  /** Sentence on what bhyve does, without the value itself. */
  readonly text: string;
}

type Rule = (value: string, config: BhyveConfig) => Verdict | null;

const refuse = (text: string): Verdict => ({ refused: true, text: `${text} and ends with status 4` });
const ignore = (text: string): Verdict => ({ refused: false, text });

const powerOfTwo = (value: number) => value > 0 && (value & (value - 1)) === 0;

/** blockif_open; a value of which nothing is left after the numbers. */
const sectorsize: Rule = (value) => {
  const found = /^\s*([+-]?\d{1,9})(?:\/\s*([+-]?\d{1,9}))?$/.exec(value);
  if (!found) return refuse('bhyve says "Invalid sector size"');
  const logical = Number(found[1]);
  const physical = Number(found[2] ?? found[1]);
  // Zero is as if nothing were given.
  if (logical === 0) return null;
  return powerOfTwo(logical) && powerOfTwo(physical) && logical >= 512 && logical <= physical
    ? null
    : refuse(
        'sector sizes are powers of two from 512, the logical one not above the physical one: bhyve says "Invalid sector size"',
      );
};

/** net_parsemac. */
const mac: Rule = (value) => {
  const octets = /^\s*([\da-f]{1,2}(?::[\da-f]{1,2}){5})/i
    .exec(value)?.[1]
    ?.split(':')
    .map((each) => parseInt(each, 16));
  if (!octets) return refuse('an address is six octets in hexadecimal with colons: bhyve says "Invalid MAC"');
  if (octets[0]! & 1)
    return refuse('the lowest bit of the first octet makes it a group address: bhyve says "Invalid MAC"');
  return octets.every((octet) => octet === 0)
    ? refuse('bhyve takes no address of zeros: it says "Invalid MAC"')
    : null;
};

/** With userland of FreeBSD up to 2021-03-24 illumos has a frame buffer of half the size, and no least resolution. */
const SMALL_FRAME_BUFFER: ReadonlySet<string> = new Set([
  'illumos-2020-09',
  'illumos-2020-12',
  'illumos-2021-03',
  'illumos-2021-08',
]);

/** A 16-bit field that strtol of base 10 is stored in. `before`: the most of the frame buffer of half the size. */
const pixels =
  (least: number, most: number, before: number): Rule =>
  (value, { version }) => {
    if (SMALL_FRAME_BUFFER.has(version.id)) {
      const taken = Number(atoi(value)) & 0xffff;
      return taken <= before ? null : refuse(`bhyve takes ${before} at most and reads this as ${taken}`);
    }
    const number = Number(atoi(value)) & 0xffff;
    return number >= least && number <= most
      ? null
      : refuse(
          `bhyve takes ${least} to ${most} and reads this as ${number}: it says "${number < least ? 'minimum' : 'max'} resolution"`,
        );
  };

/** pci_fbuf_parse_config. */
const listen: Rule = (value) => {
  if (value.startsWith('[')) {
    const close = value.indexOf(']', 1);
    if (close < 2 || !/^(?::|$)/.test(value.slice(close + 1)))
      return refuse('bhyve says "Invalid IPv6 address"');
  }
  return value.endsWith(':') ? refuse('bhyve says "Missing port number"') : null;
};

const vga: Rule = (value, { version }) => {
  if (!['on', 'io', 'off'].includes(value))
    return refuse('there are on, io and off: bhyve says "Invalid vga setting"');
  if (value !== 'on') return null;
  return version.facts.os === 'illumos' && !SMALL_FRAME_BUFFER.has(version.id)
    ? refuse('bhyve says "VGA rendering not enabled"')
    : ignore('bhyve says "VGA rendering not enabled" and starts without frame buffer and VNC server');
};

const atLeastOne: Rule = (value) =>
  atoi(value) > 0n ? null : refuse('it has to be more than 0: bhyve says "Invalid"');

const oneOf =
  (words: readonly string[], verdict: Verdict): Rule =>
  (value) =>
    words.includes(value) ? null : verdict;

/** parse_cpuset: strtoul of base 0, ranges that do not go down. */
const cpuset: Rule = (value) => {
  for (const part of value.split(',')) {
    const found = /^\s*(0x[\da-f]{1,8}|\d{1,9})(?:-\s*(0x[\da-f]{1,8}|\d{1,9}))?$/i.exec(part);
    if (!found)
      return refuse('a cpuset is numbers and ranges with commas, `0,2-3`: bhyve says "invalid cpuset"');
    if (found[2] !== undefined && Number(found[1]) > Number(found[2]))
      return refuse('bhyve says "Invalid hostcpu range"');
  }
  return null;
};

/** uuid_from_string. */
const uuid: Rule = (value) =>
  /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i.test(value) || value === ''
    ? null
    : refuse('a UUID is 36 characters, 8-4-4-4-12 digits in hexadecimal: bhyve says "Invalid UUID"');

const sharename: Rule = (value) =>
  value.length > 256 ? refuse('the name may have 256 characters: bhyve says "share name too long"') : null;

const mtu: Rule = (value) =>
  /^\s*\d+$/.test(value) && Number(value) <= 65535
    ? null
    : refuse('an MTU is a number up to 65535: bhyve refuses the device');

const maxq: Rule = (value) => {
  const number = atoi(value);
  return number >= 1n && number <= 16n ? null : ignore('there are 1 to 16 queues: bhyve takes 16');
};

/** By global key, or by device and the key below it with `*` for numbers. */
export const VALUE_RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['uuid', uuid],
  ['vcpu.*.cpuset', cpuset],
  ['tpm.version', oneOf(['2.0'], refuse('bhyve says "unsupported tpm version"'))],
  ['tpm.intf', oneOf(['crb'], refuse('bhyve says "TPM interface not found"'))],
  ['tpm.type', oneOf(['passthru', 'swtpm'], refuse('bhyve says "TPM emulation not found"'))],
  [
    'lpc.fwcfg',
    oneOf(
      ['bhyve', 'qemu'],
      ignore('there are `bhyve` and `qemu`: with any other word the firmware gets neither interface'),
    ),
  ],
  ['fbuf w', pixels(640, 3840, 1920)],
  ['fbuf h', pixels(480, 2160, 1200)],
  ['fbuf rfb', listen],
  ['fbuf tcp', listen],
  ['fbuf vga', vga],
  ['nvme qsz', atLeastOne],
  ['nvme ioslots', atLeastOne],
  ['nvme maxq', maxq],
  [
    'nvme sectsz',
    oneOf(
      ['512', '4096', '8192'],
      ignore('there are 512, 4096 and 8192: bhyve takes the sector size of the disk'),
    ),
  ],
  [
    'nvme dsm',
    oneOf(['auto', 'enable', 'disable'], ignore('there are auto, enable and disable: bhyve takes auto')),
  ],
  ['nvme sectorsize', sectorsize],
  ['virtio-blk sectorsize', sectorsize],
  ['ahci port.*.sectorsize', sectorsize],
  ['virtio-net mac', mac],
  ['e1000 mac', mac],
  ['virtio-net mtu', mtu],
  ['virtio-9p sharename', sharename],
  [
    'hostbridge model',
    oneOf(
      ['amd', 'netapp', 'i440fx', 'q35'],
      refuse('there are amd, netapp, i440fx and q35: bhyve says "invalid model"'),
    ),
  ],
]);
