import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** One request that has arrived, answered by hand. */
export interface PlayedExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Promise<string>;
  /** Settles once the client has gone before the answer was complete. */
  readonly aborted: Promise<void>;
}

/** A real HTTP server whose answers a spec plays by hand. */
export interface PlayedServer {
  readonly url: string;
  readonly server: Server;
  /** Connections opened so far. */
  readonly connections: number;
  /** The next request that arrives and has not been taken. */
  next(): Promise<PlayedExchange>;
  close(): Promise<void>;
}

export async function playedServer(): Promise<PlayedServer> {
  const arrived: PlayedExchange[] = [];
  const waiting: ((exchange: PlayedExchange) => void)[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((request, response) => {
    const exchange: PlayedExchange = {
      request,
      response,
      body: text(request),
      aborted: new Promise((resolve) => {
        response.on('close', () => {
          if (!response.writableFinished) resolve();
        });
      }),
    };
    const taker = waiting.shift();
    if (taker === undefined) arrived.push(exchange);
    else taker(exchange);
  });
  server.on('connection', (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    server,
    get connections() {
      return connections;
    },
    next: () =>
      new Promise((resolve) => {
        const exchange = arrived.shift();
        if (exchange === undefined) waiting.push(resolve);
        else resolve(exchange);
      }),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function text(request: IncomingMessage): Promise<string> {
  let body = '';
  request.setEncoding('utf8');
  try {
    for await (const piece of request) body += piece as string;
  } catch {
    // The client left while it was sending.
  }
  return body;
}
