/** Numbers that cross from the core to its face: trace events and reasons of faults. */

export const TRACE_MODE = 0;
export const TRACE_CR = 1;
export const TRACE_MSR = 2;
export const TRACE_TABLE = 3;
export const TRACE_EXCEPTION = 4;
export const TRACE_INTERRUPT = 5;
export const TRACE_IPI = 6;
export const TRACE_INIT = 7;
export const TRACE_SIPI = 8;
export const TRACE_HALT = 9;

export const SOURCE_PIC = 0;
export const SOURCE_APIC = 1;
export const SOURCE_NMI = 2;
export const SOURCE_SOFTWARE = 3;

/** Why a fault was raised; the wording is in ../reasons.ts. */
export const enum Reason {
  None,
  UndefinedOpcode,
  LockPrefix,
  TooLong,
  NotInMode,
  Privilege,
  IoPermission,
  V86Sensitive,
  DivideError,
  BoundRange,
  SegmentNull,
  SegmentLimit,
  SegmentReadType,
  SegmentWriteType,
  NonCanonicalData,
  NonCanonicalTarget,
  FetchLimit,
  TargetLimit,
  NotPresent,
  Rights,
  ReservedBit,
  SelectorNull,
  SelectorBeyondTable,
  DescriptorType,
  DescriptorPrivilege,
  DescriptorNotPresent,
  LongAndDefault,
  StackNull,
  TssLimit,
  TssType,
  GateBeyondIdt,
  GateType,
  GatePrivilege,
  GateNotPresent,
  Cr0Reserved,
  Cr0PgWithoutPe,
  Cr0NwWithoutCd,
  Cr0LongWithoutPae,
  Cr0LongWithCsL,
  Cr0LongWithTss16,
  Cr0PgClearedIn64,
  Cr0PgClearedWithPcid,
  Cr0WpClearedWithCet,
  Cr4Reserved,
  Cr4PaeClearedInLong,
  Cr4PcidIllegal,
  Cr4CetWithoutWp,
  Cr4La57InLong,
  Cr3Reserved,
  Cr8Reserved,
  PdpteReserved,
  EferReserved,
  EferLmeUnderPaging,
  EferLmaChanged,
  MsrUnknown,
  CounterUnknown,
  MsrReserved,
  MsrReadOnly,
  MsrNonCanonical,
  DrReserved,
  DrGeneralDetect,
  ApicBaseIllegal,
  ApicReserved,
  NestedTaskInLong,
  Alignment,
  DeviceNotAvailable,
  EndbrMissing,
  Debug,
  RealIdtLimit,
  SyscallDisabled,
  SysenterNull,
  SysretNonCanonical,
  XcrIllegal,
  TableBaseNonCanonical,
  FloatingPoint,
  XsaveHeader,
  OsxsaveClear,
  MonitorHint,
  ProtectionKey,
  PkruOperand,
  InvpcidOperand,
  MxcsrReserved,
  SimdFloatingPoint,
  VectorsDisabled,
  V86WithTracker,
}
