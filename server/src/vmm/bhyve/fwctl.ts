/**
 * bhyve's firmware interface at ports 0x510 and 0x511 (fwctl.c of FreeBSD commit 3c0686082), which its own UEFI uses: a
 * signature by bytes, then requests and responses by double words. Its one object is `hw.ncpu`.
 */
import type { Device, DeviceState } from '../../devices/device';

export const FWCTL_OUT = 0x510;
export const FWCTL_IN = 0x511;

const SIGNATURE = [0x42, 0x48, 0x59, 0x56];
const OP = { get: 3, getLength: 4 } as const;
/** Size, type and transaction of a request. */
const HEADER = 12;
const RESPONSE_HEADER = 16;
const LONGEST_NAME = 80;
const [ENOENT, E2BIG] = [2, 7];
const OBJECT = 'hw.ncpu';

interface State {
  phase: 'identify' | 'request' | 'response';
  identified: number;
  /** Words of the request so far; the first is its size. */
  request: number[];
  response: number[];
}

const start = (): State => ({ phase: 'identify', identified: 0, request: [], response: [] });

export class Fwctl implements Device {
  readonly name = 'fwctl';
  readonly ports = [{ start: FWCTL_OUT, end: FWCTL_IN + 1 }];
  private state: State = start();

  /** `sizeError` is called for a request that says it is shorter than its header: bhyve ends then. */
  constructor(
    private readonly vcpus: number,
    private readonly sizeError: (size: number) => void,
  ) {}

  readPort(_port: number, size: 1 | 2 | 4): number {
    const { state } = this;
    if (size === 2) return 0xffff;
    if (size === 1) {
      if (state.phase !== 'identify') return 0xff;
      const byte = SIGNATURE[state.identified++]!;
      if (state.identified === SIGNATURE.length) state.phase = 'request';
      return byte;
    }
    if (state.phase !== 'response') return 0xffffffff;
    const word = state.response.shift()!;
    if (state.response.length === 0) state.phase = 'request';
    return word;
  }

  writePort(port: number, size: 1 | 2 | 4, value: number): void {
    if (port !== FWCTL_OUT) return;
    if (size === 2 && value === 0) this.state = start();
    if (size === 4 && this.state.phase === 'request') this.take(value >>> 0);
  }

  private take(word: number): void {
    const { request } = this.state;
    if (request.length === 0 && word < HEADER) return this.sizeError(word);
    request.push(word);
    if (request.length < 3) return;
    const [size, type, transaction] = request as [number, number, number];
    // A last part of fewer than 4 bytes is only waited for where nothing came before it.
    const left = size - HEADER - 4 * (request.length - 3);
    if (left > 0 && (left >= 4 || request.length === 3)) return;
    this.state.response = this.answer(type, transaction, size - HEADER);
    this.state.request = [];
    this.state.phase = 'response';
  }

  private answer(type: number, transaction: number, length: number): number[] {
    const { data, error } = this.result(type, length);
    return [RESPONSE_HEADER + 4 * data.length, type, transaction, error, ...data];
  }

  /** A size of 8 bytes, and behind it for `get` the value. */
  private result(type: number, length: number): { data: number[]; error: number } {
    if (type !== OP.get && type !== OP.getLength) return { data: [], error: ENOENT };
    if (length > LONGEST_NAME) return { data: [], error: E2BIG };
    const words = Uint32Array.from(this.state.request.slice(3));
    const name = new TextDecoder().decode(new Uint8Array(words.buffer));
    // strncmp of as many characters as came: a beginning of the name is enough.
    const compared = name.includes('\0') ? name.slice(0, name.indexOf('\0') + 1) : name;
    if (!`${OBJECT}\0`.startsWith(compared)) return { data: [], error: ENOENT };
    return { data: type === OP.get ? [4, 0, this.vcpus] : [4, 0], error: 0 };
  }

  reset(): void {
    this.state = start();
  }

  save(): DeviceState {
    return { ...structuredClone(this.state) };
  }

  restore(state: DeviceState): void {
    this.state = structuredClone(state) as unknown as State;
  }
}
