/** The body of a Linux x86 oops: process, hardware, registers, code bytes, trace (show_regs and what it calls). */
import type { DumpLine } from '../dumpText';
import { selectorOnly } from '../registerBlock';
import { newBlock, type CodeBytes, type LinuxOops, type OopsBlock, type SymbolOffset } from './oops';
import { parseHex } from './header';
import { symbolsIn } from './symbols';

export interface BodyRule {
  readonly pattern: RegExp;
  apply(oops: LinuxOops, match: RegExpExecArray, line: DumpLine): void;
}

/** More frames or blocks than this are not kept: no kernel stack is so deep. */
const MOST_FRAMES = 512;
const MOST_BLOCKS = 64;
const MOST_CODE_BYTES = 256;

function firstSymbol(text: string): SymbolOffset | null {
  for (const { symbol } of symbolsIn(text)) return symbol;
  return null;
}

/** The block that a register line belongs to: the one of the nearest `RIP:` line before it. */
function currentBlock(oops: LinuxOops): OopsBlock {
  const last = oops.blocks.at(-1);
  if (last) return last;
  const block = newBlock();
  oops.blocks.push(block);
  return block;
}

function hasRegisters(block: OopsBlock): boolean {
  return block.values.has('rsp') || block.values.has('rax');
}

/** A new block, unless the last one has only RIP lines so far (inlined functions print one each). */
function blockForRip(oops: LinuxOops): OopsBlock {
  const last = oops.blocks.at(-1);
  if (last && !hasRegisters(last)) return last;
  if (oops.blocks.length >= MOST_BLOCKS) oops.blocks.pop();
  const block = newBlock();
  oops.blocks.push(block);
  return block;
}

function set(block: OopsBlock, name: string, value: string, line: DumpLine): void {
  block.values.set(name, parseHex(value));
  block.lines.set(name, line);
}

function setSelector(block: OopsBlock, name: string, selector: string, line: DumpLine): void {
  const before = block.segments.get(name);
  block.segments.set(name, { ...selectorOnly(Number(parseHex(selector))), base: before?.base ?? null });
  if (!block.lines.has(name)) block.lines.set(name, line);
}

/** `eax` and `rax` are the same register, `r08` is `r8`. */
function registerName(printed: string): string {
  const lower = printed.toLowerCase();
  if (lower.startsWith('e')) return 'r' + lower.slice(1);
  return lower.replace(/^r0/, 'r');
}

function parseCode(text: string): CodeBytes | null {
  const bytes: number[] = [];
  let marker = -1;
  const byte = /<?([0-9a-f]{2})>?(?=\s|$)/g;
  for (let match = byte.exec(text); match && bytes.length < MOST_CODE_BYTES; match = byte.exec(text)) {
    if (match[0].startsWith('<')) marker = bytes.length;
    bytes.push(parseInt(match[1]!, 16));
  }
  return bytes.length > 0 ? { bytes, marker } : null;
}

