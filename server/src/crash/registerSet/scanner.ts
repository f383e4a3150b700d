/** Finds register sets: one a vCPU, several in one text. */
import type { DumpScan, DumpScanner, Located, NearMiss } from '../dumpFormat';
import type { DumpLine } from '../dumpText';
import type { RegisterBlock, SegmentValue } from '../registerBlock';
import { JsonRegisters, readRegisterLine, type CodeSize, type LineReading } from './lines';

export interface RegisterSet extends Located {
  readonly block: RegisterBlock;
  codeSize: CodeSize | null;
  last: DumpLine;
}

const MOST_SETS = 64;
/** Other lines that may stand between two lines of one set: XMM registers, debug registers in a form of their own. */
const WIDEST_GAP = 8;
/** A set must tell the mode: CR0, and enough of the rest. */
const TELLING = ['rip', 'cr0', 'cr3', 'cr4', 'efer'];
const FEWEST_TELLING = 3;
/** Registers that are no set, but meant as one. */
const FEWEST_FOR_MISS = 4;

export class RegisterSetScanner implements DumpScanner<RegisterSet> {
  private readonly sets: RegisterSet[] = [];
  private readonly json = new JsonRegisters();
  private open: RegisterSet | null = null;
  private gap = 0;
  private dropped = 0;
  private nearMiss: NearMiss | null = null;

  line(line: DumpLine): void {
    if (/^CPU#\d/.test(line.text)) {
      this.close();
      return;
    }
    const reading = this.json.read(line.text) ?? readRegisterLine(line.text);
    if (!reading) {
      if (this.open && ++this.gap > WIDEST_GAP) this.close();
      return;
    }
    if (this.open && reading.values.some(([name]) => this.open?.block.values.has(name))) this.close();
    this.open ??= {
      block: { values: new Map(), segments: new Map(), lines: new Map() },
      codeSize: null,
      first: line,
      last: line,
    };
    this.gap = 0;
    add(this.open, reading, line);
  }

  result(): DumpScan<RegisterSet> {
    this.close();
    return {
      dumps: this.sets,
      dropped: this.dropped,
      nearMisses: this.nearMiss ? [this.nearMiss] : [],
    };
  }

  private close(): void {
    const { open } = this;
    this.open = null;
    this.gap = 0;
    if (!open) return;
    const { values, segments } = open.block;
    const telling = TELLING.filter((name) => values.has(name)).length + Number(segments.has('cs'));
    if (!values.has('cr0') || telling < FEWEST_TELLING) {
      if (values.size >= FEWEST_FOR_MISS) this.nearMiss ??= tooFew(open.first);
    } else if (this.sets.length < MOST_SETS) this.sets.push(open);
    else this.dropped++;
  }
}

function tooFew(line: DumpLine): NearMiss {
  const what = /^[RE]AX=/.test(line.text) ? 'looks like a QEMU register block' : 'looks like a register set';
  return {
    line,
    say: (place) =>
      `This ${what} (${place}), but it does not tell the mode: CR0 and two of RIP, CR3, CR4, EFER and CS are needed.`,
  };
}

function add(set: RegisterSet, reading: LineReading, line: DumpLine): void {
  const { values, segments, lines } = set.block;
  for (const [name, value] of reading.values) {
    values.set(name, value);
    lines.set(name, line);
  }
  for (const [name, value] of reading.segments) {
    segments.set(name, merged(segments.get(name), value));
    if (!lines.has(name)) lines.set(name, line);
  }
  set.codeSize ??= reading.codeSize;
  set.last = line;
}

function merged(before: SegmentValue | undefined, value: SegmentValue): SegmentValue {
  if (!before) return value;
  return {
    selector: value.selector ?? before.selector,
    base: value.base ?? before.base,
    limit: value.limit ?? before.limit,
    attributes: value.attributes ?? before.attributes,
  };
}
