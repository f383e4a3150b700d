/**
 * Hardware task switches (SDM vol. 3, chapter 7) through TSS descriptors, task gates and IRET with NT, outside long mode.
 * Up to the commit a fault belongs to the old task; the loads of the new task's segments fault in the new one.
 */
import {
  CPL, CR0, CR3, CR4, CS, DR, DS, ES, EVENT_KIND_TRAP, FS, GS, LDTR, PENDING, PENDING_HAS_ERROR, PENDING_KIND, REGS,
  RIP, SS, TASK_IMAGE, TR,
} from "./layout";
import { attend, probeWrite, readSystem, writeSystem } from "./access";
import { loadPdptes } from "./control";
import { Reason } from "./events";
import { DB, GP, NP, SS_FAULT, TS, raise, setStart } from "./fault";
import { ALL_FLAGS, NT, RF, rflags, setFlags, VM } from "./flags";
import { DR6_TASK, noteConditions, refreshBreakpoints } from "./breakpoint";
import { CR0_PG, CR4_PAE } from "./mmu";
import { beginStack, commitStack, pushSized } from "./operand";
import {
  ATTRIBUTE_P, attributesOf, baseOf, baseOfRaw, descriptorAddress, fillSegment, limitOf, limitOfRaw, markAccessed,
  readDescriptor, rightsOf, selectorOf, setCpl, setSegment, UNUSABLE, updateMode,
} from "./segment";
import { dropNonGlobal } from "./tlb";

export const TASK_JUMP = 0;
export const TASK_CALL = 1;
export const TASK_INTERRUPT = 2;
export const TASK_RETURN = 3;

/** Offsets in a 32-bit TSS; the general registers and the selectors follow in encoding order. */
const LINK = 0;
const CR3_AT = 28;
const EIP_AT = 32;
const EFLAGS_AT = 36;
const GENERAL_AT = 40;
const SELECTORS_AT = 72;
const LDT_AT = 96;
const TRAP_AT = 100;
/** And in a 16-bit one. */
const IP_AT = 14;
const FLAGS_AT = 16;
const GENERAL16_AT = 18;
const SELECTORS16_AT = 34;
const LDT16_AT = 42;

/** Where the new task's values wait: EIP, EFLAGS, eight registers, ES CS SS DS FS GS LDT, CR3, T; u32 each. */
@inline function image(index: u32): u32 {
  return load<u32>(TASK_IMAGE + (index << 2));
}
@inline function setImage(index: u32, value: u32): void {
  store<u32>(TASK_IMAGE + (index << 2), value);
}
const IMAGE_SELECTORS: u32 = 10;
const IMAGE_LDT: u32 = 16;
const IMAGE_CR3: u32 = 17;
const IMAGE_TRAP: u32 = 18;

function readImage(base: u64, wide: bool): void {
  if (wide) {
    setImage(0, readSystem<u32>(base + EIP_AT));
    setImage(1, readSystem<u32>(base + EFLAGS_AT));
    for (let i: u32 = 0; i < 8; i++) setImage(2 + i, readSystem<u32>(base + GENERAL_AT + (i << 2)));
    for (let i: u32 = 0; i < 6; i++) setImage(IMAGE_SELECTORS + i, readSystem<u16>(base + SELECTORS_AT + (i << 2)));
    setImage(IMAGE_LDT, readSystem<u16>(base + LDT_AT));
    setImage(IMAGE_CR3, readSystem<u32>(base + CR3_AT));
    setImage(IMAGE_TRAP, readSystem<u16>(base + TRAP_AT) & 1);
    return;
  }
  setImage(0, readSystem<u16>(base + IP_AT));
  setImage(1, readSystem<u16>(base + FLAGS_AT));
  // The upper halves of the registers are undefined after a 16-bit switch; all ones, as on Intel.
  for (let i: u32 = 0; i < 8; i++) setImage(2 + i, readSystem<u16>(base + GENERAL16_AT + (i << 1)) | 0xffff0000);
  for (let i: u32 = 0; i < 4; i++) setImage(IMAGE_SELECTORS + i, readSystem<u16>(base + SELECTORS16_AT + (i << 1)));
  setImage(IMAGE_SELECTORS + 4, 0);
  setImage(IMAGE_SELECTORS + 5, 0);
  setImage(IMAGE_LDT, readSystem<u16>(base + LDT16_AT));
  setImage(IMAGE_CR3, <u32>load<u64>(CR3));
  setImage(IMAGE_TRAP, 0);
}

