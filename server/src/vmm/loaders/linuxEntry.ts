/** The last steps that Linux's 32-bit and 64-bit boot protocols share, for a bzImage and for a vmlinux. */
import type { LinuxImage } from '../../machine/image/linuxImage';
import type { ImageProblem } from '../../machine/image/problem';
import type { VcpuState } from '../../x86/state';
import type { DirectBoot } from '../model';
import { terminated } from './commandLine';
import { LINUX_GDT, linux32, linux64 } from './entryState';
import type { FreePages } from './freePages';
import { IDENTITY_TABLES_SIZE, identityTables } from './identityTables';
import { addMachine, parametersPage, placeInitrd } from './linuxParameters';
import type { LoadTarget } from './loader';

/** A kernel that is in memory. */
export interface LoadedLinux {
  /** Null for a vmlinux, which has no setup header. */
  readonly image: LinuxImage | null;
  readonly bits: 32 | 64;
  /** Physical addresses of the first instruction, and of the 32-bit entry. */
  readonly entry: bigint;
  readonly entry32: bigint;
  /** The last byte that an initrd may occupy. */
  readonly initrdMax: bigint;
}

/** Places initrd, command line, `boot_params`, the GDT and for 64 bits the page tables. */
export function startLinux(
  { image, bits, entry, entry32, initrdMax }: LoadedLinux,
  boot: DirectBoot,
  pages: FreePages,
  target: LoadTarget,
): VcpuState | ImageProblem {
  const initrd = placeInitrd(boot, pages, initrdMax, target);
  if (initrd && 'problem' in initrd) return initrd;
  const commandLine = pages.place(terminated(boot.commandLine));
  if (commandLine === null) return noRoom('the command line');
  const page = parametersPage(image, { commandLine, initrd, entry: entry32 });
  const wrong = addMachine(page, target);
  if (wrong) return wrong;
  const parameters = pages.place(page);
  const gdt = pages.place(new Uint8Array(BigUint64Array.from(LINUX_GDT[bits]).buffer));
  if (parameters === null || gdt === null) return noRoom('boot_params and the GDT');
  if (bits === 32) return linux32(entry, parameters, gdt);
  const tables = pages.low(IDENTITY_TABLES_SIZE);
  if (tables === null || !target.write(tables, identityTables(tables))) return noRoom('the page tables');
  return linux64(entry, parameters, gdt, tables);
}

function noRoom(what: string): ImageProblem {
  return { problem: `there is no RAM left for ${what}` };
}
