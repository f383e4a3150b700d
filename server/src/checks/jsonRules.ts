/** What the rules on JSON configs share: values by key, places, fixes. A value that a template fills in counts as absent. */
import { closest } from '../text/closest';
import { isTemplate, type ShapeProblem } from '../text/shape/checkShape';
import { JSON_SYNTAX } from '../vmm/jsonConfig';
import type { Document } from '../machine/language';
import { memberOf, type ConfigNode, type NodeSpan, type ObjectNode } from '../text/shape/node';
import type { SourceText } from '../text/sourceText';
import { Places } from './places';

export type IntegerNode = NodeSpan & { readonly value: bigint };
export type TextNode = NodeSpan & { readonly value: string };
export type FlagNode = NodeSpan & { readonly value: boolean };

export class JsonRules extends Places {
  constructor(
    source: SourceText,
    /** The object that the VMM reads. */
    readonly config: ConfigNode,
  ) {
    super(source);
  }

  /** A member of the config, where it is an object. */
  section(key: string): ObjectNode | null {
    return objectOf(this.config, key);
  }

  /** The objects of a list at the top. */
  devices(key: string): readonly ObjectNode[] {
    return objectsOf(this.config, key);
  }

  /** Key and value of a member that is there and not null; of the text, the value's place where there is one. */
  present(node: ConfigNode | null, key: string): (NodeSpan & { readonly key: NodeSpan }) | null {
    const member = memberOf(node, key);
    if (!member?.value || member.value.kind === 'null') return null;
    return { key: member.key, start: member.value.start, end: member.value.end };
  }
}

export function objectOf(node: ConfigNode | null, key: string): ObjectNode | null {
  const value = memberOf(node, key)?.value;
  return value?.kind === 'object' ? value : null;
}

export function objectsOf(node: ConfigNode | null, key: string): readonly ObjectNode[] {
  return itemsOf(node, key).filter((item) => item.kind === 'object');
}

/** The items of a list; none where there is no list. */
export function itemsOf(node: ConfigNode | null, key: string): readonly ConfigNode[] {
  return listItems(memberOf(node, key)?.value);
}

/** The same of the list itself. */
export function listItems(node: ConfigNode | null | undefined): readonly ConfigNode[] {
  return node?.kind === 'array' ? node.items : [];
}

export function integerOf(node: ConfigNode | null, key: string): IntegerNode | null {
  const value = memberOf(node, key)?.value;
  return value?.kind === 'integer' ? value : null;
}

export function textOf(node: ConfigNode | null, key: string): TextNode | null {
  const value = memberOf(node, key)?.value;
  return value?.kind === 'string' && !isTemplate(value.value) ? value : null;
}

export function flagOf(node: ConfigNode | null, key: string): FlagNode | null {
  const value = memberOf(node, key)?.value;
  return value?.kind === 'boolean' ? value : null;
}

export function isOn(node: ConfigNode | null, key: string): boolean {
  return flagOf(node, key)?.value === true;
}

/** The text is no JSON yet, so what is missing may only be unreadable. */
export function isBroken({ problems }: Document): boolean {
  return problems.some(({ code, severity }) => code === JSON_SYNTAX && severity === 'error');
}

/** How people write comments where unknown keys are ignored. */
const COMMENT = /^(?:\/\/|#|_)|^\$(?:schema|comment)$/;

/** Without what is missing from a broken text, and without duplicates of keys that are unknown or filled in. */
export function certainProblems(problems: readonly ShapeProblem[], document: Document): ShapeProblem[] {
  const broken = isBroken(document);
  const unknown = new Set(
    problems.filter(({ kind }) => kind === 'unknown-key').map(({ path }) => path.join('\0')),
  );
  return problems.filter((problem) => {
    if (problem.kind === 'missing-key') return !broken;
    if (problem.kind === 'unknown-key') {
      if (problem.ignored && COMMENT.test(problem.key)) return false;
      // A key that is being typed has no colon yet.
      return !broken || /^\s*:/.test(document.source.text.slice(problem.at.end, problem.at.end + 80));
    }
    if (problem.kind !== 'duplicate-key') return true;
    return !unknown.has(problem.path.join('\0')) && !isTemplate(problem.key);
  });
}

/** More names than anybody looks through for the one that was meant. */
const MOST_CANDIDATES = 200;

/** The name that a misspelt one was probably meant to be. */
export function nearestName(word: string, names: ReadonlySet<string>): string | undefined {
  return names.size > MOST_CANDIDATES ? undefined : closest(word, [...names]);
}

const UTF8 = new TextEncoder();

/** Bytes in UTF-8, which is what the kernel counts. */
export function bytesOf(text: string): number {
  return UTF8.encode(text).length;
}

const MAC_ADDRESS = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i;

/** Bit 0 of the first byte: no interface may have such an address as its own. Null for what is no MAC address. */
export function isMulticast(address: string): boolean | null {
  return MAC_ADDRESS.test(address) ? (parseInt(address.slice(0, 2), 16) & 1) === 1 : null;
}

/** The address with that bit cleared. */
export function unicast(address: string): string {
  const first = (parseInt(address.slice(0, 2), 16) & 0xfe).toString(16).padStart(2, '0');
  return first + address.slice(2);
}

/** `sun_path` of a UNIX socket's address, without the terminating zero. */
export const LONGEST_SOCKET_PATH = 107;
