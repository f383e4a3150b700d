/** Finds the oopses in a text: several may stand in one, of several machines. One pass, one line at a time. */
import type { DumpScan, DumpScanner, Located, NearMiss } from '../dumpFormat';
import type { DumpLine } from '../dumpText';
import { newOops, type LinuxOops } from './oops';
import { addFrames, BODY_RULES, stackMarker } from './body';
import { FOREIGN, HEADER_RULES, NOTICES, type HeaderRule } from './header';

/** An oops with its place among those of the same machine, from 1. */
export interface RankedOops extends Located {
  readonly oops: LinuxOops;
  readonly rank: number;
  readonly siblings: number;
}

const MOST_OOPSES = 64;
const MOST_OTHERS = 16;

type Stage = 'header' | 'died' | 'body' | 'ended';

/** The report that is open for one machine of the text. */
interface Open {
  /** Null while a notice is open, whose registers belong to no crash. */
  oops: LinuxOops | null;
  stage: Stage;
  inTrace: boolean;
  stack: string;
}

export class OopsScanner implements DumpScanner<RankedOops> {
  private readonly oopses: LinuxOops[] = [];
  private readonly notices: DumpLine[] = [];
  private readonly foreign: { arch: string; line: DumpLine }[] = [];
  private readonly open = new Map<string, Open>();
  private dropped = 0;

  line(line: DumpLine): void {
    const foreign = FOREIGN.find(({ pattern }) => pattern.test(line.text));
    if (foreign) {
      if (this.foreign.length < MOST_OTHERS) this.foreign.push({ arch: foreign.arch, line });
      this.startNotice(line);
      return;
    }
    if (this.header(line)) return;
    if (NOTICES.some((pattern) => pattern.test(line.text))) {
      if (this.notices.length < MOST_OTHERS) this.notices.push(line);
      this.startNotice(line);
      return;
    }
    this.body(line);
  }

  result(): DumpScan<RankedOops> {
    const foreign = this.foreign.map(({ arch, line }): NearMiss => ({
      line,
      say: (place) => `${arch} oops at ${place}: not decoded here, only x86 is.`,
    }));
    const notices = this.notices.map((line): NearMiss => ({
      line,
      say: (place) =>
        `The report at ${place} is a kernel warning or stall, no crash: "${line.text.slice(0, 80)}".`,
    }));
    return {
      dumps: rank(this.oopses.filter(isCrash)),
      dropped: this.dropped,
      nearMisses: [...foreign, ...notices],
    };
  }

  private header(line: DumpLine): boolean {
    for (const rule of HEADER_RULES) {
      const match = rule.pattern.exec(line.text);
      if (!match) continue;
      const oops = this.reportFor(rule, line);
      if (!oops) return rule.role !== 'adds';
      if (rule.kind && (oops.kind === 'fragment' || oops.kind === 'other')) oops.kind = rule.kind;
      rule.apply(oops, match, line);
      oops.headerLines.push(line);
      oops.last = line;
      const state = this.open.get(line.machine);
      if (state && rule.role === 'dies') state.stage = 'died';
      if (state && rule.role !== 'panics') state.inTrace = false;
      return true;
    }
    return false;
  }

  /** The record that a header line belongs to; a new one where it begins a report. */
  private reportFor(rule: HeaderRule, line: DumpLine): LinuxOops | null {
    const state = this.open.get(line.machine);
    const inHeader = state?.oops && state.stage === 'header' ? state.oops : null;
    switch (rule.role) {
      case 'adds':
        return inHeader ?? (state?.oops && state.stage === 'died' ? state.oops : null);
      case 'dies':
        return inHeader ?? this.start(line);
      case 'panics':
        // The panic that an oops ends in is printed after it, and repeated in the end mark.
        return state?.oops ?? this.start(line, 'panic');
      case 'opens':
        // `Missing ENDBR` and `stack guard page` are followed by a second opening line of the same report.
        if (inHeader && (inHeader.missingEndbr !== null || inHeader.kind === 'stack-guard')) return inHeader;
        return this.start(line);
    }
  }

