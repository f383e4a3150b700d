/** Runs a ROM on our core to its end. */
import type { CpuProfile } from '../../../server/emulator/face';
import { TestBoard, type BoardExit } from './board';

export interface CoreRun {
  readonly output: string;
  readonly exit: BoardExit;
}

/** Bytes to the debug port are the output; a byte to port 0xf4 ends the run, as `limit` instructions do. */
export function runOnCore(rom: Uint8Array, profile?: CpuProfile, limit = 50_000_000): CoreRun {
  const board = new TestBoard({ rom, ...(profile === undefined ? {} : { profile }) });
  const exit = board.run(limit);
  return { output: board.state.output, exit };
}
