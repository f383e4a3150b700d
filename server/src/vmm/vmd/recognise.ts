/**
 * Whether a text is a vm.conf of OpenBSD. The file name is shared with QEMU wrappers, Juniper topologies and make
 * fragments, so content decides. Imported by the client too: no parser here.
 */

import { looksBinary } from '../../text/binary';

/** As much as is looked at, in UTF-16 units, and of each line. */
const LOOKED_AT = 64 * 1024;
const LONGEST_LINE = 1000;
/** A block is judged by its first lines. */
const BLOCK_LINES = 30;

/** What no line of a vm.conf has: C, JavaScript and shell statements. */
const FOREIGN = /^#(?:include|define|if|ifdef|ifndef|endif)\b|^#!|;$/;
const PRAGMA = /^#\s*bootpath:\s*vmd\b/;
const GLOBAL =
  /^(?:local\s+(?:prefix\s+["'\d$]|inet6\b)|socket\s+owner\s|staggered\s+start\s+parallel\s|agentx\s+(?:context|path)\s)/;
/** Quoted, unquoted, or filled in by a template. */
const NAME = String.raw`(?:"[^"]*"|'[^']*'|\{\{[^{}]*\}\}|[\w:/$][^\s{}()=#,;]*)`;
const VM = new RegExp(String.raw`^vm\s+${NAME}(?:\s+instance\s+${NAME})?\s*\{(.*)$`);
const SWITCH = new RegExp(String.raw`^switch\s+${NAME}\s*\{(.*)$`);
/** The same with its brace on the next line, which vmd refuses. */
const BRACELESS = new RegExp(String.raw`^vm\s+${NAME}(?:\s+instance\s+${NAME})?$`);
const VM_OPTION =
  /^(?:memory|disk|boot|cdrom|interfaces?|local\s+interface|owner|allow\s+instance|enable|disable|seve?s?|kernel)(?:\s|\{|$)/;
/** `add` is the form of OpenBSD 6.2 and before. */
const SWITCH_OPTION = /^interface\s+["'\w$]|^add\s+["']?[a-z]+\d/;
const INCLUDE = /^include\s+["'\w$/]/;
const MACRO = /^\w+\s*=\s*(?:"[^"]*"|'[^']*'|[\w:/]\S*)$/;

/** Looks at the first 64 KiB, and at the file's name only where the text may be many a config of OpenBSD. */
export function recogniseVmConf(text: string, path = ''): boolean {
  const head = text.slice(0, LOOKED_AT);
  if (looksBinary(head)) return false;
  const lines = head.split('\n').map((line) => line.slice(0, LONGEST_LINE).trim());
  if (lines.slice(0, 10).some((line) => PRAGMA.test(line))) return true;
  const code = lines.map(withoutComment);
  if (code.some((line) => FOREIGN.test(line))) return false;
  if (code.some((line, index) => GLOBAL.test(line) || opensVm(code, index) || opensSwitch(code, index)))
    return true;
  return /(?:^|[\\/])vm\.conf$/.test(path) && onlyIncludes(code);
}

/** The rest of the config stands in other files. */
function onlyIncludes(code: readonly string[]): boolean {
  const lines = code.filter((line) => line !== '');
  return (
    lines.some((line) => INCLUDE.test(line)) && lines.every((line) => INCLUDE.test(line) || MACRO.test(line))
  );
}

/** Comments go, but not the lines of a C preprocessor or a shell that only look like them. */
function withoutComment(line: string): string {
  if (line.startsWith('#')) return FOREIGN.test(line) ? line : '';
  const at = line.search(/\s#/);
  return at < 0 ? line : line.slice(0, at).trimEnd();
}

function opensVm(code: readonly string[], index: number): boolean {
  const braceless = BRACELESS.test(code[index]!);
  const first = VM.exec(code[index]!)?.[1];
  if (!braceless && first === undefined) return false;
  const following = code.slice(index + 1, index + BLOCK_LINES).filter((line) => line !== '');
  if (first === undefined)
    return following[0]?.startsWith('{') === true && following.some((line) => VM_OPTION.test(line));
  const body = [first.trim(), ...following].filter((line) => line !== '');
  // A block that is just being typed is empty.
  return body.length === 0 || body[0] === '}' || body.some((line) => VM_OPTION.test(line));
}

function opensSwitch(code: readonly string[], index: number): boolean {
  const first = SWITCH.exec(code[index]!)?.[1];
  if (first === undefined) return false;
  return [first.trim(), ...code.slice(index + 1, index + BLOCK_LINES)].some((line) =>
    SWITCH_OPTION.test(line),
  );
}
