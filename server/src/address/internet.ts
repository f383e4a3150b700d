/** IPv4 and IPv6 addresses as numbers. */

/**
 * Four decimal octets, or with `short` one to four of them, the missing ones zero (`10.1` is 10.1.0.0, as
 * inet_net_pton(3) reads networks). Null where the text is no address.
 */
export function parseIpv4(text: string, short = false): bigint | null {
  const octets = text.split('.');
  if (octets.length > 4 || (octets.length < 4 && !short)) return null;
  let value = 0n;
  for (let i = 0; i < 4; i++) {
    const octet = octets[i] ?? '0';
    if (!/^\d{1,3}$/.test(octet) || Number(octet) > 255) return null;
    value = (value << 8n) | BigInt(octet);
  }
  return value;
}

/** Groups of hexadecimal digits with at most one `::`, and dotted IPv4 at the end. No scope. Null for anything else. */
export function parseIpv6(text: string): bigint | null {
  const dotted = /^(.*:)(\d{1,3}(?:\.\d{1,3}){3})$/.exec(text);
  if (dotted) {
    const low = parseIpv4(dotted[2]!);
    return low === null
      ? null
      : parseIpv6(`${dotted[1]}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`);
  }
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  const count = groups.reduce((sum, half) => sum + half.length, 0);
  if (groups.flat().some((group) => !/^[0-9a-f]{1,4}$/i.test(group))) return null;
  if (halves.length === 1 ? count !== 8 : count > 7) return null;
  const zeros = Array.from({ length: 8 - count }, () => '0');
  const all = halves.length === 1 ? groups[0]! : [...groups[0]!, ...zeros, ...groups[1]!];
  return all.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}
