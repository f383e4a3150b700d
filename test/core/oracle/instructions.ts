/** Templates of integer instructions with random operands, and which flags each leaves undefined (SDM vol. 2). */
import {
  FIRST,
  type Operands,
  SCRATCH,
  SPAN,
  WORDS,
  hex,
  registerName,
  signed,
  type Width,
} from './operands';

export const CF = 0x1;
export const PF = 0x4;
export const AF = 0x10;
export const ZF = 0x40;
export const SF = 0x80;
export const OF = 0x800;
const ARITHMETIC = CF | PF | AF | ZF | SF | OF;

/** An instruction with what has to precede it; `lines` are NASM. */
export interface Generated {
  readonly lines: readonly string[];
  /** Flags that the instruction leaves undefined. */
  readonly undefined: number;
}

const CONDITIONS = ['o', 'no', 'c', 'nc', 'z', 'nz', 'na', 'a', 's', 'ns', 'pe', 'po', 'l', 'ge', 'le', 'g'];

interface Line {
  readonly line: string | readonly string[];
  readonly undefined?: number;
}
type Template = (w: Operands) => Line;

/** Flags that shifts and rotates leave undefined for a count that is known. */
function afterShift(operation: string, count: number, width: Width): number {
  const masked = count & (width === 64 ? 63 : 31);
  if (masked === 0) return 0;
  const overflow = masked === 1 ? 0 : OF;
  if (/^r/.test(operation)) return overflow;
  return overflow | AF | (operation !== 'sar' && masked >= width ? CF : 0);
}

const arithmetic: Template = (w) => {
  const operation = w.random.pick(['add', 'or', 'adc', 'sbb', 'and', 'sub', 'xor', 'cmp', 'test']);
  const width = w.width();
  const undefinedFlags = ['and', 'or', 'xor', 'test'].includes(operation) ? AF : 0;
  const form = w.random.below(3);
  if (form === 0 && operation !== 'test') {
    return { line: `${operation} ${w.register(width)}, ${w.memory(width)}`, undefined: undefinedFlags };
  }
  const destination = w.place(width);
  const source = form === 1 ? w.immediate(width) : operandBeside(w, width, destination);
  const lock = ['cmp', 'test'].includes(operation) ? '' : w.lock(destination);
  return { line: `${lock}${operation} ${destination}, ${source}`, undefined: undefinedFlags };
};

/** A register operand chosen after a memory operand: it must not be reloaded, as it may be part of the address. */
function operandBeside(w: Operands, width: Width, memory: string): string {
  if (!memory.includes('[')) return w.register(width);
  if (width === 8) return w.random.pick(['al', 'cl', 'dl', 'bl']);
  return registerName(w.number(), width);
}

const unary: Template = (w) => {
  const destination = w.place(w.width());
  return { line: `${w.lock(destination)}${w.random.pick(['inc', 'dec', 'neg', 'not'])} ${destination}` };
};

const shift: Template = (w) => {
  const operation = w.random.pick(['shl', 'shr', 'sar', 'rol', 'ror', 'rcl', 'rcr']);
  const width = w.width();
  const count = w.random.pick([0, 1, 1, w.random.below(width), w.random.below(256)]);
  const byRegister = w.random.oneIn(2);
  const destination = w.place(width, byRegister ? [1] : []);
  if (byRegister) w.setup(`mov cl, ${count}`);
  return {
    line: `${operation} ${destination}, ${byRegister ? 'cl' : count}`,
    undefined: afterShift(operation, count, width),
  };
};

