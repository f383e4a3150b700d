/**
 * Whether a text is a vm.conf of OpenBSD. The file name is shared with QEMU wrappers, Juniper topologies and make
 * fragments, so content decides. Imported by the client too: no parser here.
 */

/** As much as is looked at, in UTF-16 units. */
const LOOKED_AT = 64 * 1024;

/** Lines that no vm.conf has: C, JavaScript and shell statements, templates. */
const FOREIGN = /^[ \t]*(?:#(?:include|define|if|ifdef|ifndef|endif)\b|#!)|\{\{|\{%|;[ \t]*$/m;
const PRAGMA = /^[ \t]*#[ \t]*bootpath:[ \t]*vmd\b/m;
const GLOBAL =
  /^[ \t]*(?:local[ \t]+(?:prefix[ \t]+["'\d$]|inet6\b)|socket[ \t]+owner[ \t]|staggered[ \t]+start[ \t]+parallel[ \t]|agentx[ \t]+(?:context|path)[ \t])/m;
const NAME = String.raw`(?:"[^"\n]*"|'[^'\n]*'|[\w:/$][^\s{}()=#,;]*)`;
const VM = new RegExp(String.raw`^[ \t]*vm[ \t]+${NAME}(?:[ \t]+instance[ \t]+${NAME})?[ \t]*\{([^]*)`, 'm');
const SWITCH = new RegExp(String.raw`^[ \t]*switch[ \t]+${NAME}[ \t]*\{([^]*)`, 'm');
/** Within the block, at the start of a line or behind the brace. */
const VM_OPTION =
  /^[ \t]*(?:memory|disk|boot|cdrom|interface|local[ \t]+interface|interfaces|owner|allow[ \t]+instance|enable|disable|sev|seves|kernel)\b/m;
const SWITCH_OPTION = /^[ \t]*interface[ \t]+["'\w$]/m;
/** A block is judged by its first lines. */
const BLOCK_LINES = 30;

/** Looks at the first 64 KiB, never at the file's name. */
export function recogniseVmConf(text: string): boolean {
  const head = text.slice(0, LOOKED_AT);
  if (head.includes('\0')) return false;
  if (PRAGMA.test(head.split('\n', 10).join('\n'))) return true;
  const withoutComments = head.replace(/^[ \t]*#(?!!|include|define|if|endif).*$/gm, '');
  if (FOREIGN.test(withoutComments.replace(/[ \t]+#.*$/gm, ''))) return false;
  if (GLOBAL.test(withoutComments)) return true;
  return (
    blockHas(VM, VM_OPTION, withoutComments, true) || blockHas(SWITCH, SWITCH_OPTION, withoutComments, false)
  );
}

function blockHas(block: RegExp, option: RegExp, text: string, emptyToo: boolean): boolean {
  const body = block.exec(text)?.[1];
  if (body === undefined) return false;
  const lines = body.split('\n', BLOCK_LINES).join('\n');
  return option.test(lines) || (emptyToo && /^[\s}]*$/.test(body));
}
