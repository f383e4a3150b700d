/** The outline of a vm.conf: VMs with their options, switches, macros, includes and global settings. */
import { formatSize } from '../../address/format';
import type { OutlineKind, OutlineNode } from '../../machine/language';
import type { SourceText } from '../../text/sourceText';
import type { VmConfig, VmdConfig } from './config';
import type { Span } from './lexer';
import type { InterfaceOption, Statement, SwitchOption, VmOption } from './syntax';
import { DEFAULT_MEMORY } from './versions';

/** Only what stands in the document itself; included files have outlines of their own. */
export function outlineOf(config: VmdConfig, source: SourceText): OutlineNode[] {
  const vms = new Map(config.vms.map((vm) => [vm.block as Statement, vm]));
  return config.syntax.statements
    .filter((statement) => statement.source === source)
    .map((statement) => statementNode(statement, vms.get(statement), source));
}

function statementNode(statement: Statement, vm: VmConfig | undefined, source: SourceText): OutlineNode {
  switch (statement.kind) {
    case 'vm':
      return node(source, 'machine', statement.name.text, vmDetail(vm), statement, statement.name, {
        children: statement.options
          .filter((option) => option.source === source)
          .map((option) => optionNode(option, source)),
      });
    case 'switch':
      return node(
        source,
        'switch',
        statement.name.text,
        switchDetail(statement.options),
        statement,
        statement.name,
        {},
      );
    case 'macro':
      return node(source, 'macro', statement.name.text, statement.value.text, statement, statement.name, {});
    case 'include':
      return node(source, 'include', statement.path.text, 'include', statement, statement.path, {});
    default: {
      const detail = [...statement.arguments].map(([word, { text }]) => `${word} ${text}`).join(' ');
      return node(source, 'option', statement.kind.replace('-', ' '), detail, statement, statement, {});
    }
  }
}

function vmDetail(vm: VmConfig | undefined): string {
  if (!vm) return '';
  const size = vm.memory ? (vm.memory.size.ok ? vm.memory.size.bytes : null) : DEFAULT_MEMORY;
  const parts = [size === null ? 'memory not understood' : formatSize(size)];
  if (vm.block.parent) parts.push(`instance of ${vm.block.parent.text}`);
  if (!vm.enabled) parts.push('disabled');
  return parts.join(', ');
}

function switchDetail(options: readonly SwitchOption[]): string {
  const at = options.find((option) => option.kind === 'interface');
  return at?.kind === 'interface' ? at.name.text : '';
}

function optionNode(option: VmOption, source: SourceText): OutlineNode {
  const [name, detail] = optionLabel(option);
  return node(source, 'option', name, detail, option, option, {});
}

function optionLabel(option: VmOption): [string, string] {
  switch (option.kind) {
    case 'disk':
    case 'boot':
    case 'cdrom':
      return [option.kind, option.path.text];
    case 'interface': {
      const local = option.local ? 'local interface' : 'interface';
      return [option.name ? `${local} ${option.name.text}` : local, interfaceDetail(option.options)];
    }
    case 'boot-device':
      return ['boot device', option.device];
    case 'interfaces':
      return [option.kind, option.count.text];
    case 'memory':
      return [option.kind, option.value.text];
    case 'owner':
      return [option.kind, option.owner.text];
    case 'allow':
      return ['allow instance', option.flags.map(({ flag }) => flag).join(', ')];
    case 'unknown':
      return [option.word.text || '?', ''];
    default:
      return [option.kind, ''];
  }
}

function interfaceDetail(options: readonly InterfaceOption[]): string {
  const joined = options.find((option) => option.kind === 'switch');
  return joined?.kind === 'switch' ? `switch ${joined.name.text}` : '';
}

function node(
  source: SourceText,
  kind: OutlineKind,
  name: string,
  detail: string,
  whole: Span,
  named: Span,
  { children = [] }: { readonly children?: readonly OutlineNode[] },
): OutlineNode {
  const range = source.lines.rangeAt(whole.start, whole.end);
  // The name of a node must lie within it and may not be empty.
  const inside = named.source === source && named.start >= whole.start && named.end <= whole.end;
  const nameRange = inside ? source.lines.rangeAt(named.start, named.end) : range;
  return {
    name: name.slice(0, 200) || '(no name)',
    detail: detail.slice(0, 200),
    kind,
    range,
    nameRange,
    children,
  };
}
