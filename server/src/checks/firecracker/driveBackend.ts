/** A drive is a file or a vhost-user socket, since 1.6 (Block::new; the TryFrom of VirtioBlockConfig and VhostUserBlockConfig). */
import { firecrackerCheck } from './firecrackerCheck';

/** What a vhost-user drive must leave to its backend. */
const OF_FILES = ['is_read_only', 'rate_limiter', 'io_engine'] as const;

export const driveBackend = firecrackerCheck(
  { code: 'firecracker-drive-backend', severity: 'error', title: 'A drive with two backends, or none' },
  function* (rules) {
    if (!rules.has({ since: '1.6' })) return;
    for (const drive of rules.devices('drives')) {
      const path = rules.present(drive, 'path_on_host');
      const socket = rules.present(drive, 'socket');
      const refused = 'Firecracker refuses the config (InvalidBlockConfig)';
      if (!path && !socket) {
        yield {
          at: rules.at({ start: drive.start, end: drive.start + 1 }),
          message: `The drive has neither \`path_on_host\` nor \`socket\`: ${refused}.`,
        };
      } else if (path && socket) {
        yield {
          at: rules.at(socket.key),
          message: `The drive has a \`socket\` and a \`path_on_host\`, and can be a vhost-user backend or a file: ${refused}.`,
          related: [rules.related(path.key, 'The file is here')],
        };
      } else if (socket) {
        for (const key of OF_FILES) {
          const option = rules.present(drive, key);
          if (!option) continue;
          yield {
            at: rules.at(option.key),
            message: `\`${key}\` belongs to drives that are files, and this one is a vhost-user socket, whose backend decides: ${refused}, also where the value is the default.`,
            related: [rules.related(socket.key, 'The socket is here')],
          };
        }
      }
    }
  },
);
