/** The answers to the custom requests of protocol.ts: status, versions, layouts, simulated boots, crash decoding. */
import type * as z from 'zod/mini';
import { decode } from './crash/decode';
import type { DocumentStore } from './documentStore';
import { pathOfUri } from './hostFiles';
import { shownMachines, type Document } from './machine/language';
import { bootReportText, bootSummary } from './output/bootReport';
import { crashPageOf, wireFinding } from './features/diagnostics';
import { crashReportText } from './output/crashReport';
import { divergenceText } from './output/divergence';
import { issueRunsText } from './output/issueRuns';
import { comparisonText, type ComparedLayout } from './output/layoutComparison';
import type { ReportStyle } from './output/reportStyle';
import * as protocol from './protocol';
import * as shapes from './requestParams';
import type { Service } from './service';
import type { ImageBoots } from './imageBoots';
import { vmmLabel, type Machine } from './machine/machine';
import type { BootReport } from './simulation/report';
import type { Hooks, Simulations } from './simulations';
import { SourceText } from './text/sourceText';
import { VMM_MODELS } from './vmm/models';

/** What the answers need of the server. */
export interface Session {
  readonly service: Service;
  readonly store: DocumentStore;
  readonly simulations: Simulations;
  readonly imageBoots: ImageBoots;
  /** Versions that the user chose, by URI. */
  readonly chosen: Map<string, string>;
  openUris(): readonly string[];
  /** A version was chosen: everything is asked for anew. */
  everythingChanged(): void;
  /** How a simulation ended is shown beside its lens. */
  lensesChanged(): void;
}

/** What a request may do while it is worked on. */
export interface Work {
  /** Shows how far it is, in per cent. */
  progress(message: string, percentage: number): void;
  onCancel(cancel: () => void): void;
}

/** The answer to a request. What it throws is the error's message. */
export type Handle<P, R> = (params: P, work: Work) => Promise<R>;

/** Registers an answer; parameters of another shape are refused. */
export type Register = <P, R>(method: string, shape: z.ZodMiniType<P>, handle: Handle<P, R>) => void;

/** Stands for a text that comes from no file. */
const CLIPBOARD = 'clipboard:/crash';
/** The output channel wraps long lines itself. */
const EDITOR_STYLE: ReportStyle = { pathOf, width: Infinity };

const NO_STATUS: protocol.StatusResult = {
  language: null,
  vmm: null,
  version: null,
  reason: null,
  versions: [],
};

/** The path that reports show, which the client makes links of. */
function pathOf(uri: string): string {
  return uri === CLIPBOARD ? 'clipboard' : (pathOfUri(uri) ?? uri);
}

