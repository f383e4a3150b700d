/** Configs of Firecracker and Cloud Hypervisor for the tests of their rules. */
import type { Finding } from '../../../server/src/text/finding';
import { runChecks } from '../../../server/src/checks/catalogue';
import type { Document } from '../../../server/src/machine/language';
import { SourceText } from '../../../server/src/text/sourceText';
import { cloudHypervisor } from '../../../server/src/vmm/cloud-hypervisor/language';
import { firecracker } from '../../../server/src/vmm/firecracker/language';

export const LANGUAGES = { firecracker, 'cloud-hypervisor': cloudHypervisor } as const;
export type Vmm = keyof typeof LANGUAGES;

export function documentOf(vmm: Vmm, text: string, version?: string): Document {
  return LANGUAGES[vmm].parse(new SourceText('file:///vm.json', text), {
    files: new Map(),
    ...(version === undefined ? {} : { choice: { vmm, version } }),
  });
}

export function findingsOf(vmm: Vmm, text: string, version?: string): Finding[] {
  return runChecks(documentOf(vmm, text, version));
}

/** What the rules on this VMM's configs say, with the piece of text that each points at. */
export function saidOf(vmm: Vmm, config: object | string, version?: string): string[] {
  const text = typeof config === 'string' ? config : JSON.stringify(config);
  return findingsOf(vmm, text, version)
    .filter(({ code }) => code.startsWith(`${vmm}-`))
    .map(({ code, severity, at }) => {
      const { start, end } = at!.range;
      const place =
        start.line === end.line ? text.split('\n')[start.line]!.slice(start.character, end.character) : '…';
      return `${severity} ${code.slice(vmm.length + 1)} ${place}`;
    });
}

/** The text after the first fix of the first finding of a code. */
export function fixed(vmm: Vmm, text: string, code: string): string | null {
  const source = new SourceText('file:///vm.json', text);
  const fix = findingsOf(vmm, text).find((finding) => finding.code === code)?.fixes?.[0];
  if (!fix) return null;
  const [edit] = fix.edits;
  const from = source.lines.offsetAt(edit!.range.start);
  return text.slice(0, from) + edit!.newText + text.slice(source.lines.offsetAt(edit!.range.end));
}