/** Not relative to RIP: QEMU 7.2 forgets the immediate byte behind the address. */
const doubleShift: Template = (w) => {
  w.ripRelative = false;
  const width = w.width(16, 32, 64);
  const count = w.random.below(width);
  const byRegister = w.random.oneIn(2);
  const destination = w.place(width, byRegister ? [1] : []);
  const source = operandBeside(w, width, destination.includes('[') ? destination : '[');
  if (byRegister) w.setup(`mov cl, ${count}`);
  const masked = count & (width === 64 ? 63 : 31);
  return {
    line: `${w.random.pick(['shld', 'shrd'])} ${destination}, ${source}, ${byRegister ? 'cl' : count}`,
    undefined: masked === 0 ? 0 : AF | (masked === 1 ? 0 : OF),
  };
};

const multiply: Template = (w) => {
  const width = w.width();
  const undefinedFlags = SF | ZF | AF | PF;
  const form = width === 8 ? 0 : w.random.below(3);
  if (form === 0)
    return { line: `${w.random.pick(['mul', 'imul'])} ${w.place(width)}`, undefined: undefinedFlags };
  const destination = w.register(width);
  const last = form === 2 ? `, ${w.immediate(width)}` : '';
  return { line: `imul ${destination}, ${w.place(width)}${last}`, undefined: undefinedFlags };
};

/** Dividend and divisor such that the quotient fits: #DE is another test's. */
const divide: Template = (w) => {
  const width = w.width();
  const isSigned = w.random.oneIn(2);
  const bits = BigInt(width);
  const half = 1n << (bits - 1n);
  let divisor = w.random.value(width === 64 ? 31 : width);
  if (divisor === 0n) divisor = 3n;
  let low = w.random.value(width);
  let high: bigint;
  if (isSigned) {
    if (low === half) low = 5n;
    high = low >= half ? (1n << bits) - 1n : 0n;
  } else {
    high = w.random.value(width) % divisor;
  }
  const place = w.random.oneIn(2)
    ? w.memory(width, [0, 2])
    : width === 8
      ? 'bl'
      : registerName(w.number([0, 2]), width);
  w.setup(`mov ${place}, ${hex(divisor)}`);
  if (width === 8) {
    w.setup(`mov ax, ${hex((high << 8n) | low)}`);
  } else {
    w.setup(`mov ${registerName(0, width)}, ${hex(low)}`);
    w.setup(`mov ${registerName(2, width)}, ${hex(high)}`);
  }
  return { line: `${isSigned ? 'idiv' : 'div'} ${place}`, undefined: ARITHMETIC };
};

const bitTest: Template = (w) => {
  const operation = w.random.pick(['bt', 'bts', 'btr', 'btc']);
  const width = w.width(16, 32, 64);
  const undefinedFlags = OF | SF | AF | PF;
  if (w.random.oneIn(2)) {
    const destination = w.place(width);
    const lock = operation === 'bt' ? '' : w.lock(destination);
    return { line: `${lock}${operation} ${destination}, ${w.random.below(256)}`, undefined: undefinedFlags };
  }
  const index = w.number();
  const destination = w.random.oneIn(2) ? w.memory(width, [index]) : registerName(w.number([index]), width);
  // With memory the index reaches beyond the operand, in both directions.
  w.set(index, BigInt.asUintN(w.native, BigInt(w.random.between(-128, 127))));
  const lock = operation === 'bt' ? '' : w.lock(destination);
  return {
    line: `${lock}${operation} ${destination}, ${registerName(index, width)}`,
    undefined: undefinedFlags,
  };
};

const bitScan: Template = (w) => {
  const width = w.width(16, 32, 64);
  const source = w.number();
  // Of zero: the destination stays; in 64-bit mode the upper half of a 32-bit one differs between makers.
  const zero = w.random.oneIn(4) && !(w.bits === 64 && width === 32);
  const value = zero ? 0n : w.random.value(width) || 0x10n;
  w.set(source, value);
  const destination = registerName(w.number([source]), width);
  return {
    line: `${w.random.pick(['bsf', 'bsr'])} ${destination}, ${registerName(source, width)}`,
    undefined: CF | OF | SF | AF | PF,
  };
};

