/** AgentX: an absolute socket path, a context that fits. */
import { at, byteLength, vmconfCheck } from './vmconfCheck';

/** sun_path of struct sockaddr_un on OpenBSD, with the terminating NUL. */
const SUN_PATH = 104;
/** vacmContextName, without the NUL. */
const CONTEXT = 32;

export const agentx = vmconfCheck(
  { code: 'vmconf-agentx', severity: 'error', title: 'An AgentX path or context that vmd refuses' },
  function* (config) {
    for (const statement of config.syntax.statements) {
      if (statement.kind !== 'agentx') continue;
      const path = statement.arguments.get('path');
      const context = statement.arguments.get('context');
      if (path?.kind === 'string' && !path.text.startsWith('/')) {
        yield {
          at: at(path),
          message: `The AgentX socket wants an absolute path: vmd refuses \`${path.text.slice(0, 80)}\`.`,
        };
      } else if (path?.kind === 'string' && byteLength(path.text) >= SUN_PATH) {
        yield {
          at: at(path),
          message: `This socket path has ${byteLength(path.text)} bytes: at most ${SUN_PATH - 1} fit a socket address.`,
        };
      }
      if (context?.kind === 'string' && byteLength(context.text) > CONTEXT) {
        yield {
          at: at(context),
          message: `This context has ${byteLength(context.text)} bytes: vmd takes at most ${CONTEXT}.`,
        };
      }
    }
  },
);
