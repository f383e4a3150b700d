/** Whether a text is a C or C++ source that sets up a guest of libkrun. */
import { looksBinary } from '../../../text/binary';
import { krunCalls } from './scan';

/** As much as is looked at, in UTF-16 units. */
const LOOKED_AT = 64 * 1024;
/** What C has and the other languages with bindings have not. */
const DIRECTIVE = /^[ \t]*#[ \t]*(?:include|define|ifdef|ifndef|if)\b/m;
const ENDING = /\.(?:c|h|cc|cpp|cxx|hpp)$/i;

/** A text that only declares the functions, as libkrun.h does, is none. */
export function recogniseLibkrunC(text: string, path: string): boolean {
  const head = text.slice(0, LOOKED_AT);
  if (!head.includes('krun_set_vm_config') || looksBinary(head)) return false;
  if (!DIRECTIVE.test(head) && !ENDING.test(path)) return false;
  return krunCalls(head).some(({ name }) => name === 'krun_set_vm_config');
}
