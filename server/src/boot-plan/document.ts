/** A boot plan as a Document, with its tree and its plan for the rooms that know it. */
import type { Document, Language, ParseContext, PathLink } from '../machine/language';
import { onDemand } from '../machine/onDemand';
import type { Finding } from '../text/finding';
import { checkShape, type ShapeProblem } from '../text/shape/checkShape';
import { configOfToml } from '../text/shape/fromToml';
import type { ConfigNode, ObjectNode } from '../text/shape/node';
import type { SourceText } from '../text/sourceText';
import { readToml } from '../text/toml/read';
import type { TomlProblem, TomlTable } from '../text/toml/tree';
import { BOOT_PLAN } from './keys/plan';
import { machineOf } from './machine';
import { outlineOf } from './outline';
import type { NamedConfig } from './config';
import type { BootPlan } from './plan';
import { BOOT_PLAN_PROBLEMS } from './problems';
import { PlanReader } from './reader';
import { readPlan } from './readPlan';
import type { PlannedTable } from './tables';

export interface BootPlanDocument extends Document {
  readonly language: 'boot-plan';
  readonly plan: BootPlan;
  /** What `config` of the plan names. */
  readonly config: NamedConfig | null;
  readonly toml: TomlTable;
  readonly tree: ObjectNode;
  readonly gdt: PlannedTable | null;
  readonly idt: PlannedTable | null;
  /** What the table of keys has no room for. */
  readonly shapeProblems: readonly ShapeProblem[];
}

export function isBootPlan(document: Document): document is BootPlanDocument {
  return document.language === 'boot-plan';
}

/**
 * Reads a plan. Never throws: what was not understood is in `problems`.
 * @param configs the kinds of text that `config` may name, the most specific first
 */
export function parseBootPlan(
  source: SourceText,
  context: ParseContext,
  configs: readonly Language[] = [],
): BootPlanDocument {
  const toml = readToml(source.text);
  const tree = configOfToml(toml.root);
  const reader = new PlanReader(source);
  const read = readPlan(reader, tree, { ...context, configs });
  const { config } = read;
  const named = reader.value(tree, 'name');
  const machine = machineOf(read, {
    all: source.at(0, source.text.length),
    name: named ? reader.at(named) : source.at(0, Math.min(1, source.text.length)),
  });
  const outline = onDemand(() => outlineOf(source, tree, read.plan));
  const links = onDemand(() => linksOf(source, tree, reader));
  return {
    source,
    language: 'boot-plan',
    choice: read.plan.vmm,
    choiceReason: context.choice
      ? 'asked'
      : read.namesVmm
        ? 'pragma'
        : (config?.document?.choiceReason ?? 'newest'),
    machines: machine ? [machine] : [],
    problems: [...toml.problems.map((problem) => tomlFinding(source, problem)), ...reader.problems],
    get outline() {
      return outline();
    },
    symbols: [],
    get links() {
      return links();
    },
    ...filesOf(source, config, context),
    ...(config?.document ? { subject: config.document } : {}),
    plan: read.plan,
    config,
    toml: toml.root,
    tree,
    gdt: read.gdt,
    idt: read.idt,
    shapeProblems: checkShape(tree, BOOT_PLAN),
  };
}

/** The config with what it includes. */
function filesOf(
  { uri }: SourceText,
  config: NamedConfig | null,
  { files }: ParseContext,
): Pick<Document, 'wanted' | 'read'> {
  if (!config || config.uri === null) return { wanted: [], read: [uri] };
  if (!files.has(config.uri)) return { wanted: [config.uri], read: [uri] };
  const { wanted = [], read = [config.uri] } = config.document ?? {};
  return { wanted, read: [uri, ...read] };
}

function tomlFinding(source: SourceText, { kind, message, start, end, first }: TomlProblem): Finding {
  const code = 'boot-plan-toml';
  const at = source.at(start, end);
  const written = source.text.slice(start, end);
  // The number is read all the same; a string says it without a limit.
  const quotable = kind === 'range' && /^(?:0x[0-9A-Fa-f_]{1,20}|[0-9_]{1,24})$/.test(written);
  return {
    code,
    severity: BOOT_PLAN_PROBLEMS[code].severity,
    message: quotable ? `${message} A boot plan takes it as a string: "${written}".` : message,
    at,
    ...(first
      ? { related: [{ at: source.at(first.start, first.end), message: 'The first one is here.' }] }
      : {}),
    ...(quotable
      ? {
          fixes: [
            { title: `Write "${written}"`, edits: [{ ...at, newText: `"${written}"` }], preferred: true },
          ],
        }
      : {}),
  };
}

/** Keys whose values are paths of files, by the table that they stand in. */
const PATHS: Readonly<Record<string, readonly string[]>> = {
  boot: ['kernel', 'firmware', 'initrd'],
  load: ['file'],
  captured: ['core', 'registers'],
};

function linksOf(source: SourceText, tree: ObjectNode, reader: PlanReader): PathLink[] {
  const links: PathLink[] = [];
  const add = (node: ConfigNode | null): void => {
    if (node?.kind !== 'string' || node.value === '' || node.end - node.start <= 2) return;
    // Between the quotes.
    links.push({ range: source.lines.rangeAt(node.start + 1, node.end - 1), path: node.value });
  };
  add(reader.value(tree, 'config'));
  for (const [name, keys] of Object.entries(PATHS)) {
    const table = reader.table(tree, name);
    for (const object of table ? [table] : reader.tables(tree, name)) {
      for (const key of keys) add(reader.value(object, key));
    }
  }
  return links;
}
