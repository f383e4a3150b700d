/** The rules on bhyve's configs: what the reader itself finds, and a file for each of the others. */
import { BHYVE_PROBLEMS } from '../../vmm/bhyve/config/problems';
import { COMMAND_PROBLEMS } from '../../vmm/bhyve/command/problems';
import type { Check } from '../check';
import { acpiTables } from './acpiTables';
import { ahciPort } from './ahciPort';
import { boolean } from './boolean';
import { bootromKey } from './bootromKey';
import { configDump } from './configDump';
import { decimal } from './decimal';
import { duplicateKey } from './duplicateKey';
import { functionHole } from './functionHole';
import { keyVersion } from './keyVersion';
import { lpcMissing } from './lpcMissing';
import { memoryPages, memoryUnit } from './memory';
import { missingKey } from './missingKey';
import { netBackend } from './netBackend';
import { noBootrom } from './noBootrom';
import { octal } from './octal';
import { passthruMemory } from './passthruMemory';
import { pciAddressRule } from './pciAddress';
import { pciDevice } from './pciDevice';
import { singleDevice } from './singleDevice';
import { unknownKey } from './unknownKey';
import { value, valueIgnored } from './value';
import { numaDomain, vcpuPin } from './vcpuNumbers';
import { whitespace } from './whitespace';

export const BHYVE_CHECKS: readonly Check[] = [
  ...Object.entries(BHYVE_PROBLEMS).map(([code, row]): Check => ({
    code,
    ...row,
    on: ['bhyve-config', 'bhyve-command'],
  })),
  ...Object.entries(COMMAND_PROBLEMS).map(([code, row]): Check => ({ code, ...row, on: ['bhyve-command'] })),
  unknownKey,
  keyVersion,
  bootromKey,
  boolean,
  value,
  valueIgnored,
  octal,
  decimal,
  whitespace,
  duplicateKey,
  memoryPages,
  memoryUnit,
  pciAddressRule,
  pciDevice,
  functionHole,
  singleDevice,
  lpcMissing,
  missingKey,
  ahciPort,
  netBackend,
  passthruMemory,
  noBootrom,
  acpiTables,
  vcpuPin,
  numaDomain,
  configDump,
];