export const BODY_RULES: readonly BodyRule[] = [
  {
    pattern:
      /^CPU: (\d{1,5}) (?:UID: \d{1,10} )?PID: \d{1,10} Comm: (.{1,64}?) (Not tainted|Tainted: ([A-Z ]{1,40}))/,
    apply(oops, match, line) {
      oops.cpu = Number(match[1]);
      oops.process = match[2]!;
      oops.taint = match[4] ? match[4].replace(/ /g, '') : '';
      oops.kernel = /^\s*(\S{1,128})/.exec(line.text.slice(match[0].length))?.[1] ?? null;
      oops.processLine = line;
    },
  },
  {
    // Before 3.x: `Pid: 1, comm: swapper Not tainted 2.6.32 #1 VENDOR`
    pattern: /^Pid: \d{1,10}, comm: (.{1,64}?) (Not tainted|Tainted: ([A-Z ]{1,40}))/,
    apply(oops, match, line) {
      oops.process = match[1]!;
      oops.taint = match[3] ? match[3].replace(/ /g, '') : '';
      oops.kernel = /^\s*(\S{1,128})/.exec(line.text.slice(match[0].length))?.[1] ?? null;
      oops.processLine = line;
    },
  },
  {
    pattern: /^Hardware name: (.{1,200})/,
    apply(oops, match, line) {
      oops.hardware = match[1]!.trim();
      oops.hardwareLine = line;
    },
  },
  {
    // `RIP: 0010:[<ffffffff81000000>]  [<ffffffff81000000>] sym+0x1/0x2`, up to 4.10
    pattern: /^(?:RIP|EIP): ([0-9a-f]{4}):\[<([0-9a-f]{8,16})>\]/,
    apply(oops, match, line) {
      const block = blockForRip(oops);
      setSelector(block, 'cs', match[1]!, line);
      set(block, 'rip', match[2]!, line);
      block.symbol = firstSymbol(line.text) ?? block.symbol;
      if (line.text.startsWith('EIP')) oops.arch = 'i386';
      const flags = /EFLAGS: ([0-9a-f]{8})/.exec(line.text);
      if (flags) set(block, 'rflags', flags[1]!, line);
    },
  },
  {
    // `RIP: 0010:0xffffffffc0000000`: no symbol
    pattern: /^(?:RIP|EIP): ([0-9a-f]{4}):0x([0-9a-f]{1,16})(?![\w+/])/,
    apply(oops, match, line) {
      const block = blockForRip(oops);
      setSelector(block, 'cs', match[1]!, line);
      set(block, 'rip', match[2]!, line);
    },
  },
  {
    // `RIP: 0010:sym+0x1/0x2 [mod]`: the address is not printed. `RIP: 0010:sym file.c:1 [inline]` goes before it.
    pattern: /^RIP: ([0-9a-f]{4}):(?=[A-Za-z_.$])/,
    apply(oops, match, line) {
      const block = blockForRip(oops);
      setSelector(block, 'cs', match[1]!, line);
      block.lines.set('rip', line);
      block.symbol = firstSymbol(line.text) ?? block.symbol;
    },
  },
  {
    // i386 since 4.11: `EIP: sym+0x1/0x2`
    pattern: /^EIP: (?=[A-Za-z_.$])/,
    apply(oops, _match, line) {
      oops.arch = 'i386';
      const block = blockForRip(oops);
      block.lines.set('rip', line);
      block.symbol = firstSymbol(line.text) ?? block.symbol;
    },
  },
  {
    pattern: /^Code: Unable to access opcode bytes at (?:RIP )?0x([0-9a-f]{1,16})/,
    apply(oops, match, line) {
      const block = currentBlock(oops);
      block.codeRefused = parseHex(match[1]!);
      block.lines.set('code', line);
    },
  },
  {
    pattern: /^Code: (?=[<0-9a-f])/,
    apply(oops, match, line) {
      const code = parseCode(line.text.slice(match[0].length));
      if (!code) return;
      const block = currentBlock(oops);
      block.code = code;
      block.lines.set('code', line);
    },
  },
  {
    pattern: /^RSP: ([0-9a-f]{4}):([0-9a-f]{16})(?: {1,4}EFLAGS: ([0-9a-f]{8,16})(?![0-9a-f]))?/,
    apply(oops, match, line) {
      const block = currentBlock(oops);
      oops.arch ??= 'x86-64';
      setSelector(block, 'ss', match[1]!, line);
      set(block, 'rsp', match[2]!, line);
      if (match[3]) set(block, 'rflags', match[3], line);
    },
  },
  {
    pattern: /^(?:RAX|RBX|RDX|RBP|R10|R13|EAX|ESI|R\d\d): [0-9a-f]{8,16}/,
    apply(oops, _match, line) {
      const block = currentBlock(oops);
      oops.arch ??= line.text.startsWith('E') ? 'i386' : 'x86-64';
      // A register is printed with all its digits, or the text is cut off in it.
      const pair =
        /\b(R(?:[A-D]X|[SD]I|[SB]P|\d\d)(?=: {1,2}[0-9a-f]{16})|E(?:[A-D]X|[SD]I|[SB]P)): {1,2}([0-9a-f]{8,16})(?![0-9a-f])/g;
      for (let match = pair.exec(line.text); match; match = pair.exec(line.text)) {
        set(block, registerName(match[1]!), match[2]!, line);
      }
    },
  },
  {
    pattern: /^EFLAGS: ([0-9a-f]{8})/,
    apply: (oops, match, line) => set(currentBlock(oops), 'rflags', match[1]!, line),
  },
  {
    pattern: /^FS: {1,2}([0-9a-f]{16})\(([0-9a-f]{4})\)(?: GS: ?([0-9a-f]{16})\(([0-9a-f]{4})\))?/,
    apply(oops, match, line) {
      const block = currentBlock(oops);
      block.segments.set('fs', { ...selectorOnly(Number(parseHex(match[2]!))), base: parseHex(match[1]!) });
      block.lines.set('fs', line);
      if (!match[3]) return;
      block.segments.set('gs', { ...selectorOnly(Number(parseHex(match[4]!))), base: parseHex(match[3]) });
      block.lines.set('gs', line);
    },
  },
  {
    // x86-64: `CS:  0010 DS: 0000 ES: 0000 CR0: …`; i386: `DS: 007b ES: 007b FS: 00d8 GS: 0000 SS: 0068 EFLAGS: …`
    pattern: /^(?:CS: {1,2}[0-9a-f]{4} DS|DS): [0-9a-f]{4}/,
    apply(oops, _match, line) {
      const block = currentBlock(oops);
      const pair = /\b([CDEFGS]S): {1,2}([0-9a-f]{4})(?![0-9a-f])/g;
      for (let match = pair.exec(line.text); match; match = pair.exec(line.text)) {
        const name = match[1]!.toLowerCase();
        // The CS of the RIP line is the one at the fault; this line's is the same in every kernel that prints both.
        if (name !== 'cs' || !block.segments.has('cs')) setSelector(block, name, match[2]!, line);
      }
      setControls(oops, block, line);
    },
  },
  {
    pattern: /^(?:CR[0234]|DR[0-7]|PKRU): ?[0-9a-f]{8,16}/,
    apply: (oops, _m, line) => setControls(oops, currentBlock(oops), line),
  },
];

