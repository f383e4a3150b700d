/** All checks on vm.conf: what its parser finds, then the rules, one a file. */
import { PARSE_PROBLEMS } from '../../vmm/vmd/problems';
import type { Check } from '../check';
import { addressShared } from './addressShared';
import { agentx } from './agentx';
import { bootDevice } from './bootDevice';
import { bootOnly } from './bootOnly';
import { diskFormat } from './diskFormat';
import { diskShared } from './diskShared';
import { groupName } from './groupName';
import { instanceAddress } from './instanceAddress';
import { instanceInterfaces } from './instanceInterfaces';
import { instanceOptions } from './instanceOptions';
import { instanceOwner } from './instanceOwner';
import { instanceParent } from './instanceParent';
import { interfaceName } from './interfaceName';
import { linkAddress } from './linkAddress';
import { localPrefix } from './localPrefix';
import { macroUnused } from './macroUnused';
import { memoryLimit } from './memoryLimit';
import { memoryRounded } from './memoryRounded';
import { memorySize } from './memorySize';
import { memoryTiny } from './memoryTiny';
import { memoryUnit } from './memoryUnit';
import { noBootSource } from './noBootSource';
import { optionOverridden } from './optionOverridden';
import { optionRepeated } from './optionRepeated';
import { pathLength } from './pathLength';
import { pathsJoined } from './pathsJoined';
import { routingDomain } from './routingDomain';
import { switchDuplicate } from './switchDuplicate';
import { switchInterface } from './switchInterface';
import { switchName } from './switchName';
import { switchUndefined } from './switchUndefined';
import { tapShared } from './tapShared';
import { tooManyDisks } from './tooManyDisks';
import { tooManyInterfaces } from './tooManyInterfaces';
import { vmDuplicate } from './vmDuplicate';
import { vmName } from './vmName';
import { vmdLowmem } from './vmdLowmem';

const PARSER: readonly Check[] = Object.entries(PARSE_PROBLEMS).map(([code, row]) => ({
  code,
  ...row,
  on: ['vmconf'],
}));

export const VMCONF_CHECKS: readonly Check[] = [
  ...PARSER,
  addressShared,
  agentx,
  bootDevice,
  bootOnly,
  diskFormat,
  diskShared,
  groupName,
  instanceAddress,
  instanceInterfaces,
  instanceOptions,
  instanceOwner,
  instanceParent,
  interfaceName,
  linkAddress,
  localPrefix,
  macroUnused,
  memoryLimit,
  memoryRounded,
  memorySize,
  memoryTiny,
  memoryUnit,
  noBootSource,
  optionOverridden,
  optionRepeated,
  pathLength,
  pathsJoined,
  routingDomain,
  switchDuplicate,
  switchInterface,
  switchName,
  switchUndefined,
  tapShared,
  tooManyDisks,
  tooManyInterfaces,
  vmDuplicate,
  vmName,
  vmdLowmem,
];
