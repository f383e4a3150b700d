/** The parts of a Firecracker config that the guest sees little of: logger, metrics and the metadata service. */
import { BOOLEAN, listOf, STRING } from '../../text/shape/rustTypes';
import type { InVersion, ObjectShape, Shape } from '../../text/shape/shape';

/** In any case of letters; in 1.5 as they stand here or in capitals. `Off`, `Trace` and `Warn` came with 1.5. */
function logLevel(has: InVersion): Shape {
  if (has({ until: '1.4' })) {
    return {
      kind: 'string',
      pattern: /^(?:error|warning|info|debug)$/i,
      expected: 'Error, Warning, Info or Debug',
    };
  }
  return {
    kind: 'string',
    pattern: /^(?:off|trace|debug|info|warn|warning|error)$/i,
    expected: 'Off, Trace, Debug, Info, Warn (or Warning) or Error',
  };
}

/** Up to 1.4 the path had to be there and nothing could be null. */
export function logger(has: InVersion): ObjectShape {
  const source = 'logger/logging.rs, LoggerConfig';
  const nullable = has({ since: '1.5' });
  return {
    kind: 'object',
    others: 'refused',
    members: {
      log_path: {
        shape: STRING,
        text: 'The file or named pipe for the log; without it the log goes to the standard output.',
        required: !nullable,
        nullable,
        formerly: ['log_fifo'],
        source,
      },
      level: {
        shape: logLevel(has),
        text: 'What is logged: `Off`, `Error`, `Warn`, `Info`, `Debug` or `Trace`, in any case of letters. `Warning` is an older name.',
        nullable,
        example: '"Info"',
        source,
      },
      show_level: { shape: BOOLEAN, text: 'Each line says its level.', nullable, default: 'false', source },
      show_log_origin: {
        shape: BOOLEAN,
        text: 'Each line says its source file and line.',
        nullable,
        default: 'false',
        source,
      },
      module: {
        shape: STRING,
        text: 'Only lines from modules whose path begins so.',
        nullable: true,
        since: '1.6',
        source,
      },
    },
  };
}

/** This struct lets unknown keys pass. */
export function metrics(): ObjectShape {
  const source = 'vmm_config/metrics.rs, MetricsConfig';
  return {
    kind: 'object',
    others: 'ignored',
    members: {
      metrics_path: {
        shape: STRING,
        text: 'The file or named pipe for metrics.',
        required: true,
        formerly: ['metrics_fifo'],
        source,
      },
      emit_id: {
        shape: BOOLEAN,
        text: 'Each line has the microVM’s instance ID.',
        default: 'false',
        since: 'main-2026-08',
        source,
      },
      properties: {
        shape: { kind: 'names', of: STRING, what: 'a property' },
        text: 'Names and values that each line has.',
        nullable: true,
        since: 'main-2026-08',
        source,
      },
    },
  };
}

export function mmdsConfig(): ObjectShape {
  const source = 'vmm_config/mmds.rs, MmdsConfig';
  return {
    kind: 'object',
    others: 'refused',
    members: {
      network_interfaces: {
        shape: listOf(STRING),
        text: '`iface_id` of each interface from which the metadata service is reached.',
        required: true,
        example: '["eth0"]',
        source,
      },
      version: {
        shape: {
          kind: 'string',
          values: [
            { value: 'V1', text: 'Requests without a session. Deprecated since 1.1.' },
            { value: 'V2', text: 'Requests with a session token.' },
          ],
        },
        text: 'Which protocol the guest speaks.',
        default: '"V1"',
        source,
      },
      ipv4_address: {
        shape: {
          kind: 'string',
          pattern: /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)$/,
          expected: 'an IPv4 address, as 169.254.169.254',
        },
        text: 'Where the guest finds the service: from 169.254.1.0 to 169.254.254.255.',
        nullable: true,
        default: '"169.254.169.254"',
        source,
      },
      imds_compat: {
        shape: BOOLEAN,
        text: 'Answers in the format of EC2’s IMDS.',
        default: 'false',
        since: '1.13',
        source,
      },
    },
  };
}
