/** The program of the language server: serves its parent process over the transport that the arguments name. */
import {
  createConnection,
  ProposedFeatures,
  type Message,
  type ResponseMessage,
} from 'vscode-languageserver/node';
import { startServer } from './server';

const REQUEST_CANCELLED = -32800;

// A request that was cancelled while it waited in the queue is answered without being worked on.
const connection = createConnection(ProposedFeatures.all, {
  cancelUndispatched: (message: Message): ResponseMessage | undefined =>
    'id' in message && (typeof message.id === 'number' || typeof message.id === 'string')
      ? { jsonrpc: '2.0', id: message.id, error: { code: REQUEST_CANCELLED, message: 'cancelled' } }
      : undefined,
});

process.on('unhandledRejection', (error) =>
  connection.console.error(`unhandled rejection: ${String(error)}`),
);

startServer(connection);
