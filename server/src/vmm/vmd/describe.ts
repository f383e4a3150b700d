/** Hovers: what a word of vm.conf means, what a macro stands for, where a memory size lands. */
import { formatRange, formatSize, hex } from '../../address/format';
import type { Description } from '../../machine/language';
import type { Position } from '../../text/position';
import type { OptionOf, VmConfig } from './config';
import type { VmConfDocument } from './document';
import { createMemoryMap } from './layout';
import type { Span } from './lexer';
import type { MemorySize } from './memorySize';
import { rawTokenAt } from './rawTokens';
import type { InterfaceOption } from './syntax';
import { DEFAULT_MEMORY, type VmdVersion } from './versions';
import { wordOf } from './vocabulary';

/** The description of what stands at a position of the document itself. */
export function describeAt(document: VmConfDocument, position: Position): Description | null {
  const offset = document.source.lines.offsetAt(position);
  const here = (span: Span): boolean =>
    span.source === document.source && span.start <= offset && offset <= span.end;
  const found =
    macroAt(document, here) ?? nameAt(document, here) ?? optionAt(document, here) ?? wordAt(document, offset);
  return (
    found && { range: document.source.lines.rangeAt(found.at.start, found.at.end), markdown: found.markdown }
  );
}

interface Found {
  readonly at: Span;
  readonly markdown: string;
}

type Here = (span: Span) => boolean;

function macroAt({ config }: VmConfDocument, here: Here): Found | null {
  const use = config.syntax.macroUses.find(here);
  if (use) {
    const definition = config.syntax.macros.findLast((entry) => entry.name === use.name)?.definition;
    const where = definition ? `defined in line ${lineOf(definition)}` : 'given with `-D`';
    return {
      at: use,
      markdown:
        use.value === undefined
          ? `\`$${use.name}\`: no macro of this name is defined before this line.`
          : `\`$${use.name}\` is ${code(use.value)}, ${where}.`,
    };
  }
  const entry = config.syntax.macros.find(({ definition }) => definition && here(definition.name));
  if (!entry?.definition) return null;
  const times = entry.uses === 1 ? 'once' : `${entry.uses} times`;
  return {
    at: entry.definition.name,
    markdown: `Macro \`${entry.name}\`: ${code(entry.value)}. Used ${entry.uses === 0 ? 'nowhere' : times}.`,
  };
}

function nameAt({ config }: VmConfDocument, here: Here): Found | null {
  const vm = config.vms.find(({ block }) => here(block.name));
  if (vm) return { at: vm.block.name, markdown: vmText(vm, config.version) };
  const child = config.vms.find(({ block }) => block.parent && here(block.parent));
  if (child?.block.parent) {
    const known = child.parent
      ? vmText(child.parent, config.version)
      : `No VM \`${child.block.parent.text}\` is declared before this line.`;
    return { at: child.block.parent, markdown: known };
  }
  const declared = config.switches.find(({ block }) => here(block.name));
  return declared ? { at: declared.block.name, markdown: switchText(declared.name, config.switches) } : null;
}

function optionAt({ config }: VmConfDocument, here: Here): Found | null {
  const vm = config.vms.find(({ block }) => here(block));
  const option = vm?.block.options.find(here);
  if (option?.kind === 'memory' && here(option.value)) {
    const size = vm?.memory?.option === option ? vm.memory.size : null;
    return size && { at: option, markdown: memoryText(size, option, config.version) };
  }
  if (option?.kind === 'interface') {
    const joined = option.options.find(
      (candidate): candidate is Extract<InterfaceOption, { kind: 'switch' | 'group' }> =>
        candidate.kind === 'switch' && here(candidate.name),
    );
    if (joined) return { at: joined.name, markdown: switchText(joined.name.text, config.switches) };
  }
  if (
    (option?.kind === 'disk' || option?.kind === 'boot' || option?.kind === 'cdrom') &&
    option.path.parts.length > 1 &&
    here(option.path)
  ) {
    return {
      at: option.path,
      markdown: `vmd joins these ${option.path.parts.length} strings to one path: ${code(option.path.text)}`,
    };
  }
  return null;
}

function wordAt(document: VmConfDocument, offset: number): Found | null {
  const token = rawTokenAt(document.source, offset);
  const word = token?.kind === 'keyword' ? wordOf(token.text) : undefined;
  if (!token) return null;
  if (word) return { at: token, markdown: `\`${word.usage}\`\n\n${word.text}` };
  return token.kind === 'keyword'
    ? { at: token, markdown: `\`${token.text}\` is a reserved word that no rule of the grammar uses.` }
    : null;
}

function vmText(vm: VmConfig, version: VmdVersion): string {
  const size = vm.memory ? vm.memory.size : null;
  const bytes = size === null ? DEFAULT_MEMORY : size.ok ? size.bytes : null;
  const memory =
    bytes === null
      ? 'memory not understood'
      : `${formatSize(bytes)} of memory${size === null ? ' (the default)' : ''}`;
  const lines = [`VM \`${vm.name}\`: ${memory}, 1 vCPU, vmd@${version.id}.`];
  if (vm.block.parent) lines.push(`Instance of \`${vm.block.parent.text}\`.`);
  if (vm.duplicateOf)
    lines.push(`vmd drops this block: line ${lineOf(vm.duplicateOf.block.name)} declares the name first.`);
  if (bytes !== null) lines.push(placesText(version, bytes));
  return lines.join('\n\n');
}

function memoryText(size: MemorySize, option: OptionOf<'memory'>, version: VmdVersion): string {
  if (!size.ok) {
    const given = size.given === null ? code(option.value.text) : `${size.given} bytes`;
    return `${given}: ${size.reason === 'unknown' ? 'a macro that is not known' : size.reason}. vmd takes 1 MiB to ${formatSize(version.facts.maxMemory)}.`;
  }
  const rounded = size.given === size.bytes ? '' : `, rounded down from ${size.given}`;
  return `${formatSize(size.bytes)}: ${size.bytes} bytes (${hex(size.bytes)})${rounded}.\n\n${placesText(version, size.bytes)}`;
}

/** Where the memory lies. The regions themselves are shown beside this by whoever draws the hover. */
function placesText(version: VmdVersion, bytes: bigint): string {
  const ram = createMemoryMap(version, bytes).filter(({ type }) => type === 'ram');
  if (ram.length === 0) return `vmd@${version.id} makes no memory map for this size.`;
  return `RAM of the guest: ${ram.map(({ range }) => `\`${formatRange(range)}\``).join(', ')} (vmd@${version.id}).`;
}

function switchText(name: string, switches: VmConfDocument['config']['switches']): string {
  const found = switches.find((candidate) => candidate.name === name);
  if (!found)
    return `No switch is called ${code(name)}: vmd ignores the option, and the interface joins nothing.`;
  const on = found.block.options.find((option) => option.kind === 'interface');
  const device = on?.kind === 'interface' ? ` on ${code(on.name.text)}` : '';
  return `Switch ${code(name)}${device}, declared in line ${lineOf(found.block.name)}${found.enabled ? '' : ', disabled'}.`;
}

function lineOf(span: Span): number {
  return span.source.lines.positionAt(span.start).line + 1;
}

/** Text as inline code, without what would end it. */
function code(text: string): string {
  const shown = text.replace(/[`\r\n]/g, ' ');
  return `\`${shown.length > 120 ? shown.slice(0, 120) + '…' : shown || ' '}\``;
}
