/** Runs a ROM on our core to its end. */
import type { CpuProfile } from '../../../server/emulator/face';
import { TestBoard, type BoardExit } from './board';

export interface CoreRun {
  readonly output: string;
  readonly exit: BoardExit;
}

/** Bytes to the debug port are the output; a byte to port 0xf4 ends the run, as 50 million instructions do. */
export function runOnCore(rom: Uint8Array, profile?: CpuProfile): CoreRun {
  const board = new TestBoard({ rom, ...(profile === undefined ? {} : { profile }) });
  const exit = board.run(50_000_000);
  return { output: board.state.output, exit };
}
