/** The core's CPU in a differential run: all that both the oracle's CPU and the core have. */
import { EXECUTED_FEATURES } from '../../../../server/emulator/coreFeatures';
import type { CpuProfile } from '../../../../server/emulator/face';
import {
  CPUID_REGISTERS,
  cpuidFeature,
  type CpuidFeatureName,
} from '../../../../server/src/x86/cpuid/features';
import type { OracleName } from '../explained';
import { runNatively } from '../hostCpu';
import { testProfile } from '../profile';
import type { RomOptions } from '../stepper/rom';

const UMIP = 0x800;
const FSGSBASE = 0x10000;
const OSXSAVE = 0x40000;

/** CPUID of each record (EAX, ECX at RSI) into the record: EAX, EBX, ECX, EDX. */
const CPUID_CODE = Buffer.from(
  ['4989c8', '4989d9', '8b06', '8b4e04', '0fa2', '8906', '895e04', '894e08', '89560c', '4c89cb', '4883c610']
    .concat('49ffc8', '75df')
    .join(''),
  'hex',
);

let known: ReadonlySet<CpuidFeatureName> | null = null;

/** What this machine's CPUID offers of what the core has. */
function hostFeatures(): ReadonlySet<CpuidFeatureName> {
  if (known) return known;
  const names = [...EXECUTED_FEATURES];
  const records = new Uint8Array(16 * names.length);
  const request = new DataView(records.buffer);
  names.forEach((name, i) => {
    const { leaf, subleaf } = cpuidFeature(name);
    request.setUint32(16 * i, leaf, true);
    request.setUint32(16 * i + 4, subleaf, true);
  });
  const [answer = new Uint8Array()] = runNatively([{ code: CPUID_CODE, count: names.length, records }]);
  const view = new DataView(answer.buffer, answer.byteOffset);
  known = new Set(
    names.filter((name, i) => {
      const { register, bit } = cpuidFeature(name);
      return ((view.getUint32(16 * i + 4 * CPUID_REGISTERS.indexOf(register), true) >>> bit) & 1) !== 0;
    }),
  );
  return known;
}

export function fuzzProfile(oracle: OracleName): CpuProfile {
  if (oracle !== 'host') return testProfile();
  const there = hostFeatures();
  const missing = [...EXECUTED_FEATURES].filter((name) => !there.has(name));
  // TZCNT comes with BMI1, whose other instructions have VEX.
  return testProfile({ vendor: 'amd', with: [...there, 'BMI1'], without: missing });
}

/** Control bits as the oracle's system sets them. */
export function fuzzRom(oracle: OracleName): RomOptions {
  if (oracle !== 'host') return {};
  const there = hostFeatures();
  const bits = [
    ['UMIP', UMIP],
    ['FSGSBASE', FSGSBASE],
    ['XSAVE', OSXSAVE],
  ] as const;
  return { cr4: bits.reduce((sum, [name, bit]) => (there.has(name) ? sum | bit : sum), 0) };
}