const move: Template = (w) => {
  const width = w.width();
  const form = w.random.below(4);
  if (form === 0) return { line: `mov ${w.register(width)}, ${w.memory(width)}` };
  const destination = w.place(width);
  if (form === 1) return { line: `mov ${destination}, ${w.immediate(width)}` };
  return { line: `mov ${destination}, ${operandBeside(w, width, destination)}` };
};

const moveAccumulator: Template = (w) => {
  const width = w.width();
  const accumulator = width === 8 ? 'al' : registerName(0, width);
  const at = hex(BigInt(FIRST + w.random.below(SPAN)));
  const cell = w.bits === 64 ? `[qword ${at}]` : w.bits === 32 ? `[dword ${at}]` : `[word ${at}]`;
  return { line: w.random.oneIn(2) ? `mov ${accumulator}, ${cell}` : `mov ${cell}, ${accumulator}` };
};

const extend: Template = (w) => {
  const to = w.width(16, 32, 64);
  const from = to === 16 ? 8 : w.random.pick<Width>([8, 16]);
  if (to === 64 && w.random.oneIn(3)) return { line: `movsxd ${w.register(64)}, ${w.place(32)}` };
  const destination = registerName(w.number(), to);
  const source = from === 8 ? w.random.pick(['al', 'cl', 'dl', 'bl', w.memory(8)]) : w.place(16);
  return { line: `${w.random.pick(['movzx', 'movsx'])} ${destination}, ${source}` };
};

const convert: Template = (w) => {
  const some = ['cbw', 'cwde', 'cwd', 'cdq'];
  return { line: w.random.pick(w.bits === 64 ? [...some, 'cdqe', 'cqo'] : some) };
};

const exchange: Template = (w) => {
  const width = w.width();
  const operation = w.random.pick(['xchg', 'xadd', 'cmpxchg']);
  const destination = w.place(width);
  const source = operandBeside(w, width, destination.includes('[') ? destination : '[');
  if (operation === 'cmpxchg' && w.random.oneIn(2) && !destination.includes('[')) {
    // Equal half the time.
    w.setup(width === 8 ? `mov al, ${destination}` : `mov ${registerName(0, width)}, ${destination}`);
  }
  return { line: `${w.lock(destination)}${operation} ${destination}, ${source}` };
};

const exchangeWide: Template = (w) => {
  if (w.bits === 64 && w.random.oneIn(2)) {
    const memory = w.memory(64, [0, 1, 2, 3], 16).replace('qword ', '');
    const address = memory.slice(1, -1).replace(/^[defgs]s:/, '');
    if (w.random.oneIn(2)) {
      w.setup(`mov rax, [${address}]`);
      w.setup(`mov rdx, [${address}+8]`);
    }
    return { line: `${w.random.oneIn(2) ? 'lock ' : ''}cmpxchg16b [${address}]` };
  }
  const memory = w.memory(32, [0, 1, 2, 3]).replace('dword ', '');
  const address = memory.slice(1, -1).replace(/^[defgs]s:/, '');
  if (w.random.oneIn(2)) {
    w.setup(`mov eax, [${address}]`);
    w.setup(`mov edx, [${address}+4]`);
  }
  return { line: `${w.random.oneIn(2) ? 'lock ' : ''}cmpxchg8b [${address}]` };
};

const conditional: Template = (w) => {
  const condition = w.random.pick(CONDITIONS);
  const form = w.random.below(3);
  if (form === 0) {
    const width = w.width(16, 32, 64);
    return { line: `cmov${condition} ${w.register(width)}, ${w.place(width)}` };
  }
  if (form === 1) return { line: `set${condition} ${w.place(8)}` };
  const label = w.label();
  const near = w.random.oneIn(2) ? 'near ' : '';
  const register = registerName(w.number(), w.native);
  return { line: [`j${condition} ${near}${label}`, `not ${register}`, `${label}:`] };
};