  private start(line: DumpLine, kind: LinuxOops['kind'] = 'fragment'): LinuxOops {
    const oops = newOops(kind, line);
    this.open.set(line.machine, {
      oops,
      stage: kind === 'panic' ? 'died' : 'header',
      inTrace: false,
      stack: '',
    });
    if (this.oopses.length < MOST_OOPSES) this.oopses.push(oops);
    else this.dropped++;
    return oops;
  }

  private startNotice(line: DumpLine): void {
    this.open.set(line.machine, { oops: null, stage: 'body', inTrace: false, stack: '' });
  }

  private body(line: DumpLine): void {
    let state = this.open.get(line.machine);
    if (/^-{3}\[ end /.test(line.text)) {
      if (state) state.stage = 'ended';
      if (state?.oops) state.oops.last = line;
      return;
    }
    const rule = BODY_RULES.find(({ pattern }) => pattern.test(line.text));
    if (rule) {
      if (!state) {
        // Registers without a header: the paste is cut off. Process and hardware lines alone mean nothing.
        if (!/^(?:RIP|EIP|RSP|RAX|EAX): /.test(line.text)) return;
        this.start(line);
        state = this.open.get(line.machine)!;
      }
      if (!state.oops) return;
      this.splitAtOtherHardware(state, line);
      rule.apply(state.oops, rule.pattern.exec(line.text)!, line);
      state.oops.last = line;
      if (state.stage !== 'ended') state.stage = 'body';
      if (/^RIP: /.test(line.text)) state.inTrace = false;
      return;
    }
    if (state?.oops) this.trace(state, state.oops, line);
  }

  /** A second hardware name is a second machine whose header is not in the text. */
  private splitAtOtherHardware(state: Open, line: DumpLine): void {
    const name = /^Hardware name: (.{1,200})/.exec(line.text)?.[1]?.trim();
    if (!name || !state.oops?.hardware || state.oops.hardware === name) return;
    state.oops = this.start(line);
    state.stage = 'body';
  }

  private trace(state: Open, oops: LinuxOops, line: DumpLine): void {
    if (/^Call Trace:/i.test(line.text)) {
      state.inTrace = true;
      state.stack = '';
      oops.last = line;
    }
    if (!state.inTrace || state.stage === 'ended') return;
    const marker = stackMarker(line);
    if (marker !== undefined) state.stack = marker;
    const before = oops.trace.length;
    addFrames(oops, line, state.stack);
    if (marker !== undefined || oops.trace.length > before) oops.last = line;
    else if (/^Modules linked in:/.test(line.text)) state.inTrace = false;
  }
}

/** The oopses of one machine together, by their number: `#1` has the root cause. Machines in the text's order. */
function rank(oopses: readonly LinuxOops[]): RankedOops[] {
  const machines = new Map<string, LinuxOops[]>();
  for (const oops of oopses) {
    const key = `${oops.first.machine}\n${oops.hardware ?? ''}`;
    const group = machines.get(key);
    if (group) group.push(oops);
    else machines.set(key, [oops]);
  }
  return [...machines.values()].flatMap((group) => {
    // A stable sort: without a number an oops keeps its place among the others.
    const order = group.map((oops, index) => ({ oops, number: oops.number ?? index + 1 }));
    order.sort((a, b) => a.number - b.number);
    return order.map(({ oops }, index) => ({
      oops,
      rank: index + 1,
      siblings: group.length,
      first: oops.first,
      last: oops.last,
    }));
  });
}

/** A header alone is a crash; registers alone are one if they are the kernel's and more than a line of them is there. */
function isCrash(oops: LinuxOops): boolean {
  if (oops.kind !== 'fragment') return true;
  const block = oops.blocks[0];
  if (!block || block.values.size < 8) return false;
  const cs = block.segments.get('cs')?.selector;
  return cs === undefined || cs === null || (cs & 3) === 0;
}
