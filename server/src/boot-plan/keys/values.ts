/** Shapes of values that many keys of a boot plan take. */
import type { EitherShape, Shape, StringValue } from '../../text/shape/shape';
import type { BitField } from '../../x86/bitField';

export const array = (of: Shape, least?: number): Shape => ({
  kind: 'array',
  of,
  ...(least === undefined ? {} : { least }),
});

export const oneOf = (values: readonly StringValue[]): Shape => ({ kind: 'string', values });
export const integer = (least: bigint, most?: bigint): Shape => ({
  kind: 'integer',
  least,
  ...(most === undefined ? {} : { most }),
});
export const STRING: Shape = { kind: 'string' };
export const BOOLEAN: Shape = { kind: 'boolean' };

/** One term, then terms joined by + and -: what `address/parse` reads. */
const TERM = '(?:0[xX][0-9a-fA-F_]+|[0-9][0-9_]*(?:\\s?[kKmMgGtT](?:i?[bB])?)?)';
/** An address, a size or a register: an integer, or a string where a unit or more than 63 bits are wanted. */
export const NUMBER: EitherShape = {
  kind: 'either',
  of: [
    { kind: 'integer', least: 0n },
    {
      kind: 'string',
      pattern: new RegExp(`^\\s*${TERM}(?:\\s*[+-]\\s*${TERM})*\\s*$`),
      expected: 'a number like `0xa0000`, `640K`, `1 GiB` or `4G-2M`',
    },
  ],
};

/** Names of a register's single bits. */
export const bitValues = (fields: readonly BitField[]): StringValue[] =>
  fields.flatMap(({ name, high, low, meaning }) =>
    high === low ? [{ value: name, text: `Bit ${low}: ${meaning(1n).replace(/: on$/, '')}.` }] : [],
  );

/** A register by bit names, or as a number. */
export const bitsOf = (fields: readonly BitField[]): Shape => ({
  kind: 'either',
  of: [array(oneOf(bitValues(fields))), ...NUMBER.of],
});

/** `r`, `w` and `x` in this order, `-` for what is not allowed. */
export const PERMISSIONS: Shape = {
  kind: 'string',
  pattern: /^[r-][w-][x-]$/,
  expected: 'three letters like `rwx`, with `-` for what is not allowed',
};
