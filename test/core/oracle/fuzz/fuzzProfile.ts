/** The core's CPU in a differential run: what the oracle's CPU has, as far as the core knows it. */
import type { CpuProfile } from '../../../../server/emulator/face';
import type { OracleName } from '../explained';
import { testProfile } from '../profile';

/** POPCNT and MOVBE, BMI1's TZCNT, LZCNT. */
const MORE: Readonly<Record<number, readonly [number, number, number, number]>> = {
  1: [0, 0, (1 << 23) | (1 << 22), 0],
  7: [0, 1 << 3, 0, 0],
  0x80000001: [0, 0, 1 << 5, 0],
};

export function fuzzProfile(oracle: OracleName): CpuProfile {
  const profile = testProfile({ vendor: oracle === 'host' ? 'amd' : 'intel' });
  if (oracle !== 'host') return profile;
  return {
    ...profile,
    cpuid(leaf, subleaf, vcpu) {
      const words = profile.cpuid(leaf, subleaf, vcpu);
      const more = subleaf === 0 ? MORE[leaf] : undefined;
      if (!more) return words;
      return [words[0] | more[0], words[1] | more[1], words[2] | more[2], words[3] | more[3]];
    },
  };
}
