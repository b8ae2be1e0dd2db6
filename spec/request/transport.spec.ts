import type { ServerResponse } from 'node:http';
import { Observable, of, take, tap } from 'rxjs';
import { fetchTransport, StreamError, type Transport } from '../../src/index.js';
import { nodeTransport } from '../../src/node/index.js';
import { connectionOf } from '../../src/testing/answer.js';
import { handOver, type HttpResponse } from '../../src/request/transport.js';
import { marbleTransport, scriptedTransport } from '../../src/testing/index.js';
import { record } from '../conformance/record-events.js';
import { inMemory, inMemorySubject } from '../support/in-memory.js';
import { playedServer } from '../support/played-server.js';
import { withoutGlobalFetch } from '../support/without-global-fetch.js';
import {
  type ContractSubject,
  describeNetworkContract,
  describeTransportContract,
  type Peer,
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
  const transport = scriptedTransport(...lines.map(({ answer }) => answer));
  return Promise.resolve(inMemorySubject(transport, lines, () => transport.aborted));
});

/** `marbleTransport` with its marbles played by hand: what is drawn is a `Subject`. */
describeTransportContract('marbleTransport', () => {
  const lines = [inMemory(), inMemory()];
  const drawn = lines.flatMap(({ headers, body }) => [headers, body]);
  const cold = () => drawn.shift() as never;
  const transport = marbleTransport(
    { cold },
    lines.map(({ answer }) => ({
      get status() {
        return answer.status ?? 200;
      },
    })),
  );
  return Promise.resolve(inMemorySubject(transport, lines, () => transport.aborted));
});

describe('handOver', () => {
  const readTwice = new StreamError({ message: 'A response body can be read only once.' });

  function handedOver(take?: (response: HttpResponse) => void) {
    const abort = jest.fn();
    const bytes = of(new Uint8Array([1]), new Uint8Array([2]));
    const headers = new Headers();
    let response: HttpResponse | undefined;
    const ended = record(
      new Observable<HttpResponse>((subscriber) => {
        handOver(subscriber, { status: 200, headers, ...connectionOf(bytes, abort) });
      }).pipe(
        tap((handed) => {
          response = handed;
          take?.(handed);
        }),
      ),
    );
    return { abort, ended, response: response! };
  }

  it('gives the body to the first who takes it, and an error to the second', () => {
    const reads: unknown[] = [];
    const { abort, ended } = handedOver(({ body }) => reads.push(record(body), record(body)));
    expect(ended).toMatchObject({ error: undefined, ended: 1 });
    expect(reads).toEqual([
      { events: [new Uint8Array([1]), new Uint8Array([2])], error: undefined, ended: 1 },
      { events: [], error: readTwice, ended: 1 },
    ]);
    expect(abort).not.toHaveBeenCalled();
  });

  it('aborts a body that is left before its end, once', () => {
    const { abort } = handedOver(({ body }) => body.pipe(take(1)).subscribe());
    expect(abort).toHaveBeenCalledTimes(1);
  });

  it('gives nothing of a body that nobody took in time', () => {
    const { abort, response } = handedOver();
    expect(abort).toHaveBeenCalledTimes(1);
    expect(record(response.body)).toEqual({ events: [], error: readTwice, ended: 1 });
    expect(abort).toHaveBeenCalledTimes(1);
  });
});
