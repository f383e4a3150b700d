/** Where a fact comes from: a place in a text, or a VMM's own doing. Both can be shown and linked. */
import type { SourceRange } from '../text/position';

export interface VmmOrigin {
  readonly kind: 'vmm';
  readonly vmm: string;
  /** Version id within the VMM's list. */
  readonly version: string;
  /** The source that says so, for example `usr.sbin/vmd/x86_vm.c rev 1.27, create_memory_map`. */
  readonly citation: string;
}

export interface TextOrigin extends SourceRange {
  readonly kind: 'text';
}

export type Origin = TextOrigin | VmmOrigin;

export function fromText({ uri, range }: SourceRange): TextOrigin {
  return { kind: 'text', uri, range };
}

/** A value with its origin. */
export interface Fact<T> {
  readonly value: T;
  readonly origin: Origin;
}