export function answerOwnRequests(session: Session, on: Register): void {
  const { service, store } = session;

  const status = async (uri: string): Promise<protocol.StatusResult> => {
    const document = await store.get(uri);
    if (!document) return NO_STATUS;
    const { language, choice, choiceReason } = document;
    const versions = service.versions(choice?.vmm ?? null).map(({ id, title }) => ({ id, title }));
    // The parser is handed the setting as if somebody had asked for it.
    const bySetting = choiceReason === 'asked' && !session.chosen.has(uri);
    const reason = bySetting ? 'setting' : choiceReason;
    return { language, vmm: choice?.vmm ?? null, version: choice?.version ?? null, reason, versions };
  };

  on(protocol.StatusRequest, shapes.DocumentParams, ({ uri }) => status(uri));

  on(protocol.ChooseVersionRequest, shapes.ChooseVersionParams, async ({ uri, version }) => {
    if (version === null) session.chosen.delete(uri);
    else {
      const { vmm, versions } = await status(uri);
      if (!versions.some(({ id }) => id === version)) {
        throw new Error(`There is no version "${version}" of ${vmm ?? 'a VMM'} for this file.`);
      }
      session.chosen.set(uri, version);
    }
    session.everythingChanged();
    return status(uri);
  });

  on(protocol.LayoutRequest, shapes.DocumentParams, async ({ uri }): Promise<protocol.LayoutResult> => {
    const document = await store.get(uri);
    return { machines: document ? service.layout(document) : [] };
  });

  const compared = async ({ uri, machine: name }: protocol.ComparedMachine): Promise<ComparedLayout> => {
    const document = await store.get(uri);
    const file = pathOf(uri);
    const machine = document && shownMachines(document).find((shown) => shown.name === name);
    if (!machine) throw new Error(`${file} describes no machine "${name}".`);
    return { machine, file };
  };

  on(
    protocol.CompareLayoutsRequest,
    shapes.CompareLayoutsParams,
    async ({ left, right }): Promise<protocol.CompareLayoutsResult> => ({
      text: comparisonText(await compared(left), await compared(right), EDITOR_STYLE),
    }),
  );

  on(
    protocol.RegionAtRequest,
    shapes.RegionAtParams,
    async ({ uri, position }): Promise<protocol.RegionAtResult | null> => {
      const document = await store.get(uri);
      return document ? service.machineAt(document, position) : null;
    },
  );

  on(protocol.ModelsRequest, shapes.NoParams, (): Promise<protocol.ModelsResult> =>
    Promise.resolve({
      models: VMM_MODELS.map(({ name, title, versions, knownIssues }) => ({
        name,
        title,
        versions: versions.map((version) => ({ id: version.id, title: version.title })),
        knownIssues: knownIssues
          .filter(({ simulation }) => simulation)
          .map((issue) => ({ id: issue.id, title: issue.title })),
      })),
    }),
  );

  on(protocol.SimulateRequest, shapes.SimulateParams, async (params, work) => {
    const document = await store.get(params.uri);
    if (!document) throw new Error('This file is not one that Bootpath understands.');
    return simulate(session, document, params, work);
  });

  on(protocol.SimulateImageRequest, shapes.SimulateImageParams, async (params, work) => {
    const { machine, report } = await session.imageBoots.run(params, hooksOf(work, params.maxInstructions));
    return resultOf(report, machine);
  });

  on(protocol.DecodeRequest, shapes.DecodeParams, async (params): Promise<protocol.DecodeResult> => {
    const uris = params.configs.length > 0 ? params.configs : session.openUris();
    const documents = await store.documents(uris.filter((uri) => uri !== params.uri));
    const machines = documents.flatMap((document) => document.machines);
    const report = decode(new SourceText(params.uri ?? CLIPBOARD, params.text), {
      machines,
      documents,
    });
    return {
      recognised: report.crashes.length > 0,
      text: crashReportText(report, EDITOR_STYLE),
      findings: report.crashes.flatMap(({ findings }) =>
        findings.map((finding) => wireFinding(finding, crashPageOf(finding.code))),
      ),
    };
  });
}

async function simulate(
  session: Session,
  document: Document,
  params: protocol.SimulateParams,
  work: Work,
): Promise<protocol.SimulateResult> {
  const rejected = session.service.findings(document).filter(({ severity }) => severity === 'error');
  const hooks = hooksOf(work, params.maxInstructions);
  const boot = await session.simulations.run(document, params, hooks, rejected);
  session.lensesChanged();
  const { machine, compared, report, issue, runs } = boot;
  const result = resultOf(report, machine);
  const parted =
    report.comparison && compared ? divergenceText(report.comparison, label(machine), label(compared)) : '';
  const shown = issue && runs.length > 0 ? issueRunsText(issue, runs, EDITOR_STYLE) : '';
  // The runs stand first: an output channel is read from its top.
  return { ...result, text: (shown ? `${shown.trimStart()}\n` : '') + result.text + parted };
}

const label = (machine: Machine): string => vmmLabel(machine) ?? machine.name;

function hooksOf(work: Work, maxInstructions: number): Hooks {
  return {
    progress: (instructions) =>
      work.progress(
        `${(instructions / 1e6).toFixed(1)} M instructions`,
        Math.min(100, Math.floor((instructions / maxInstructions) * 100)),
      ),
    onCancel: (cancel) => work.onCancel(cancel),
  };
}

function resultOf(report: BootReport, machine: Machine): protocol.SimulateResult {
  return {
    outcome: report.outcome,
    summary: bootSummary(report),
    text: bootReportText(report, machine, EDITOR_STYLE),
    findings: report.findings.map((finding) => wireFinding(finding)),
  };
}
