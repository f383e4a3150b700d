/** The CPU that processes see: what the test profile has, by the vendor of the host that they are compared with, an AMD since Zen 3. */
import type { CpuProfile } from '../../../../server/emulator/face';
import { testProfile } from '../profile';

export function processProfile(vendor: 'intel' | 'amd'): CpuProfile {
  return testProfile({ vendor, with: ['NullSelectorClearsBase'] });
}
