/** Adds a symbol table to a small ELF file: sections, their names, symbols and their names. */

export interface TestSymbol {
  readonly name: string;
  readonly value: bigint;
  readonly size?: bigint;
  /** STT_*: 0 NOTYPE, 1 OBJECT, 2 FUNC, 3 SECTION. */
  readonly type?: number;
  /** STB_*: 0 local, 1 global, 2 weak. */
  readonly bind?: number;
  /** A number, or the name of a section. */
  readonly section?: number | string;
}

export interface TestSection {
  readonly name: string;
  readonly address: bigint;
  readonly size: bigint;
}

export interface SymbolFileOptions {
  readonly bits?: 32 | 64;
  readonly sections: readonly TestSection[];
  readonly symbols: readonly TestSymbol[];
  /** SHT_SYMTAB, or 11 for SHT_DYNSYM. */
  readonly tableType?: number;
  /** The last touch; `sections` is the file offset of the section header table. */
  readonly patch?: (file: DataView, places: { sections: number; headerSize: number }) => void;
}

const encoder = new TextEncoder();

/** Sections are numbered as given, from 1; behind them come the symbol table, its strings and the section names. */
export function withSymbols(elf: Uint8Array, options: SymbolFileOptions): Uint8Array {
  const { bits = 64, sections, symbols, tableType = 2, patch } = options;
  const wide = bits === 64;
  const strings = new Strings();
  const table = new Uint8Array((symbols.length + 1) * (wide ? 24 : 16));
  const tableView = new DataView(table.buffer);
  symbols.forEach((symbol, index) => {
    const at = (index + 1) * (wide ? 24 : 16);
    const { value, size = 0n, type = 2, bind = 1, section = sections[0]!.name } = symbol;
    const home =
      typeof section === 'number' ? section : sections.findIndex(({ name }) => name === section) + 1;
    tableView.setUint32(at, strings.add(symbol.name), true);
    tableView.setUint8(at + (wide ? 4 : 12), (bind << 4) | type);
    tableView.setUint16(at + (wide ? 6 : 14), home, true);
    if (wide) {
      tableView.setBigUint64(at + 8, value, true);
      tableView.setBigUint64(at + 16, size, true);
    } else {
      tableView.setUint32(at + 4, Number(value), true);
      tableView.setUint32(at + 8, Number(size), true);
    }
  });
  const names = new Strings();
  const headerSize = wide ? 64 : 40;
  const tableAt = elf.length;
  const stringsAt = tableAt + table.length;
  const count = sections.length + 1;
  const rows = [
    ...sections.map(({ name, address, size }) => ({
      name: names.add(name),
      type: 1,
      flags: 2,
      address,
      offset: 0,
      size: Number(size),
      link: 0,
      entry: 0,
    })),
    {
      name: names.add('.symtab'),
      type: tableType,
      flags: 0,
      address: 0n,
      offset: tableAt,
      size: table.length,
      link: count + 1,
      entry: wide ? 24 : 16,
    },
    {
      name: names.add('.strtab'),
      type: 3,
      flags: 0,
      address: 0n,
      offset: stringsAt,
      size: strings.bytes.length,
      link: 0,
      entry: 0,
    },
  ];
  const shstrtab = names.add('.shstrtab');
  const namesAt = stringsAt + strings.bytes.length;
  rows.push({
    name: shstrtab,
    type: 3,
    flags: 0,
    address: 0n,
    offset: namesAt,
    size: names.bytes.length,
    link: 0,
    entry: 0,
  });
  const sectionsAt = namesAt + names.bytes.length;
  const file = new Uint8Array(sectionsAt + (rows.length + 1) * headerSize);
  file.set(elf);
  file.set(table, tableAt);
  file.set(strings.bytes, stringsAt);
  file.set(names.bytes, namesAt);
  const view = new DataView(file.buffer);
  const word = (at: number, value: bigint | number) => {
    if (wide) view.setBigUint64(at, BigInt(value), true);
    else view.setUint32(at, Number(value), true);
  };
  word(wide ? 40 : 32, sectionsAt);
  view.setUint16(wide ? 58 : 46, headerSize, true);
  view.setUint16(wide ? 60 : 48, rows.length + 1, true);
  view.setUint16(wide ? 62 : 50, rows.length, true);
  rows.forEach((row, index) => {
    const at = sectionsAt + (index + 1) * headerSize;
    view.setUint32(at, row.name, true);
    view.setUint32(at + 4, row.type, true);
    word(at + 8, row.flags);
    word(at + (wide ? 16 : 12), row.address);
    word(at + (wide ? 24 : 16), row.offset);
    word(at + (wide ? 32 : 20), row.size);
    view.setUint32(at + (wide ? 40 : 24), row.link, true);
    word(at + (wide ? 56 : 36), row.entry);
  });
  patch?.(view, { sections: sectionsAt, headerSize });
  return file;
}

class Strings {
  bytes: Uint8Array = new Uint8Array(1);

  add(text: string): number {
    const at = this.bytes.length;
    this.bytes = Uint8Array.of(...this.bytes, ...encoder.encode(text), 0);
    return at;
  }
}
