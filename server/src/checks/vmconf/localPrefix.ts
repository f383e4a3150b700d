/** `local prefix` and `local inet6 prefix`: the form, the length, and the host bits. */
import { parseIpv4, parseIpv6 } from '../../address/internet';
import { isVmdSince } from '../../vmm/vmd/versions';
import { at, vmconfCheck } from './vmconfCheck';

export const localPrefix = vmconfCheck(
  {
    code: 'vmconf-local-prefix',
    severity: 'error',
    title: 'A network for local interfaces that vmd refuses',
  },
  function* (config) {
    const modern = isVmdSince(config.version.id, '7.6');
    for (const statement of config.syntax.statements) {
      if (statement.kind !== 'local-prefix' && statement.kind !== 'local-inet6') continue;
      const prefix = statement.arguments.get('prefix');
      if (!prefix || prefix.kind === 'unknown') continue;
      const problem = prefixProblem(prefix.text, statement.kind === 'local-inet6' ? 6 : 4, modern);
      if (problem) yield { at: at(prefix), message: `${problem} vmd refuses the file.` };
    }
  },
);

/** parse_prefix4 and parse_prefix6 of parse.y rev 1.72; `host` of rev 1.49 before. */
function prefixProblem(text: string, family: 4 | 6, modern: boolean): string | null {
  const slash = text.lastIndexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  const [least, most] = family === 6 ? [0, 64] : modern ? [1, 16] : [0, 32];
  const usual = family === 6 ? 64 : 16;
  if (slash < 0 && !modern) return `This version wants a prefix length after \`${text}\`.`;
  const length =
    slash < 0 ? usual : /^[-+]?\d{1,5}$/.test(text.slice(slash + 1)) ? Number(text.slice(slash + 1)) : NaN;
  if (!(length >= least && length <= most)) {
    const why =
      family === 4 && modern ? ', since vmd keeps the last 16 bits for the VM and the interface' : '';
    return `The prefix length of IPv${family} goes from ${least} to ${most}${why}, not \`${text.slice(slash + 1)}\`.`;
  }
  const bits = family === 6 ? 128 : 32;
  const value = family === 6 ? parseIpv6(address) : parseIpv4(address, modern);
  if (value === null)
    return address.includes('%') ? null : `\`${address.slice(0, 80)}\` is no IPv${family} address.`;
  const hostBits = value & ((1n << BigInt(bits - length)) - 1n);
  if (modern && hostBits !== 0n) return `The bits of \`${address}\` after the first ${length} are not zero.`;
  return null;
}
