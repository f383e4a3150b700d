/** Dumps of other formats: recognised, so that the answer can name what was seen instead of nothing. */
import type { DumpLine } from './dumpText';

interface OtherFormat {
  readonly title: string;
  readonly pattern: RegExp;
}

/** Anchored at the line's start; every quantifier is bounded. */
export const OTHER_FORMATS: readonly OtherFormat[] = [
  { title: 'a KVM internal error', pattern: /^KVM internal error\. Suberror: / },
  { title: 'a KVM entry failure', pattern: /^KVM: entry failed, hardware error / },
  { title: 'a dump_vmcs block', pattern: /^\*{3} Guest State \*{3}/ },
  { title: 'a dump_vmcb block', pattern: /^VMCB Control Area:/ },
  { title: 'a bhyve VM exit', pattern: /^(?:vm exit\[\d{1,3}\]|reason\s{1,4}(?:VMX|SVM)$)/ },
  {
    title: 'a Propolis exit',
    pattern: /^(?:.{0,64})triple fault on vcpu/,
  },
  { title: 'a FreeBSD panic', pattern: /^Fatal trap \d{1,3}: / },
  {
    title: 'an OpenBSD or NetBSD trap',
    pattern: /^(?:trap type \d{1,3} code |uvm_fault\(|kernel: .{1,40} trap, code=)/,
  },
  {
    title: 'a vmm(4) or vmd message',
    pattern: /^(?:vcpu_run_(?:vmx|svm|loop): |(?:vmx|svm)_(?:handle|fault)_)/,
  },
  {
    title: 'a Firecracker or libkrun exit',
    pattern: /^.{0,200}Received KVM_EXIT_(?!SHUTDOWN)[A-Z_]{1,32} signal/,
  },
  { title: 'a Xen hypervisor crash', pattern: /^-{4}\[ Xen-/ },
  { title: 'an EDK2 exception dump', pattern: /^!{4} (?:X64|IA32) Exception Type - / },
];

/** Counts the lines of each format in passing. */
export class OtherFormatCounter {
  private readonly first = new Map<OtherFormat, DumpLine>();

  line(line: DumpLine): void {
    for (const format of OTHER_FORMATS) {
      if (!this.first.has(format) && format.pattern.test(line.text)) this.first.set(format, line);
    }
  }

  /** The formats seen, with the first line of each. */
  seen(): { readonly title: string; readonly line: DumpLine }[] {
    return [...this.first].map(([format, line]) => ({ title: format.title, line }));
  }
}
