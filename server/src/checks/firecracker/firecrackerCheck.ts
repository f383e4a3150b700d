/** How a rule on a Firecracker config is made: a row of the table and a function on the config. */
import type { Severity } from '../../text/finding';
import type { InVersion } from '../../text/shape/shape';
import { isFirecrackerDocument, type FirecrackerDocument } from '../../vmm/firecracker/document';
import { firecrackerShape, inFirecracker } from '../../vmm/firecracker/shape';
import {
  DEFAULT_MEMORY,
  firecrackerVersion,
  NEWEST_FIRECRACKER,
  type FirecrackerVersion,
} from '../../vmm/firecracker/versions';
import { MIB } from '../../address/range';
import type { Check, Found } from '../check';
import { integerOf, JsonRules } from '../jsonRules';

export class FirecrackerRules extends JsonRules {
  readonly version: FirecrackerVersion;
  readonly has: InVersion;

  constructor(
    readonly document: FirecrackerDocument,
    config: JsonRules['config'],
  ) {
    super(document.source, config);
    this.version = firecrackerVersion(document.choice?.version ?? '');
    this.has = inFirecracker(this.version.id);
  }

  get machine() {
    return this.section('machine-config');
  }

  /** MiB; null where the config says something that is no size. */
  get memoryMib(): bigint | null {
    if (!this.present(this.config, 'machine-config')) return DEFAULT_MEMORY / MIB;
    return integerOf(this.machine, 'mem_size_mib')?.value ?? null;
  }
}

/** Like `boot-source`, in whatever spelling. */
const SECTIONS: ReadonlySet<string> = new Set(
  Object.keys(firecrackerShape(NEWEST_FIRECRACKER.id).members).map(letters),
);

function letters(key: string): string {
  return key.toLowerCase().replace(/[-_]/g, '');
}

/** A text with no section of a config: a request to the API, or the settings of another program. */
export function isForeign({ config }: FirecrackerDocument): boolean {
  return (
    config?.kind === 'object' &&
    config.members.length > 0 &&
    !config.members.some(({ key }) => SECTIONS.has(letters(key.text)))
  );
}

export function firecrackerCheck(
  row: { readonly code: string; readonly severity: Severity; readonly title: string },
  run: (rules: FirecrackerRules) => Iterable<Found>,
): Check {
  return {
    ...row,
    on: ['firecracker'],
    run: (document) =>
      isFirecrackerDocument(document) && document.config?.kind === 'object' && !isForeign(document)
        ? run(new FirecrackerRules(document, document.config))
        : [],
  };
}