/** The old task's dynamic fields. */
function saveState(base: u64, wide: bool, flags: u32): void {
  if (wide) {
    writeSystem<u32>(base + EIP_AT, <u32>load<u64>(RIP));
    writeSystem<u32>(base + EFLAGS_AT, flags);
    for (let i: u32 = 0; i < 8; i++) writeSystem<u32>(base + GENERAL_AT + (i << 2), load<u32>(REGS + (i << 3)));
    for (let i: u32 = 0; i < 6; i++) writeSystem<u16>(base + SELECTORS_AT + (i << 2), <u16>selectorOf(i));
    return;
  }
  writeSystem<u16>(base + IP_AT, <u16>load<u64>(RIP));
  writeSystem<u16>(base + FLAGS_AT, <u16>flags);
  for (let i: u32 = 0; i < 8; i++) writeSystem<u16>(base + GENERAL16_AT + (i << 1), load<u16>(REGS + (i << 3)));
  for (let i: u32 = 0; i < 4; i++) writeSystem<u16>(base + SELECTORS16_AT + (i << 1), <u16>selectorOf(i));
}

/** `selector` names a TSS descriptor in the GDT whose privilege has been checked; `saved` is set in the flags that are saved. */
function switchTask(selector: u32, how: u32, external: u32, saved: u32): bool {
  const code = (selector & 0xfffc) | external;
  const back = how == TASK_RETURN;
  // A return finds its task through the link field: #TS. All else: #GP.
  const vector: u32 = back ? TS : GP;
  if (selector & 4 || code >> 2 == 0) raise(vector, code, Reason.SelectorBeyondTable, selector, 0);
  const raw = readDescriptor(selector, vector, external);
  const rights = rightsOf(raw);
  const type = rights & 0x1f;
  const busy = (type & 2) != 0;
  if ((type & 0x15) != 1 || busy != back) raise(vector, code, Reason.TssType, raw, selector);
  if (!(rights & ATTRIBUTE_P)) raise(NP, code, Reason.DescriptorNotPresent, raw, selector);
  const wide = (type & 8) != 0;
  const limit = limitOfRaw(raw);
  const least: u32 = wide ? 0x67 : 0x2b;
  if (limit < least) raise(TS, code, Reason.TssLimit, least, limit);
  const base = baseOfRaw(raw);
  const oldBase = baseOf(TR);
  const oldWide = (attributesOf(TR) & 8) != 0;
  readImage(base, wide);
  // Everything that will be written must be writable.
  probeWrite(oldBase, 1, 0, 0);
  probeWrite(oldBase + (oldWide ? 95 : 41), 1, 0, 0);
  probeWrite(base, 2, 0, 0);
  const oldDescriptor = descriptorAddress(selectorOf(TR), 8, TS, external) + 5;
  const newDescriptor = descriptorAddress(selector, 8, vector, external) + 5;
  const leaves = how == TASK_JUMP || back;
  if (leaves) probeWrite(oldDescriptor, 1, 0, 0);
  if (!back) probeWrite(newDescriptor, 1, 0, 0);
  let flags = rflags() | saved;
  if (leaves) writeSystem<u8>(oldDescriptor, readSystem<u8>(oldDescriptor) & ~2);
  if (back) flags &= ~NT;
  saveState(oldBase, oldWide, flags);
  if (!leaves) {
    writeSystem<u16>(base + LINK, <u16>selectorOf(TR));
    setImage(1, image(1) | NT);
  }
  if (!back) writeSystem<u8>(newDescriptor, <u8>(raw >> 40) | 2);
  commitTask(selector, raw, wide);
  loadTaskSegments(external);
  if (image(IMAGE_TRAP)) {
    noteConditions(DR6_TASK);
    store<u32>(PENDING, DB);
    store<u32>(PENDING_KIND, EVENT_KIND_TRAP);
    store<u32>(PENDING_HAS_ERROR, 0);
    attend();
  }
  return wide;
}

/** From here on faults belong to the new task. */
function commitTask(selector: u32, raw: u64, wide: bool): void {
  setSegment(TR, selector, baseOfRaw(raw), limitOfRaw(raw), rightsOf(raw) | 2);
  store<u64>(CR0, load<u64>(CR0) | 8);
  store<u64>(RIP, image(0));
  setStart(image(0));
  setFlags(wide ? image(1) : image(1) & 0xffff, ALL_FLAGS);
  // L0 to L3 and LE are local to a task.
  store<u64>(DR + 56, load<u64>(DR + 56) & ~0x155);
  refreshBreakpoints();
  for (let i: u32 = 0; i < 8; i++) store<u64>(REGS + (i << 3), image(2 + i));
  // Selectors are there before their descriptors are.
  const cpl: u32 = image(1) & VM && wide ? 3 : image(IMAGE_SELECTORS + CS) & 3;
  for (let i: u32 = 0; i < 6; i++) setSegment(i, image(IMAGE_SELECTORS + i), 0, 0, UNUSABLE | (i == SS ? cpl << 5 : 0));
  setSegment(LDTR, image(IMAGE_LDT), 0, 0, UNUSABLE | 2);
  setCpl(cpl);
  updateMode();
  if (wide) loadTaskPaging();
}

/**
 * CR3 where it changes, and then the PDPTEs (SDM vol. 3, 4.4.1, 7.3). A reserved bit is #GP(0) in the new task: the SDM names
 * that for MOV to CR only; KVM's emulator does the same here, newer Bochs raises #TS(0).
 */
