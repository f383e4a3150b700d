/** A CrashReport as JSON (the contract of `bootpath decode`) and as text. */
import { hex } from '../address/format';
import type { Hypothesis } from '../machine/knownIssue';
import type { Crash, CrashFinding, CrashRegisters, CrashReport, Mapping } from '../crash/report';
import { findingJson } from './findings';
import { placeJson, placeText, type PathOf } from './place';
import { wrap, type ReportStyle } from './reportStyle';

function crashFindingJson(finding: CrashFinding, pathOf: PathOf): object {
  const { confidence, evidence, cause } = finding;
  return { ...findingJson(finding, pathOf), confidence, evidence, cause };
}

function registersJson(registers: CrashRegisters): Record<string, unknown> {
  const json: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(registers.values)) {
    if (value !== undefined) json[name] = hex(value);
  }
  for (const [name, segment] of Object.entries(registers.segments)) {
    if (!segment) continue;
    const known = Object.entries(segment).filter(([, value]) => value !== null);
    json[name] = Object.fromEntries(known.map(([key, value]) => [key, hex(value as bigint | number)]));
  }
  return json;
}

function mappingJson(mapping: Mapping, pathOf: PathOf): object {
  const { what, address, role, region, machine, note } = mapping;
  return { what, address: hex(address), role, region, machine, note, ...placeJson(mapping.at, pathOf) };
}

function crashJson(crash: Crash, pathOf: PathOf): object {
  return {
    format: crash.format,
    title: crash.title,
    verdict: crash.verdict,
    mode: crash.mode,
    registers: registersJson(crash.registers),
    findings: crash.findings.map((finding) => crashFindingJson(finding, pathOf)),
    rootCause: crash.rootCause ? crashFindingJson(crash.rootCause, pathOf) : null,
    hypotheses: crash.hypotheses,
    mappings: crash.mappings.map((mapping) => mappingJson(mapping, pathOf)),
    ...placeJson(crash.at, pathOf),
  };
}

/** The JSON contract of `decode`. */
export function crashReportJson(report: CrashReport, pathOf: PathOf): object {
  return {
    crashes: report.crashes.map((crash) => crashJson(crash, pathOf)),
    ...(report.crashes.length === 0 ? { misses: report.misses } : {}),
  };
}

/** The decoded report for people: verdict, evidence, hypotheses, then where the addresses lie. */
export function crashReportText(report: CrashReport, style: ReportStyle): string {
  if (report.crashes.length === 0) {
    return (
      ['No crash was recognised.', ...report.misses.flatMap((miss) => wrap(miss, style, '  ', '- '))].join(
        '\n',
      ) + '\n'
    );
  }
  return report.crashes.map((crash) => crashText(crash, style).join('\n')).join('\n\n') + '\n';
}

function crashText(crash: Crash, style: ReportStyle): string[] {
  const lines = [
    crash.title,
    `  ${placeText(crash.at, style.pathOf)}  ${crash.format}${crash.mode ? `, ${crash.mode} mode` : ''}`,
  ];
  // The verdict of an established cause is the cause, which comes next.
  if (crash.verdict !== crash.rootCause?.message) lines.push('', ...wrap(crash.verdict, style, '  '));
  lines.push('', 'Root cause');
  if (crash.rootCause) lines.push(...findingLines(crash.rootCause, style));
  else lines.push('  Not established by this dump.');
  const others = crash.findings.filter((finding) => finding !== crash.rootCause);
  if (others.length)
    lines.push('', 'What the dump shows', ...others.flatMap((finding) => findingLines(finding, style)));
  if (crash.hypotheses.length) {
    lines.push('', 'Hypotheses, and the experiment that would decide');
    lines.push(...crash.hypotheses.flatMap((hypothesis, index) => hypothesisLines(hypothesis, index, style)));
  }
  if (crash.mappings.length) {
    lines.push(
      '',
      'Where the addresses lie',
      ...crash.mappings.flatMap((mapping) => mappingLines(mapping, style)),
    );
  }
  return lines;
}

/** Places in the dump that are written out for one finding. */
const DUMP_PLACES = 3;

function findingLines(finding: CrashFinding, style: ReportStyle): string[] {
  const cause = finding.cause ? `, cause: ${finding.cause}` : '';
  const lines = wrap(finding.message, style, '  ', '- ');
  lines.push(`    [${finding.code}] ${finding.confidence}, ${finding.evidence}${cause}`);
  const dump = finding.dumpLines.map((at) => placeText(at, style.pathOf));
  const at = finding.at ? placeText(finding.at, style.pathOf) : null;
  if (at !== null && !dump.includes(at)) lines.push(`    → ${at}`);
  for (const related of finding.related ?? []) {
    lines.push(...wrap(`${placeText(related.at, style.pathOf)} ${related.message}`, style, '    ', '→ '));
  }
  if (dump.length) lines.push(`    seen at ${dump.slice(0, DUMP_PLACES).join(', ')}`);
  return lines;
}

function hypothesisLines(hypothesis: Hypothesis, index: number, style: ReportStyle): string[] {
  return [
    ...wrap(hypothesis.message, style, '  ', `H${index + 1} `),
    ...hypothesis.for.flatMap((text) => wrap(text, style, '     ', 'for     ')),
    ...hypothesis.against.flatMap((text) => wrap(text, style, '     ', 'against ')),
    ...wrap(hypothesis.experiment, style, '     ', 'try     '),
  ];
}

function mappingLines(mapping: Mapping, style: ReportStyle): string[] {
  const owner = mapping.machine ? ` of ${mapping.machine}` : '';
  const where = mapping.region ? `in ${mapping.region}${owner}` : 'in no region';
  const place = mapping.at ? ` → ${placeText(mapping.at, style.pathOf)}` : '';
  const lines = [
    `  ${mapping.what} ${hex(mapping.address)}  ${where}${place}`,
    ...wrap(mapping.role, style, '      '),
  ];
  if (mapping.note) lines.push(...wrap(mapping.note, style, '      '));
  return lines;
}
