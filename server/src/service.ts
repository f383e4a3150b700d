/**
 * The façade: everything the outside may call. Pure, so that it runs in Node, in a worker and in a browser; files are
 * read by the caller and handed in. A Document is a value: nothing is kept between calls.
 */
import type * as lsp from 'vscode-languageserver-types';
import { crashDump } from './crash/language';
import { codeActions, type CodeActionQuery } from './features/codeActions';
import { codeLenses, type LensOutcome } from './features/codeLenses';
import { completionItems } from './features/completion';
import { diagnosticsIn, diagnosticsOf } from './features/diagnostics';
import { documentLinks } from './features/documentLinks';
import { documentSymbols, type Outline } from './features/documentSymbols';
import { foldingRanges } from './features/folding';
import { hover } from './features/hover';
import { inlayHints, type InlayHintSettings } from './features/inlayHints';
import { machineAtPosition, wireMachines, type MachineAt } from './features/layout';
import type { WireMachine } from './machine/wire';
import { definition, references } from './features/namedSymbols';
import { configErrors } from './checks/boot-plan/configErrors';
import { runChecks, type CheckSettings } from './checks/catalogue';
import { imagePaths, missingImages } from './checks/host/imageMissing';
import { bootPlanLanguage } from './boot-plan/language';
import type { Document, Language, ParseContext } from './machine/language';
import type { Machine } from './machine/machine';
import { memmap } from './memory-map/language';
import type { Finding } from './text/finding';
import type { Position, TextRange } from './text/position';
import type { SourceText } from './text/sourceText';
import type { VmmVersion } from './vmm/model';
import { cloudHypervisor } from './vmm/cloud-hypervisor/language';
import { firecracker } from './vmm/firecracker/language';
import { parseUnder } from './vmm/documentUnder';
import { VMM_MODELS } from './vmm/models';
import { qemuConfig } from './vmm/pc/readconfig/language';
import { propolis } from './vmm/propolis/language';
import { boxlite } from './vmm/libkrun/boxlite/language';
import { libkrunC } from './vmm/libkrun/c/language';
import { bhyveCommand } from './vmm/bhyve/command/language';
import { vmBhyve } from './vmm/bhyve/vmBhyve/language';
import { bhyveConfig } from './vmm/bhyve/config/language';
import { vmconf } from './vmm/vmd/language';

export interface Service {
  readonly languages: readonly Language[];
  /**
   * The one predicate that says whether a text is ours: by the language id where it is one of our own, by content
   * where the id is one that our files are known to be opened with, or where there is no id (a file on disk).
   */
  claim(languageId: string, text: string, path: string): Language | null;
  /** Whether symbols and folding are ours to give under this id: no language of others gives its own there. */
  ownsOutline(languageId: string): boolean;
  /** For the VMM that `context.choice` asks for, also where it is not the language's own. */
  parse(language: Language, source: SourceText, context: ParseContext): Document;
  /** Versions of a VMM, oldest first; empty for one that we do not know. */
  versions(vmm: string | null): readonly VmmVersion[];
  /**
   * What the parser and the checks say, with the user's levels applied, in the order of the text. `missing` are those of
   * `imagePaths` that the host does not have; without it nothing is said about the host.
   */
  findings(document: Document, settings?: CheckSettings, missing?: ReadonlySet<string>): Finding[];
  /** Absolute paths of the images that a document names. */
  imagePaths(document: Document): string[];
  diagnostics(document: Document, findings: readonly Finding[]): lsp.Diagnostic[];
  /** Diagnostics that findings of an including document have in the file `uri`. */
  diagnosticsIn(uri: string, findings: readonly Finding[]): lsp.Diagnostic[];
  codeActions(document: Document, findings: readonly Finding[], query: CodeActionQuery): lsp.CodeAction[];
  codeLenses(document: Document, outcomes: ReadonlyMap<string, LensOutcome>): lsp.CodeLens[];
  completion(document: Document, position: Position, snippets: boolean): lsp.CompletionItem[];
  /** `elsewhere`: machines of other open texts, in which an address of a crash dump is looked up. */
  hover(document: Document, position: Position, elsewhere?: readonly Machine[]): lsp.Hover | null;
  inlayHints(document: Document, visible: TextRange, settings: InlayHintSettings): lsp.InlayHint[];
  documentSymbols(document: Document): Outline;
  foldingRanges(document: Document): lsp.FoldingRange[];
  documentLinks(document: Document): lsp.DocumentLink[];
  definition(document: Document, position: Position): lsp.Location | null;
  references(document: Document, position: Position, withDefinition: boolean): lsp.Location[];
  layout(document: Document): WireMachine[];
  machineAt(document: Document, position: Position): MachineAt | null;
}

/** What a service is made of; the tests make one of a language of their own. */
export interface ServiceParts {
  readonly languages: readonly Language[];
  readonly versions: Readonly<Record<string, readonly VmmVersion[]>>;
}

/** Language ids under which editors open files of ours that have no id of their own there. */
const HOST_IDS: ReadonlySet<string> = new Set([
  '',
  'c',
  'conf',
  'cpp',
  'dosini',
  'ini',
  'json',
  'jsonc',
  'log',
  'plaintext',
  'properties',
  'shellscript',
  'text',
  'toml',
]);

/** Ids among them whose own extensions, where there are any, give no outline. */
const OUTLINE_FREE: ReadonlySet<string> = new Set(['', 'conf', 'log', 'plaintext', 'text']);

export function createService({ languages, versions }: ServiceParts): Service {
  const languageOf = (document: Document) => languages.find(({ kind }) => kind === document.language);
  return {
    languages,
    claim(languageId, text, path) {
      const own = languages.find(({ kind }) => kind === languageId);
      if (own) return own;
      if (!HOST_IDS.has(languageId)) return null;
      return languages.find((language) => language.recognise(text, path)) ?? null;
    },
    ownsOutline: (languageId) =>
      OUTLINE_FREE.has(languageId) || languages.some(({ kind }) => kind === languageId),
    parse: parseUnder,
    versions: (vmm) => (vmm !== null && Object.hasOwn(versions, vmm) ? versions[vmm]! : []),
    findings(document, settings = {}, missing = new Set()) {
      const more = [
        ...missingImages(document, missing),
        ...configErrors(document, (config) => runChecks(config, settings)),
      ];
      if (more.length === 0) return runChecks(document, settings);
      return runChecks({ ...document, problems: [...document.problems, ...more] }, settings);
    },
    imagePaths,
    diagnostics: diagnosticsOf,
    diagnosticsIn,
    codeActions,
    codeLenses,
    completion: (document, position, snippets) =>
      completionItems(languageOf(document)?.complete?.(document, position) ?? [], snippets),
    hover: (document, position, elsewhere) =>
      hover(document, position, languageOf(document)?.describe?.(document, position) ?? null, elsewhere),
    inlayHints,
    documentSymbols,
    foldingRanges,
    documentLinks,
    definition,
    references,
    layout: wireMachines,
    machineAt: machineAtPosition,
  };
}

/** What describes machines, the most specific kinds first. */
export const CONFIGS: readonly Language[] = [
  firecracker,
  cloudHypervisor,
  propolis,
  boxlite,
  libkrunC,
  bhyveConfig,
  bhyveCommand,
  vmBhyve,
  qemuConfig,
  vmconf,
  memmap,
];

/** All that this build knows. */
export const bootpathService: Service = createService({
  languages: [bootPlanLanguage(CONFIGS), ...CONFIGS, crashDump],
  versions: Object.fromEntries(VMM_MODELS.map(({ name, versions }) => [name, versions])),
});
