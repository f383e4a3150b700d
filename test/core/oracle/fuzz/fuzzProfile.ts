/** The core's CPU in a differential run: what the oracle's CPU has, as far as the core knows it. */
import type { CpuProfile } from '../../../../server/emulator/face';
import type { OracleName } from '../explained';
import { testProfile } from '../profile';

/** What the host's CPU is taken to have: all x86-64 CPUs of the last ten years do. */
const HOST = ['POPCNT', 'MOVBE', 'BMI1', 'LZCNT', 'CLFLUSHOPT'] as const;

export function fuzzProfile(oracle: OracleName): CpuProfile {
  return oracle === 'host' ? testProfile({ vendor: 'amd', with: HOST }) : testProfile();
}