function loadTaskPaging(): void {
  const cr3 = <u64>image(IMAGE_CR3);
  if (!(load<u64>(CR0) & CR0_PG) || cr3 == load<u64>(CR3)) return;
  if (load<u64>(CR4) & CR4_PAE) loadPdptes(cr3);
  store<u64>(CR3, cr3);
  dropNonGlobal();
}

function loadTaskSegments(external: u32): void {
  const ldt = image(IMAGE_LDT);
  if (ldt & 0xfffc) {
    const code = (ldt & 0xfffc) | external;
    if (ldt & 4) raise(TS, code, Reason.SelectorBeyondTable, ldt, 0);
    const raw = readDescriptor(ldt, TS, external);
    if ((rightsOf(raw) & 0x9f) != 0x82) raise(TS, code, Reason.DescriptorType, raw, ldt);
    fillSegment(LDTR, ldt, raw);
  }
  if (rflags() & VM) {
    for (let i: u32 = 0; i < 6; i++) {
      const selector = image(IMAGE_SELECTORS + i);
      setSegment(i, selector, <u64>selector << 4, 0xffff, 0xf3);
    }
    updateMode();
    return;
  }
  loadTaskCode(image(IMAGE_SELECTORS + CS), external);
  loadTaskStack(image(IMAGE_SELECTORS + SS), external);
  loadTaskData(ES, external);
  loadTaskData(DS, external);
  loadTaskData(FS, external);
  loadTaskData(GS, external);
  updateMode();
  if (load<u64>(RIP) > limitOf(CS)) raise(GP, external, Reason.TargetLimit, load<u64>(RIP), limitOf(CS));
}
function loadTaskCode(selector: u32, external: u32): void {
  const code = (selector & 0xfffc) | external;
  if (code >> 2 == 0) raise(TS, code, Reason.SelectorNull, selector);
  const raw = readDescriptor(selector, TS, external);
  const rights = rightsOf(raw);
  const dpl = (rights >> 5) & 3;
  if ((rights & 0x18) != 0x18) raise(TS, code, Reason.DescriptorType, raw, selector);
  if (rights & 4 ? dpl > (selector & 3) : dpl != (selector & 3)) raise(TS, code, Reason.DescriptorPrivilege, raw, selector);
  if (!(rights & ATTRIBUTE_P)) raise(NP, code, Reason.DescriptorNotPresent, raw, selector);
  fillSegment(CS, selector, markAccessed(selector, raw));
  updateMode();
}
function loadTaskStack(selector: u32, external: u32): void {
  const code = (selector & 0xfffc) | external;
  const cpl: u32 = load<u8>(CPL);
  if (code >> 2 == 0) raise(TS, code, Reason.StackNull, selector, cpl);
  const raw = readDescriptor(selector, TS, external);
  const rights = rightsOf(raw);
  if ((rights & 0x1a) != 0x12) raise(TS, code, Reason.DescriptorType, raw, selector);
  if ((selector & 3) != cpl || ((rights >> 5) & 3) != cpl) raise(TS, code, Reason.DescriptorPrivilege, raw, selector);
  if (!(rights & ATTRIBUTE_P)) raise(SS_FAULT, code, Reason.DescriptorNotPresent, raw, selector);
  fillSegment(SS, selector, markAccessed(selector, raw));
  updateMode();
}
function loadTaskData(number: u32, external: u32): void {
  const selector = image(IMAGE_SELECTORS + number);
  const code = (selector & 0xfffc) | external;
  if ((selector & 0xfffc) == 0) return;
  const raw = readDescriptor(selector, TS, external);
  const rights = rightsOf(raw);
  const dpl = (rights >> 5) & 3;
  if (!(rights & 0x10) || (rights & 0x0a) == 8) raise(TS, code, Reason.DescriptorType, raw, selector);
  if ((rights & 0x0c) != 0x0c && (dpl < (selector & 3) || dpl < <u32>load<u8>(CPL)))
    raise(TS, code, Reason.DescriptorPrivilege, raw, selector);
  if (!(rights & ATTRIBUTE_P)) raise(NP, code, Reason.DescriptorNotPresent, raw, selector);
  fillSegment(number, selector, markAccessed(selector, raw));
}

/** JMP or CALL to a TSS descriptor or through a task gate. */
export function taskSwitchTo(selector: u32, how: u32): void {
  switchTask(selector, how, 0, 0);
}
/** An interrupt or exception through a task gate; its error code goes onto the new task's stack. */
export function taskGate(selector: u32, external: u32, hasError: bool, error: u32, resume: bool): void {
  const wide = switchTask(selector, TASK_INTERRUPT, external, resume ? RF : 0);
  if (!hasError) return;
  beginStack();
  pushSized(wide ? 2 : 1, error);
  commitStack();
}
/** IRET with NT: back to the task in the link field. */
export function taskReturn(): void {
  switchTask(readSystem<u16>(baseOf(TR) + LINK), TASK_RETURN, 0, 0);
}
