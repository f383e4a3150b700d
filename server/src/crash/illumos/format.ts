/** illumos kernel panics (F10), of a host that runs bhyve or Propolis above all. */
import type { Hypothesis } from '../../machine/knownIssue';
import { defineFormat } from '../dumpFormat';
import { illumos13253, illumos14042 } from '../knownIssues';
import type { Mapping } from '../report';
import { panicFacts, type PanicFacts } from './facts';
import { formatFrame, isReliable } from './panic';
import { icrDecoded, illumos13253Match } from './rules/illumos13253';
import { illumos14042Match, seamsIn } from './rules/illumos14042';
import { namelessFrame, reportedPanic, unreliableSymbol } from './rules/panicReport';
import { liveNestedEntry, rangeEndInclusive } from './rules/rangeEndInclusive';
import { PanicScanner } from './scanner';
import { describeSeam, lineOf } from './seams';
import { readVacation } from './vacated';

export const illumosPanic = defineFormat({
  id: 'illumos-panic',
  plural: 'illumos panics',
  sign: /panic(?:\[cpu| message: |str = |stack = )|assertion failed: |bad pending MMIO state|\+[0-9a-f]{1,16} \(\)/,
  lineStarts: [
    String.raw`panic\[cpu\d{1,5}\]\/thread=`,
    'assertion failed: ',
    'bad pending MMIO state',
    'panic message: ',
    'panicstr = ',
    'panicstack = ',
    // a frame with its frame pointer
    String.raw`[0-9a-f]{16} (?:[\w.$-]{1,64}[:\`])?[A-Za-z_.$][\w.$]{0,255}\+[0-9a-fx]{1,18} ?\(`,
    String.raw`[0-9a-f]{16} (?:[0-9a-f]{8,16} )?\(\)`,
    'syncing file systems',
    String.raw`\[ID \d{1,12} kern\.`,
  ],
  joined: [': ', 'message: ', 'panicstr = ', 'panicstack = ', '| '],
  looksFor:
    'an illumos panic: a line with "panic[cpuN]/thread=", "assertion failed: …, file: …, line: …", "panic message:" or "panicstr =", or a stack of frames "module:function+offset ()"',
  rules: [
    illumos14042Match,
    illumos13253Match,
    rangeEndInclusive,
    reportedPanic,
    liveNestedEntry,
    icrDecoded,
    unreliableSymbol,
    namelessFrame,
  ],
  scanner: () => new PanicScanner(),
  facts: panicFacts,
  title: ({ panic, host }: PanicFacts) => {
    const frame = panic.frames.find(isReliable);
    const where = frame ? ` in ${formatFrame(frame)}` : '';
    const cpu = panic.cpu === null ? '' : `, CPU ${panic.cpu}`;
    const message = panic.message === '' ? 'no message in the text' : panic.message.slice(0, 160);
    return `illumos ${host ? 'host ' : ''}panic: ${message}${where}${cpu}`;
  },
  verdict: (_facts, findings) => {
    const possible = findings.find(({ confidence, cause }) => confidence === 'possible' && cause !== null);
    return possible
      ? `Possibly: ${possible.message}`
      : 'Unexplained: no rule knows a cause for this panic. What the kernel reported stands below.';
  },
  hypotheses: (facts) => issueHypotheses(facts),
  addresses: () => [],
  extraMappings: seamMappings,
});

function issueHypotheses(facts: PanicFacts): readonly Hypothesis[] {
  const matched = (rule: typeof illumos14042Match): boolean => rule.check(facts).length > 0;
  return [
    ...(matched(illumos14042Match) ? illumos14042.hypotheses : []),
    ...(matched(illumos13253Match) ? illumos13253.hypotheses : []),
  ];
}

/** The seam is no address of the dump: the two lines that make it, where a page went with the wrong region. */
function seamMappings(facts: PanicFacts): readonly Mapping[] {
  if (!readVacation(facts)?.frame) return [];
  return seamsIn(facts).flatMap((seam) =>
    [seam.below, seam.above].map((region, index) => ({
      what: index === 0 ? `end of ${region.name}` : `start of ${region.name}`,
      address: seam.above.range.start,
      role: 'inferred: the dump prints no guest address; this is where a removal that went one page too far arrives',
      region: region.name,
      machine: seam.machine.name,
      note: describeSeam(seam),
      at: lineOf(seam.machine, region),
    })),
  );
}
