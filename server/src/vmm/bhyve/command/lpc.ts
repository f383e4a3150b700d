/** `-l`: devices behind the LPC bridge (lpc_device_parse). */
import type { BhyveVersion } from '../versions';
import { implied, named, positional, type Argument } from './argument';
import type { DeviceOptions } from './devices';
import type { ConfigEntry } from '../config/flatConfig';

const NAMES = 'bootrom, com1 to com4, tpm and pc-testdev';

export function lpcOptions(argument: Argument, { facts }: BhyveVersion): DeviceOptions {
  const [device, rest] = argument.cut(',');
  const name = device.text.toLowerCase();
  if (name === 'bootrom') return bootrom(argument, rest, facts.bootromKey === 'bootrom' ? '' : 'lpc.');
  if (name === 'tpm') return tpm(argument, rest);
  if (/^com[1-4]$/.test(name)) {
    if (rest) return { entries: [positional(`lpc.${name}.path`, rest)] };
    return refused(
      argument,
      `\`${name}\` needs a backend, as \`-l ${name},stdio\`: bhyve has none to set and aborts.`,
    );
  }
  if (name === 'pc-testdev') return { entries: [implied('lpc.pc-testdev', 'true', device.span)] };
  // strncmp with the argument's own length: any beginning of the word will do.
  if (device.open || 'help'.startsWith(argument.text)) return { entries: [] };
  return refused(
    argument,
    `There is no LPC device \`${device.text.slice(0, 60)}\`, only ${NAMES}: bhyve says "invalid lpc device configuration" and ends with status 64.`,
  );
}

/** `bootrom,ROM[,VARS][,name=value…]`. */
function bootrom(argument: Argument, rest: Argument | null, prefix: string): DeviceOptions {
  if (!rest) {
    return refused(
      argument,
      '`-l bootrom` needs a file: bhyve says "invalid bootrom option" and ends with status 4.',
    );
  }
  const [rom, ...others] = rest.split();
  const entries: ConfigEntry[] = [positional(`${prefix}bootrom`, rom!)];
  for (const [index, part] of others.entries()) {
    const [name, value] = part.cut('=');
    if (value) entries.push(named('lpc.', name, value));
    else if (index === 0) entries.push(positional(`${prefix}bootvars`, part));
    else entries.push({ ...implied(`lpc.${part.text}`, 'true', part.span) });
  }
  return { entries };
}

function tpm(argument: Argument, rest: Argument | null): DeviceOptions {
  const [type, path, ...others] = rest?.split() ?? [];
  if (!type || !path) {
    return refused(
      argument,
      '`-l tpm` needs a type and a path, as `tpm,passthru,/dev/tpm0`: bhyve ends with status 4.',
    );
  }
  const entries = [positional('tpm.type', type), positional('tpm.path', path)];
  for (const part of others) {
    const [name, value] = part.cut('=');
    entries.push(value ? named('tpm.', name, value) : implied(`tpm.${part.text}`, 'true', part.span));
  }
  if (!entries.some(({ key }) => key === 'tpm.version'))
    entries.push(implied('tpm.version', '2.0', argument.span));
  return { entries };
}

function refused(at: Argument, message: string): DeviceOptions {
  return { entries: [], problem: { at, message } };
}
