/** Parts of a document that only some requests ask for. */

/** A function that makes its value when it is first called, and gives the same one ever after. */
export function onDemand<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}