function setControls(oops: LinuxOops, block: OopsBlock, line: DumpLine): void {
  const pair = /\b(CR[0234]|DR[0-7]|PKRU|EFLAGS): ?([0-9a-f]{8,16})(?![0-9a-f])/g;
  for (let match = pair.exec(line.text); match; match = pair.exec(line.text)) {
    const [, name, digits] = match;
    // A 64-bit kernel prints 16 digits of these; fewer are a number that is cut off.
    if (oops.arch === 'x86-64' && /^[CD]R/.test(name!) && digits!.length < 16) continue;
    set(block, name === 'EFLAGS' ? 'rflags' : name!.toLowerCase(), digits!, line);
  }
}

/** The stack that `<TASK>`, `<IRQ>`, `<#DF>` announce; undefined where the line has none. */
export function stackMarker(line: DumpLine): string | undefined {
  const match = /^<(\/?)(#?[A-Z]{2,8})>/.exec(line.text);
  if (!match) return undefined;
  return match[1] ? '' : match[2]!;
}

/** Adds the frames of a trace line, old (` [<addr>] ? sym`) or new (` ? sym`); several stand in a flattened one. */
export function addFrames(oops: LinuxOops, line: DumpLine, stack: string): void {
  for (const { symbol, start } of symbolsIn(line.text)) {
    if (oops.trace.length >= MOST_FRAMES) return;
    const reliable = !line.text.slice(0, start).endsWith('? ');
    oops.trace.push({ symbol, reliable, stack, line });
  }
}
