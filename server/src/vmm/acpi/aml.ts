/** ACPI machine language, as far as a static namespace needs it (ACPI 6.5, 20.2), and resource descriptors (6.4). */

type Bytes = readonly number[];

/** A path is up to two names of four characters with a dot between them, and may begin with a backslash (20.2.2). */
function amlName(path: string): number[] {
  const root = path.startsWith('\\');
  const segments = path
    .slice(root ? 1 : 0)
    .split('.')
    .filter((segment) => segment !== '');
  const prefix = [[0x00], [], [0x2e]][segments.length]!;
  return [...(root ? [0x5c] : []), ...prefix, ...segments.flatMap((segment) => text(segment.padEnd(4, '_')))];
}

/** Up to 32 bits, in the shortest form. */
export function amlInteger(value: number): number[] {
  if (value <= 1) return [value];
  if (value <= 0xff) return [0x0a, value];
  return value <= 0xffff ? [0x0b, ...little(value, 2)] : [0x0c, ...little(value, 4)];
}

/** `PNP0A03` and the like as the integer that EISAID makes of it (19.6.36). */
export function amlEisaId(id: string): number[] {
  const [a, b, c] = text(id).map((letter) => letter - 0x40) as [number, number, number];
  const letters = (a << 10) | (b << 5) | c;
  const product = Number.parseInt(id.slice(3), 16);
  return [0x0c, letters >> 8, letters & 0xff, product >> 8, product & 0xff];
}

/** ASCII characters and a zero (20.2.3). */
export function amlString(characters: string): number[] {
  return [0x0d, ...text(characters), 0x00];
}

export function amlNamed(path: string, value: Bytes): number[] {
  return [0x08, ...amlName(path), ...value];
}

export function amlPackage(...elements: Bytes[]): number[] {
  return [0x12, ...sized([elements.length, ...elements.flat()])];
}

export function amlScope(path: string, ...terms: Bytes[]): number[] {
  return [0x10, ...sized([...amlName(path), ...terms.flat()])];
}

export function amlDevice(name: string, ...terms: Bytes[]): number[] {
  return [0x5b, 0x82, ...sized([...amlName(name), ...terms.flat()])];
}

/** A device of which nothing but its hardware ID and its resources is told: the name, `PNP0303` and the like, descriptors. */
export type FixedDevice = readonly [name: string, id: string, resources: readonly Bytes[]];

export function amlFixedDevice([name, id, resources]: FixedDevice): number[] {
  const crs = amlNamed('_CRS', amlResources(...resources));
  return amlDevice(name, amlNamed('_HID', amlEisaId(id)), crs);
}

/** Without arguments, not serialized. */
export function amlMethod(name: string, ...terms: Bytes[]): number[] {
  return [0x14, ...sized([...amlName(name), 0, ...terms.flat()])];
}

export function amlReturn(value: Bytes): number[] {
  return [0xa4, ...value];
}

/** A buffer with resource descriptors and their end tag. */
export function amlResources(...descriptors: Bytes[]): number[] {
  const bytes = [...descriptors.flat(), 0x79, 0x00];
  return [0x11, ...sized([...amlInteger(bytes.length), ...bytes])];
}

/** `count` ports from `first` on, decoded in 16 bits. */
export function ioPorts(first: number, count: number, alignment = 1): number[] {
  return [0x47, 0x01, ...little(first, 2), ...little(first, 2), alignment, count];
}

/** An edge-triggered interrupt of the 8259 pair. */
export function irq(number: number): number[] {
  return [0x22, ...little(1 << number, 2)];
}

/** An edge-triggered, active-high interrupt by its number at the I/O APIC, as a consumer of it (6.4.3.6). */
export function extendedInterrupt(number: number): number[] {
  return [0x89, ...little(6, 2), 0x03, 1, ...little(number, 4)];
}

/** `size` bytes from `base` on, writable, below 4 GiB. */
export function memory32(base: number, size: number): number[] {
  return [0x86, ...little(9, 2), 0x01, ...little(base, 4), ...little(size, 4)];
}

/** Windows of a host bridge, from `first` to `last`: fixed at both ends. */
export function busNumbers(first: number, last: number): number[] {
  return addressSpace(0x88, 2, 2, 0x00, first, last);
}

export function ioWindow(first: number, last: number): number[] {
  // The whole range, ISA addresses and others.
  return addressSpace(0x88, 2, 1, 0x03, first, last);
}

export function memoryWindow(first: number, last: number): number[] {
  // Not cacheable, writable.
  return addressSpace(0x87, 4, 0, 0x01, first, last);
}

/** The same with addresses of 64 bits (6.4.3.5.1); `last` is inclusive. */
export function memoryWindow64(first: bigint, last: bigint): number[] {
  const fields = [0n, first, last, 0n, last - first + 1n].flatMap((field) => [
    ...little(Number(field & 0xffffffffn), 4),
    ...little(Number(field >> 32n), 4),
  ]);
  return [0x8a, ...little(3 + fields.length, 2), 0, 0x0c, 0x01, ...fields];
}

function addressSpace(
  tag: number,
  width: 2 | 4,
  type: number,
  flags: number,
  first: number,
  last: number,
): number[] {
  const fields = [0, first, last, 0, last - first + 1].flatMap((field) => little(field, width));
  return [tag, ...little(3 + fields.length, 2), type, 0x0c, flags, ...fields];
}

/** Puts the package length before the bytes; it counts itself (20.2.4). */
function sized(bytes: Bytes): number[] {
  if (bytes.length + 1 < 0x40) return [bytes.length + 1, ...bytes];
  const further = bytes.length + 2 < 0x1000 ? 1 : 2;
  const length = bytes.length + 1 + further;
  return [(further << 6) | (length & 0x0f), ...little(length >>> 4, further), ...bytes];
}

function little(value: number, size: number): number[] {
  return Array.from({ length: size }, (_, index) => Math.floor(value / 2 ** (8 * index)) & 0xff);
}

function text(characters: string): number[] {
  return [...characters].map((character) => character.charCodeAt(0));
}
