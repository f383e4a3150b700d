/** What serde takes for the types of Rust: the whole range of an integer, and nothing with a fraction or an exponent. */
import type { IntegerShape, Shape } from './shape';

function unsigned(bits: number): IntegerShape {
  return { kind: 'integer', least: 0n, most: (1n << BigInt(bits)) - 1n };
}

export const U8 = unsigned(8);
export const U16 = unsigned(16);
export const U32 = unsigned(32);
/** `usize` of a 64-bit host as well. */
export const U64 = unsigned(64);
export const I32: IntegerShape = { kind: 'integer', least: -(1n << 31n), most: (1n << 31n) - 1n };
export const BOOLEAN: Shape = { kind: 'boolean' };
export const STRING: Shape = { kind: 'string' };

/** That integer with narrower bounds, both inclusive, or a unit for messages. */
export function bounded(shape: IntegerShape, bounds: Omit<IntegerShape, 'kind'>): IntegerShape {
  return { ...shape, ...bounds };
}

export function listOf(of: Shape): Shape {
  return { kind: 'array', of };
}
