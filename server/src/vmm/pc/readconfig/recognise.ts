/** Whether a text is a config file of QEMU. Many .ini files are alike: its groups must be QEMU's and its values quoted. */
import { OPTION_GROUPS } from './groups';

const LOOKED_AT = 64 * 1024;
const LONGEST_LINE = 400;
const PRAGMA = /^#\s*bootpath:\s*pc\b/;
const HEADER = /^\[\s*([^\s"\]]+)\s*(?:"([^"]*)")?\s*\]?\s*(?:#.*)?$/;
const PAIR = /^\s*([\w.-]+)\s*=\s*(\S.*)$/;
/** Groups that hardly any other program has. */
const OWN = new Set(['boot-opts', 'chardev', 'fw_cfg', 'netdev', 'semihosting-config', 'smp-opts', 'tpmdev']);
/** Groups that others have too, but not with a name in quotes behind them. */
const NAMED = new Set(['chardev', 'device', 'drive', 'fsdev', 'mon', 'netdev', 'object', 'tpmdev']);
const KEYS =
  /^(?:accel|append|backend|bus|chardev|cpus|driver|file|format|guest|if|initrd|kernel|maxmem|media|mode|netdev|property|qom-type|size|type)$/;

/** Looks at the first 64 KiB; of the path only at `.toml`, whose texts may look alike. */
export function recogniseQemuConfig(text: string, path: string): boolean {
  if (/\.toml$/i.test(path)) return false;
  const head = text.slice(0, LOOKED_AT);
  const lines = head.split(/\r?\n/).map((line) => line.slice(0, LONGEST_LINE));
  const asked = lines.slice(0, 10).some((line) => PRAGMA.test(line));
  let own = asked ? 2 : 0;
  let known = 0;
  let unknown = 0;
  let telling = 0;
  let quoted = 0;
  let plain = 0;
  for (const line of lines) {
    if (line.startsWith('#') || line.trim() === '') continue;
    if (line.startsWith('[')) {
      const header = HEADER.exec(line);
      const name = header?.[1];
      if (name !== undefined && Object.hasOwn(OPTION_GROUPS, name)) {
        known++;
        if (OWN.has(name) || (NAMED.has(name) && header![2] !== undefined)) own++;
      } else unknown++;
      continue;
    }
    const pair = PAIR.exec(line);
    if (known === 0 && unknown === 0 && !asked) return false;
    if (!pair) continue;
    if (pair[2]!.startsWith('"')) {
      quoted++;
      if (KEYS.test(pair[1]!)) telling++;
    } else plain++;
  }
  if (known === 0 || unknown >= known) return false;
  // Half-typed values are no reason to let the file go, a file of numbers and words is.
  return telling > 0 && (own > 0 ? quoted >= plain : known >= 2 && unknown === 0 && plain === 0);
}
