/** The guest that a known issue is shown with where the user names no config of their own. */
import type { GuestDescription, ImageReference } from './machine';
import type { VmmOrigin } from './origin';

export interface SimulatedGuest {
  readonly name: string;
  /** In bytes. */
  readonly memory: bigint;
  /** One where not given. */
  readonly vcpus?: number;
  /** Files that the VMM would load; none where not given. */
  readonly images?: readonly Pick<ImageReference, 'role' | 'path'>[];
}

/** @param origin where the numbers come from: the report, or a choice for the simulation */
export function simulatedGuest(
  { name, memory, vcpus = 1, images = [] }: SimulatedGuest,
  origin: VmmOrigin,
): GuestDescription {
  return {
    name,
    memory: { value: memory, origin },
    vcpus: { value: vcpus, origin },
    images: images.map((image) => ({ ...image, origin })),
    at: null,
    nameAt: null,
  };
}
