/** Names of a vm.conf that are defined in one place and used in others: macros, switches, VMs that have instances. */
import type { NamedSymbol } from '../../machine/language';
import type { SourceRange } from '../../text/position';
import { sourceRange, type VmdConfig } from './config';
import type { Span } from './lexer';
import type { Text } from './syntax';

export function namedSymbols(config: VmdConfig): NamedSymbol[] {
  return [...macroSymbols(config), ...switchSymbols(config), ...vmSymbols(config)];
}

/** A name's definition is its first; the others count as references. */
class Collector {
  private readonly symbols = new Map<string, { definition: SourceRange | null; references: SourceRange[] }>();

  constructor(private readonly kind: NamedSymbol['kind']) {}

  define(name: string, at: Span): void {
    const symbol = this.of(name);
    if (symbol.definition) symbol.references.push(sourceRange(at));
    else symbol.definition = sourceRange(at);
  }

  refer(name: string, at: Span): void {
    this.of(name).references.push(sourceRange(at));
  }

  all(): NamedSymbol[] {
    return [...this.symbols].map(([name, symbol]) => ({ name, kind: this.kind, ...symbol }));
  }

  private of(name: string): { definition: SourceRange | null; references: SourceRange[] } {
    let symbol = this.symbols.get(name);
    if (!symbol) this.symbols.set(name, (symbol = { definition: null, references: [] }));
    return symbol;
  }
}

function macroSymbols({ syntax }: VmdConfig): NamedSymbol[] {
  const collector = new Collector('macro');
  for (const { name, definition } of syntax.macros) {
    if (definition) collector.define(name, definition.name);
  }
  for (const use of syntax.macroUses) {
    if (use.name !== '') collector.refer(use.name, use);
  }
  return collector.all();
}

function switchSymbols({ switches, vms }: VmdConfig): NamedSymbol[] {
  const collector = new Collector('switch');
  for (const { name, block } of switches) collector.define(name, block.name);
  for (const vm of vms) {
    for (const { options } of vm.interfaces) {
      for (const option of options) {
        if (option.kind === 'switch' && isWritten(option.name))
          collector.refer(option.name.text, option.name);
      }
    }
  }
  return collector.all();
}

function vmSymbols({ vms }: VmdConfig): NamedSymbol[] {
  const collector = new Collector('machine');
  for (const { name, block } of vms) {
    collector.define(name, block.name);
    if (block.parent && isWritten(block.parent)) collector.refer(block.parent.text, block.parent);
  }
  return collector.all();
}

/** A name that comes out of an unknown macro is no name. */
function isWritten(text: Text): boolean {
  return text.known;
}
