/** Finds exits that Propolis does not handle: the last words of propolis-server and propolis-standalone (F9). */
import type { DumpScan, DumpScanner, Located } from '../dumpFormat';
import type { DumpLine } from '../dumpText';

/** Rust's Debug form of a VmExitKind (lib/propolis/src/exits.rs). */
export type ExitKind =
  /** `prot` as in mmap(2): 1 reads, 2 writes, 4 executes. */
  | { readonly name: 'Paging'; readonly gpa: bigint; readonly prot: number }
  /** Null where the bytes are kept back ("<guest data redacted>"). */
  | { readonly name: 'InstEmul'; readonly bytes: readonly number[] | null }
  | { readonly name: 'VmxError' | 'SvmError' | 'Unknown' };

export interface PropolisExit extends Located {
  readonly kind: ExitKind;
  /** Null under propolis-standalone, which names the thread elsewhere. */
  readonly vcpu: number | null;
  /** Null under propolis-server. */
  readonly rip: bigint | null;
  readonly program: 'propolis-server' | 'propolis-standalone';
  /** How often the text has this exit: a log and a panic repeat it. */
  count: number;
  last: DumpLine;
}

export const EXIT_SIGN = /Unhandled VM exit: |Unhandled exit @rip:/;

/** Every quantifier is bounded. */
const SERVER = /\bvCPU (\d{1,4}): Unhandled VM exit: (\w{1,40}\(.{0,400})/;
const STANDALONE = /\bUnhandled exit @rip:([0-9a-f]{1,16}) (\w{1,40}\(.{0,400})/;
const PAGING = /^Paging\((\d{1,20}), (\d{1,3})\)/;
const INSTRUCTION = /^InstEmul\(InstEmul \{ inst_data: (\[[\d, ]{1,100}\]|<.{1,60}?>), len: (\d{1,3}) \}/;
const OTHER = /^(VmxError|SvmError|Unknown)\(/;
const MOST_EXITS = 20;

export class PropolisExitScanner implements DumpScanner<PropolisExit> {
  private readonly exits = new Map<string, PropolisExit>();
  private dropped = 0;

  line(line: DumpLine): void {
    const server = SERVER.exec(line.text);
    const standalone = server ? null : STANDALONE.exec(line.text);
    const debug = server?.[2] ?? standalone?.[2];
    const kind = debug === undefined ? null : readKind(debug);
    if (!kind) return;
    const vcpu = server ? Number(server[1]) : null;
    const rip = standalone ? BigInt(`0x${standalone[1]!}`) : null;
    const key = `${vcpu} ${rip} ${debug!.slice(0, 120)}`;
    const known = this.exits.get(key);
    if (known) {
      known.count++;
      known.last = line;
    } else if (this.exits.size >= MOST_EXITS) {
      this.dropped++;
    } else {
      const program = server ? 'propolis-server' : 'propolis-standalone';
      this.exits.set(key, { kind, vcpu, rip, program, count: 1, first: line, last: line });
    }
  }

  result(): DumpScan<PropolisExit> {
    return { dumps: [...this.exits.values()], dropped: this.dropped, nearMisses: [] };
  }
}

function readKind(debug: string): ExitKind | null {
  const paging = PAGING.exec(debug);
  if (paging) return { name: 'Paging', gpa: BigInt(paging[1]!), prot: Number(paging[2]) };
  const instruction = INSTRUCTION.exec(debug);
  if (instruction) return { name: 'InstEmul', bytes: fetched(instruction[1]!, Number(instruction[2])) };
  const other = OTHER.exec(debug)?.[1] as 'VmxError' | 'SvmError' | 'Unknown' | undefined;
  return other ? { name: other } : null;
}

/** The bytes that the kernel had fetched, decimal in the text. */
function fetched(list: string, length: number): number[] | null {
  if (!list.startsWith('[')) return null;
  const bytes = list.slice(1, -1).split(',').map(Number);
  return bytes.slice(0, length).filter((byte) => byte >= 0 && byte <= 0xff);
}
