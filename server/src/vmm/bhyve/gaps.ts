/** What the model leaves out of bhyve and vmm, for the report. */
import type { BoardInputs } from '../model';
import type { BootMethod } from './boot';
import { missingDevices } from './pciHost';
import { EXIT } from './exits';
import { lpcOf, type BhyveSettings } from './settings';
import { HOST_DEBUG } from './tearDown';
import type { BhyveFacts } from './versions';

export function notModelled(
  { machine }: Pick<BoardInputs, 'machine'>,
  facts: BhyveFacts,
  settings: BhyveSettings,
  method: BootMethod | null,
): string[] {
  const list = [
    'the host: CPUID is a plain model CPU without AVX behind the masks of vmm, and time is counted in instructions',
    'a frame buffer with its VGA',
    'interrupts of PCI functions, so there is neither a _PRT nor an entry for them in the MP table',
    `HLT with interrupts off on every vCPU: where HLT is an exit (-H, x86.vmexit_on_hlt), vmm suspends the guest (VM_SUSPEND_HALT) and bhyve ends with status ${EXIT.halt}; here the run ends as halted`,
    'vCPU 0’s local APIC begins with LINT0 as ExtINT and the APIC enabled; vmm’s begins disabled, and takes the 8259’s interrupts then',
  ];
  if (!facts.smbios) list.push('SMBIOS tables at 0xF1000');
  else if (!machine.settings?.has('uuid')) {
    list.push(
      'the UUID in the SMBIOS tables, which bhyve makes of the guest’s and the host’s name: it is zero',
    );
  }
  if (settings.pciAssumed) {
    list.push(
      'PCI devices that a config would name: hostbridge at 0:0:0 and lpc with serial ports at 0:31:0 are assumed',
    );
  }
  const missing = missingDevices(settings.pci);
  if (missing.length > 0) list.push(`PCI devices of the config: ${missing.join(', ')}`);
  if (!lpcOf(settings)) list.push('what the config does without: there is no lpc device, so no serial port');
  if (facts.os === 'freebsd') {
    list.push(
      'string I/O outside of 64-bit mode, which vmm does not emulate and at which bhyve ends: it works here',
      'accesses that a device of the kernel refuses (a wide access to the 8259 pair, a mode that vatpit lacks): the device just answers',
    );
  } else if (!facts.configFile) {
    list.push('writes to the boot ROM, which do nothing here');
  }
  if (facts.ipiShorthand === 'panic') {
    list.push('port accesses that a device of the kernel refuses: the device just answers');
  }
  if (facts.guestPageTable === 'closed' && machine.settings?.get(HOST_DEBUG)?.value !== false) {
    list.push('a host kernel without DEBUG: one with DEBUG is assumed, whose assertions panic the host');
  }
  if (facts.os === 'illumos' && facts.ipiShorthand !== 'full') {
    list.push(
      'hosts with APIC-access virtualisation, where an interrupt command does not pass through the instruction emulation',
    );
  }
  if (settings.acpiTables) {
    list.push(
      'the DSDT as iasl compiles it: the same devices and windows in other bytes, without PCI interrupt links and the window of 64-bit BARs',
    );
  }
  if (method === 'bhyveload') {
    list.push(
      'loader metadata: modulep on userboot’s stack is 0, so a FreeBSD kernel finds neither its memory map nor its environment',
    );
  }
  if (method === 'grub') {
    list.push(
      'grub’s own menu and disks: the `linux` command gets the command line of the config or of the user',
    );
  }
  if (method === 'bootrom') {
    list.push('variables of a boot ROM that lie in a file of their own: nothing is below the ROM');
  }
  if (machine.settings?.has('memory.guest_in_core') || machine.settings?.has('memory.wired')) {
    list.push('wired memory and dumps of it');
  }
  return list;
}
