/** Hardware task switches (SDM vol. 3, chapter 7), through TSS descriptors and task gates outside long mode. */
import { Reason } from "./events";
import { UD, raise } from "./fault";

export const TASK_JUMP = 0;
export const TASK_CALL = 1;
export const TASK_INTERRUPT = 2;

export function taskSwitchTo(selector: u32, how: u32, throughGate: bool): void {
  raise(UD, 0, Reason.TaskSwitch, selector);
}
export function taskGate(selector: u32, external: u32, hasError: bool, error: u32): void {
  raise(UD, 0, Reason.TaskSwitch, selector);
}
export function taskReturn(): void {
  raise(UD, 0, Reason.TaskSwitch, 0);
}
