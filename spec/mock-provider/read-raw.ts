import { connect } from 'node:net';

/** What a socket received, byte for byte, and how it ended. */
export interface RawAnswer {
  readonly head: string;
  readonly body: string;
  readonly end: 'closed' | 'reset';
}

/** Sends one request over a socket of its own and reads until the server ends it. */
export function readRaw(port: number, body: unknown): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const json = JSON.stringify(body);
    let text = '';
    const finish = (end: RawAnswer['end']) => {
      const [head = '', ...rest] = text.split('\r\n\r\n');
      resolve({ head, body: rest.join('\r\n\r\n'), end });
    };
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(
        `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n` +
          `Content-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`,
      );
    });
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('error', () => {});
    socket.on('close', (hadError) => finish(hadError ? 'reset' : 'closed'));
  });
}