const loadAddress: Template = (w) => {
  const destination = registerName(w.number(), w.width(16, 32, 64));
  return { line: `lea ${destination}, [${w.address(w.random.below(0x10000), [])}]` };
};

const flagOperation: Template = (w) => {
  const operation = w.random.pick(['cmc', 'clc', 'stc', 'cld', 'std', 'lahf', 'sahf']);
  return { line: operation };
};

const stack: Template = (w) => {
  const width = w.bits === 64 ? w.random.pick<Width>([64, 64, 16]) : w.random.pick<Width>([32, 16]);
  const form = w.random.below(5);
  const word = WORDS[width];
  if (form === 0) return { line: [`push ${w.place(width)}`, `pop ${registerName(w.number(), width)}`] };
  if (form === 1) {
    const target = w.memory(width);
    return { line: [`push ${registerName(w.number(), width)}`, `pop ${target}`] };
  }
  if (form === 2) {
    return {
      line: [
        `push ${word} ${signed(w.random.value(Math.min(width, 32)), Math.min(width, 32))}`,
        `pop ${registerName(w.number(), width)}`,
      ],
    };
  }
  const letter = { 8: '', 16: 'w', 32: 'd', 64: 'q' }[width];
  if (form === 3) return { line: [`pushf${letter}`, `pop ${registerName(w.number(), width)}`] };
  // CF PF AF ZF SF DF OF, IOPL, NT and beyond left alone, no TF, no IF.
  const flags = 0x2 | (w.random.word() & 0xcd5);
  return { line: [`push ${word} ${flags}`, `popf${letter}`] };
};

const stackAll: Template = (w) => {
  const letter = w.random.pick(['w', 'd']);
  return { line: [`pusha${letter}`, `not ${registerName(w.number(), 32)}`, `popa${letter}`] };
};

const frame: Template = (w) => {
  w.set(5, BigInt(SCRATCH + 96));
  return { line: [`enter ${w.random.below(64) * 2}, ${w.random.below(4)}`, 'leave'] };
};

const translate: Template = (w) => {
  w.set(3, BigInt(FIRST));
  w.setup(`mov al, ${w.random.below(SPAN)}`);
  return { line: 'xlatb' };
};

const decimal: Template = (w) => {
  const operation = w.random.pick(['daa', 'das', 'aaa', 'aas', 'aam', 'aad']);
  if (w.random.oneIn(2)) w.set(0, w.random.value(32));
  const undefinedFlags: Record<string, number> = {
    daa: OF,
    das: OF,
    aaa: OF | SF | ZF | PF,
    aas: OF | SF | ZF | PF,
  };
  const base = ['aam', 'aad'].includes(operation)
    ? ` ${w.random.pick([10, 10, w.random.between(1, 255)])}`
    : '';
  return { line: operation + base, undefined: undefinedFlags[operation] ?? OF | AF | CF };
};

const swapBytes: Template = (w) => ({ line: `bswap ${w.register(w.width(32, 64))}` });

const string: Template = (w) => {
  const operation = w.random.pick(['movs', 'cmps', 'scas', 'lods', 'stos']);
  const width = w.width();
  const letter = { 8: 'b', 16: 'w', 32: 'd', 64: 'q' }[width];
  const prefixes = ['cmps', 'scas'].includes(operation) ? ['', 'repe ', 'repne '] : ['', 'rep '];
  w.set(6, BigInt(FIRST + w.random.below(SPAN - 8)));
  w.set(7, BigInt(FIRST + w.random.below(SPAN - 8)));
  // Small, so that backward or forward all stays in the scratch area.
  w.set(1, BigInt(w.random.below(5)));
  if (operation === 'scas' && w.random.oneIn(2)) w.set(0, 0n);
  w.setup(w.random.pick(['cld', 'std']));
  return { line: `${w.random.pick(prefixes)}${operation}${letter}` };
};

