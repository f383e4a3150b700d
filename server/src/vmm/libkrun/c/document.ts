/** A C text that calls libkrun as a Document: machines, and links to the files that it names. */
import type { Document, OutlineNode, ParseContext, PathLink } from '../../../machine/language';
import type { Finding } from '../../../text/finding';
import type { SourceText } from '../../../text/sourceText';
import { configDocument } from '../../configDocument';
import { chooseVersion } from '../../versionChoice';
import { LIBKRUN_VERSION_LIST } from '../versions';
import { API_CALLS } from './calls';
import { contextsOf, machinesOf, type KrunContext } from './machines';
import { krunCalls, type CCall } from './scan';

export interface LibkrunDocument extends Document {
  readonly language: 'libkrun-c';
  readonly calls: readonly CCall[];
  readonly contexts: readonly KrunContext[];
}

export function isLibkrunDocument(document: Document): document is LibkrunDocument {
  return document.language === 'libkrun-c';
}

/** Reads a text. Never throws; a call that is not understood gives less and no finding but for its number of arguments. */
export function parseDocument(source: SourceText, context: ParseContext): LibkrunDocument {
  const chosen = chooseVersion(source, context, LIBKRUN_VERSION_LIST);
  const calls = krunCalls(source.text);
  const contexts = contextsOf(calls);
  const parts = {
    vmm: 'libkrun',
    chosen,
    machines: machinesOf(source, contexts, chosen.version),
    problems: calls.flatMap((call) => callProblems(source, call)),
    outline: () => contexts.map((one) => outlineOf(source, one)),
    links: () => calls.flatMap((call) => linksOf(source, call)),
  };
  return configDocument(source, 'libkrun-c', parts, { calls, contexts });
}

function callProblems(source: SourceText, call: CCall): Finding[] {
  const known = API_CALLS[call.name];
  if (!known || !call.closed) return [];
  const wanted = known.parameters.length + 1;
  const given = call.arguments.length;
  if (given === wanted) return [];
  const parameters = ['ctx_id', ...known.parameters].join(', ');
  return [
    {
      code: 'libkrun-call',
      severity: 'error',
      message: `${call.name} takes ${wanted} arguments (${parameters}), and here ${given === 1 ? 'is 1' : `are ${given}`}.`,
      at: source.at(call.nameSpan.start, call.nameSpan.end),
    },
  ];
}

function outlineOf(source: SourceText, { config, calls }: KrunContext): OutlineNode {
  const node = (call: CCall, kind: OutlineNode['kind'], children: OutlineNode[]): OutlineNode => ({
    name: call.name,
    detail: source.text.slice(call.nameSpan.end, Math.min(call.end, call.nameSpan.end + 60)),
    kind,
    range: source.lines.rangeAt(call.start, call.end),
    nameRange: source.lines.rangeAt(call.nameSpan.start, call.nameSpan.end),
    children,
  });
  const others = calls.filter((call) => call !== config).map((call) => node(call, 'option', []));
  return node(config, 'machine', others);
}

function linksOf(source: SourceText, call: CCall): PathLink[] {
  const { parameters = [], paths = [] } = API_CALLS[call.name] ?? {};
  return call.arguments.slice(1).flatMap((argument, index) => {
    if (argument.kind !== 'string' || argument.value === '' || !paths.includes(parameters[index] ?? ''))
      return [];
    // The quotes are not part of the link.
    return [{ range: source.lines.rangeAt(argument.start + 1, argument.end - 1), path: argument.value }];
  });
}
