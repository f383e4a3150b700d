/** Reading a vm.conf as the tests want it. */
import { parseDocument, type VmConfDocument } from '../../../server/src/vmm/vmd/document';
import { runChecks } from '../../../server/src/checks/catalogue';
import type { Finding } from '../../../server/src/text/finding';
import { SourceText } from '../../../server/src/text/sourceText';

export const URI = 'file:///etc/vm.conf';

export interface Options {
  readonly version?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly defines?: Readonly<Record<string, string>>;
}

export function read(text: string, { version, files = {}, defines = {} }: Options = {}): VmConfDocument {
  return parseDocument(new SourceText(URI, text), {
    files: new Map(Object.entries(files)),
    defines: new Map(Object.entries(defines)),
    ...(version ? { choice: { vmm: 'vmd', version } } : {}),
  });
}

export function findings(text: string, options?: Options): Finding[] {
  return runChecks(read(text, options));
}

export function codes(text: string, options?: Options): string[] {
  return findings(text, options).map(({ code }) => code);
}

/** Text and offset of a `$0` mark. */
export function atMark(text: string): { text: string; offset: number } {
  const offset = text.indexOf('$0');
  return { text: text.slice(0, offset) + text.slice(offset + 2), offset };
}

/** A text with the edits of a fix in it. */
export function applied(text: string, finding: Finding, title: string): string {
  const fix = finding.fixes?.find((candidate) => candidate.title === title);
  if (!fix) throw new Error(`no fix "${title}" among ${finding.fixes?.map((f) => f.title).join(', ')}`);
  const { lines } = new SourceText(URI, text);
  return [...fix.edits]
    .sort((a, b) => lines.offsetAt(b.range.start) - lines.offsetAt(a.range.start))
    .reduce(
      (result, { range, newText }) =>
        result.slice(0, lines.offsetAt(range.start)) + newText + result.slice(lines.offsetAt(range.end)),
      text,
    );
}