/** The other address size: only its part of the registers counts. RCX = 0 is left out, as makers differ there. */
const stringOther: Template = (w) => {
  const { line } = string(w);
  const size = w.bits === 32 ? 'a16' : 'a32';
  if (w.bits === 32) {
    for (const register of ['esi', 'edi', 'ecx']) w.setup(`lea ${register}, [${register}+0x7e570000]`);
  } else {
    w.set(1, BigInt(w.random.between(1, 3)));
  }
  return { line: `${size} ${line as string}` };
};

const loop: Template = (w) => {
  const label = w.label();
  const operation = w.random.pick(['loop', 'loope', 'loopne']);
  const counted = registerName(w.number([1]), w.native);
  w.set(1, BigInt(w.random.between(1, 5)));
  return { line: [`${label}:`, `lea ${counted}, [${counted}+3]`, `${operation} ${label}`] };
};

const jumpZero: Template = (w) => {
  const label = w.label();
  w.set(1, w.random.value(w.native) & w.random.pick([0n, 0xffff0000n, 0xffffffffffffffffn]));
  const operation = w.random.pick(w.bits === 64 ? ['jecxz', 'jrcxz'] : ['jcxz', 'jecxz']);
  return { line: [`${operation} ${label}`, `not ${registerName(w.number(), w.native)}`, `${label}:`] };
};

const call: Template = (w) => {
  const [target, after] = [w.label(), w.label()];
  const body = [
    `jmp ${after}`,
    `${target}:`,
    `not ${registerName(w.number([0]), w.native)}`,
    'ret',
    `${after}:`,
  ];
  const form = w.random.below(3);
  if (form === 0) return { line: [`call ${target}`, ...body] };
  if (w.bits === 16) {
    w.setup(`mov ax, (${target} - image_start) + IMAGE_START - 0xf0000`);
    return { line: ['call ax', ...body] };
  }
  const address = w.bits === 64 ? 'rax' : 'eax';
  w.setup(`mov ${address}, ${target}`);
  if (form === 1) return { line: [`call ${address}`, ...body] };
  return {
    line: [
      `push ${address}`,
      `call [${w.bits === 64 ? 'rsp' : 'esp'}]`,
      `lea ${w.bits === 64 ? 'rsp' : 'esp'}, [${w.bits === 64 ? 'rsp+8' : 'esp+4'}]`,
      ...body,
    ],
  };
};

/** All templates of 64-bit code; the frequent ones stand more than once. */
const TEMPLATES_64: readonly Template[] = [
  ...[
    arithmetic,
    arithmetic,
    arithmetic,
    unary,
    shift,
    shift,
    doubleShift,
    multiply,
    divide,
    bitTest,
    bitScan,
  ],
  ...[move, move, moveAccumulator, extend, convert, exchange, exchangeWide, conditional, conditional],
  ...[
    loadAddress,
    flagOperation,
    stack,
    frame,
    translate,
    swapBytes,
    string,
    string,
    stringOther,
    loop,
    jumpZero,
    call,
  ],
];
const TEMPLATES_ALL: readonly Template[] = [...TEMPLATES_64, stackAll, decimal, decimal];

/** The next instruction of a program, with what has to run before it. */
export function nextInstruction(operands: Operands): Generated {
  operands.begin();
  const template = operands.random.pick(operands.bits === 64 ? TEMPLATES_64 : TEMPLATES_ALL);
  const { line, undefined: undefinedFlags = 0 } = template(operands);
  const before = [...operands.preparation];
  // A segment prefix that changes nothing, as all segments used have base 0.
  if (typeof line === 'string' && !/^(rep|lock|a16|a32)/.test(line) && operands.random.oneIn(12)) {
    before.push(`db ${operands.random.pick([0x26, 0x36, 0x3e, 0x64, 0x65])}`);
  }
  return { lines: [...before, ...(typeof line === 'string' ? [line] : line)], undefined: undefinedFlags };
}
