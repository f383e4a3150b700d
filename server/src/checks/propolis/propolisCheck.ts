/** How a rule on a Propolis config is made: a row of the table and a function on the config's tables. */
import type { Document } from '../../machine/language';
import type { Severity } from '../../text/finding';
import { memberOf, type ConfigMember, type ConfigNode, type NodeSpan } from '../../text/shape/node';
import { isPropolisDocument, type PropolisDocument } from '../../vmm/propolis/document';
import { propolisVersion, type PropolisVersion } from '../../vmm/propolis/versions';
import type { Check, Found } from '../check';
import { Places } from '../places';

/** An entry of `[dev]`, `[block_dev]` or `[cpuid]`. */
export interface NamedTable {
  readonly name: string;
  readonly key: NodeSpan;
  readonly table: ConfigNode & { readonly kind: 'object' };
}

export class PropolisRules extends Places {
  readonly version: PropolisVersion;
  readonly devices: readonly NamedTable[];
  readonly blockDevices: readonly NamedTable[];
  readonly profiles: readonly NamedTable[];

  constructor(readonly document: PropolisDocument) {
    super(document.source);
    this.version = propolisVersion(document.choice?.version ?? '');
    this.devices = this.tables('dev');
    this.blockDevices = this.tables('block_dev');
    this.profiles = this.tables('cpuid');
  }

  /** A member of `[main]`. */
  main(key: string): ConfigMember | null {
    return memberOf(memberOf(this.document.config, 'main')?.value ?? null, key);
  }

  /** In the order in which propolis-standalone goes through them: a BTreeMap, by the bytes of their names. */
  private tables(key: string): NamedTable[] {
    const parent = memberOf(this.document.config, key)?.value;
    if (parent?.kind !== 'object') return [];
    return parent.members
      .flatMap(({ key: name, value }) =>
        value?.kind === 'object' ? [{ name: name.text, key: name, table: value }] : [],
      )
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }
}

/** The value of a key of a device or block device, where it is a string. */
export function textOf(table: ConfigNode, key: string): (NodeSpan & { readonly value: string }) | null {
  const value = memberOf(table, key)?.value;
  return value?.kind === 'string' ? value : null;
}

export function isPciDriver(table: ConfigNode): boolean {
  return textOf(table, 'driver')?.value.startsWith('pci-') === true;
}

/**
 * Configs of propolis-cli and propolis-server have the same devices and no [main]; nothing here is about them
 * (crates/propolis-config-toml).
 */
export function isStandaloneConfig(document: Document): document is PropolisDocument {
  return isPropolisDocument(document) && memberOf(document.config, 'main') !== null;
}

export function propolisCheck(
  row: { readonly code: string; readonly severity: Severity; readonly title: string },
  run: (rules: PropolisRules) => Iterable<Found>,
): Check {
  return {
    ...row,
    on: ['propolis'],
    run: (document) => (isStandaloneConfig(document) ? run(new PropolisRules(document)) : []),
  };
}
