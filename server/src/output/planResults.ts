/** What `bootpath test` prints: a line for each boot plan, the JSON contract, and JUnit's XML. */
import type { Outcome } from '../machine/outcome';
import { countText } from './bootReport';
import { printable, withoutEscapes } from './terminalText';

/** An expectation that was not met. */
export interface PlanFailure {
  /** `the console has "login: "`. */
  readonly expected: string;
  /** What was there instead. */
  readonly actual: string;
  /** 1-based line of the plan; null where no line says it. */
  readonly line: number | null;
}

export interface PlanResult {
  readonly file: string;
  readonly failures: readonly PlanFailure[];
  /** Null where nothing was run. */
  readonly run: PlanRun | null;
}

export interface PlanRun {
  readonly outcome: Outcome;
  readonly reason: string;
  readonly instructions: number;
  /** Wall time: only in JUnit's XML, which wants one. */
  readonly milliseconds: number;
  readonly console: string;
  readonly firmwareLog: string;
}

export function passed({ failures }: PlanResult): boolean {
  return failures.length === 0;
}

/** The JSON contract of `test`. */
export function planResultsJson(results: readonly PlanResult[]): object {
  return {
    plans: results.map((result) => ({
      file: result.file,
      passed: passed(result),
      failures: result.failures.map(({ expected, actual, line }) => ({ expected, actual, line })),
      outcome: result.run?.outcome ?? null,
      instructions: result.run?.instructions ?? null,
    })),
  };
}

/** The same lines whatever ran beside it: no times. */
export function planResultText(result: PlanResult): string {
  const { file, failures, run } = result;
  const how = run ? ` (${run.outcome} after ${countText(run.instructions)} instructions)` : '';
  const lines = [`${passed(result) ? 'ok  ' : 'FAIL'} ${file}${how}`];
  for (const failure of failures) {
    const place = failure.line === null ? file : `${file}:${failure.line}`;
    lines.push(`     ${place}: expected: ${failure.expected}`, `         but ${failure.actual}`);
  }
  if (run && !passed(result)) lines.push(`     ${run.reason}`);
  return lines.join('\n') + '\n';
}

export function planSummary(results: readonly PlanResult[]): string {
  const failed = results.filter((result) => !passed(result)).length;
  return `${results.length} ${results.length === 1 ? 'plan' : 'plans'}, ${results.length - failed} passed, ${failed} failed\n`;
}

/** Of a console in the XML: the end, where it went wrong. */
const LONGEST_OUTPUT = 64 * 1024;

/**
 * JUnit's XML as Jenkins, GitLab and the actions for GitHub read it: a suite, a case for each plan with one failure that has all
 * that was missed.
 */
export function planResultsJunit(results: readonly PlanResult[]): string {
  const failed = results.filter((result) => !passed(result)).length;
  const seconds = results.reduce((sum, { run }) => sum + (run?.milliseconds ?? 0), 0) / 1000;
  const counts = `tests="${results.length}" failures="${failed}" errors="0" skipped="0" time="${seconds.toFixed(3)}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="bootpath" ${counts}>`,
    `  <testsuite name="bootpath test" ${counts}>`,
    ...results.flatMap(testCase),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function testCase(result: PlanResult): string[] {
  const { file, failures, run } = result;
  const time = ((run?.milliseconds ?? 0) / 1000).toFixed(3);
  const name = xml(file);
  const lines = [`    <testcase classname="bootpath" name="${name}" file="${name}" time="${time}">`];
  const [first] = failures;
  if (first) {
    const text = failures.map(
      ({ expected, actual, line }) =>
        `${file}${line === null ? '' : `:${line}`}: expected: ${expected}\n    but ${actual}`,
    );
    const reason = run ? [run.reason] : [];
    const message = `Expected: ${first.expected}. But ${first.actual}.`;
    lines.push(
      `      <failure type="boot-expectation-missed" message="${xml(message)}">${xml([...text, ...reason].join('\n'))}</failure>`,
    );
  }
  for (const [title, log] of [
    ['Console', run?.console],
    ['Firmware log', run?.firmwareLog],
  ] as const) {
    if (log) lines.push(`      <system-out>${xml(`${title}:\n${outputText(log)}`)}</system-out>`);
  }
  return [...lines, '    </testcase>'];
}

function outputText(text: string): string {
  const lines = withoutEscapes(text).replace(/\r/g, '').split('\n').map(printable).join('\n');
  return lines.length > LONGEST_OUTPUT ? `[…]\n${lines.slice(-LONGEST_OUTPUT)}` : lines;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
};

/** As text and as the value of an attribute; what XML 1.0 has no character for (2.2) becomes U+FFFD or a control picture. */
export function xml(text: string): string {
  const safe = text.replace(
    // eslint-disable-next-line no-control-regex
    /[\0-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
    (character) => (character < ' ' ? printable(character) : '\ufffd'),
  );
  return safe.replace(/[&<>"\n]/g, (character) => ENTITIES[character]!);
}
