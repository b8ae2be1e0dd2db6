import type { ServerResponse } from 'node:http';
import { Subject } from 'rxjs';
import { fetchTransport, type Transport } from '../../src/index.js';
import { nodeTransport } from '../../src/node/index.js';
import { marbleTransport, scriptedTransport } from '../../src/testing/index.js';
import { playedServer } from '../support/played-server.js';
import { withoutGlobalFetch } from '../support/without-global-fetch.js';
import {
  type ContractSubject,
  describeNetworkContract,
  describeTransportContract,
  type Peer,
  tick,
} from './transport-contract.js';

function played(response: ServerResponse): Omit<Peer, 'aborted'> {
  return {
    headers: (status = 200) => {
      response.writeHead(status, { 'content-type': 'text/event-stream', location: '/elsewhere' });
      response.flushHeaders();
    },
    write: (text) => response.write(text),
    end: () => response.end(),
    cut: () => response.socket?.destroy(),
  };
}

/** A transport over sockets, against a server that is played by hand. */
async function overSockets(transport: Transport = fetchTransport()): Promise<ContractSubject> {
  const server = await playedServer();
  const dead = await playedServer();
  await dead.close();
  let aborted = 0;
  return {
    transport,
    url: server.url,
    deadUrl: dead.url,
    arrival: async () => {
      const exchange = await server.next();
      void exchange.aborted.then(() => (aborted += 1));
      return { ...played(exchange.response), aborted: exchange.aborted };
    },
    abortedCount: () => aborted,
    close: () => server.close(),
  };
}

/** A connection in memory, for the transports that have no network. */
function inMemory() {
  const headers = new Subject<string>();
  const body = new Subject<string>();
  let status = 200;
  const peer: Omit<Peer, 'aborted'> = {
    headers: (given = 200) => {
      status = given;
      headers.next('r');
    },
    write: (text) => body.next(text),
    end: () => body.complete(),
    cut: () => body.error(new Error('cut')),
  };
  return { headers, body, peer, status: () => status };
}

function inMemorySubject(
  transport: Transport,
  lines: readonly ReturnType<typeof inMemory>[],
  abortedCount: () => number,
): ContractSubject {
  let next = 0;
  let open = true;
  return {
    transport,
    url: 'http://in.memory',
    deadUrl: 'http://in.memory',
    arrival: () => {
      const line = lines[next];
      next += 1;
      if (line === undefined) throw new Error('no more answers');
      const aborted = (async () => {
        while (open && abortedCount() === 0) await tick();
      })();
      return Promise.resolve({ ...line.peer, aborted });
    },
    abortedCount,
    close: () => {
      open = false;
      return Promise.resolve();
    },
  };
}

describeTransportContract('fetchTransport over the platform’s fetch', () => overSockets());
describeNetworkContract('fetchTransport over the platform’s fetch', () => overSockets());

describeTransportContract('nodeTransport', () => overSockets(nodeTransport()));
describeNetworkContract('nodeTransport', () => overSockets(nodeTransport()));

async function overCrossFetch(): Promise<ContractSubject> {
  const restore = withoutGlobalFetch();
  const subject = await overSockets();
  return {
    ...subject,
    close: async () => {
      restore();
      await subject.close();
    },
  };
}

describeTransportContract('fetchTransport over cross-fetch', overCrossFetch);
describeNetworkContract('fetchTransport over cross-fetch', overCrossFetch);

describeTransportContract('scriptedTransport', () => {
  const lines = [inMemory(), inMemory()];
  const transport = scriptedTransport(
    ...lines.map(({ headers, body, status }) => ({
      after: headers,
      body,
      get status() {
        return status();
      },
    })),
  );
  return Promise.resolve(inMemorySubject(transport, lines, () => transport.aborted));
});

/** `marbleTransport` with its marbles played by hand: what is drawn is a `Subject`. */
describeTransportContract('marbleTransport', () => {
  const lines = [inMemory(), inMemory()];
  const drawn = lines.flatMap(({ headers, body }) => [headers, body]);
  const cold = () => drawn.shift() as never;
  const transport = marbleTransport(
    { cold },
    lines.map(({ status }) => ({
      get status() {
        return status();
      },
    })),
  );
  return Promise.resolve(inMemorySubject(transport, lines, () => transport.aborted));
});
