import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { map, Observable, tap } from 'rxjs';
import { fetchTransport, type HttpResponse, type Transport } from '../../src/index.js';
import { nodeTransport } from '../../src/node/index.js';
import { endings } from './endings.js';
import { type LeakOptions, measureLeaks, violationsOf } from './leaks.js';

// Timers and signals are objects too. What the platform makes once, at an instant at which few are left, is made in the
// warm-up.
const few: LeakOptions = { turns: 60, warmUp: 60, atOnce: 5, kinds: ['objects'] };

jest.setTimeout(300_000);

it.each<[string, () => Transport]>([
  ['fetchTransport', () => fetchTransport()],
  ['nodeTransport', () => nodeTransport()],
])(
  'over %s no ending of a turn leaves a socket, a timer, a listener or an object behind',
  async (name, transport) => {
    const measurement = await measureLeaks(endings, { name, transport }, few);
    expect(violationsOf(measurement)).toEqual([]);
  },
);

describe('what is left of every turn is found:', () => {
  const kept: unknown[] = [];
  const timers: NodeJS.Timeout[] = [];
  const sockets: Socket[] = [];
  const opened = (message: unknown) => void sockets.push((message as { readonly socket: Socket }).socket);

  beforeEach(() => subscribe('net.client.socket', opened));

  afterEach(() => {
    unsubscribe('net.client.socket', opened);
    for (const timer of timers) clearTimeout(timer);
    for (const list of [kept, timers, sockets]) list.length = 0;
  });

  const doing = (work: () => unknown) => (): Transport => {
    const transport = nodeTransport();
    return (request) => transport(request).pipe(tap(() => void work()));
  };
  const neverAborted = ({ status, headers, body }: HttpResponse): HttpResponse => ({
    status,
    headers,
    body: new Observable((reader) => {
      body.subscribe({ next: (bytes) => reader.next(bytes), error: () => {} });
    }),
  });
  const leftOpen = (): Transport => {
    const transport = nodeTransport();
    return (request) => transport(request).pipe(map(neverAborted));
  };

  it.each<[string, string, () => Transport, RegExp, Partial<LeakOptions>]>([
    ['an object', 'a status error', doing(() => kept.push({})), /^\d+ objects more$/, {}],
    [
      'a timer that holds no process',
      'complete with [DONE]',
      doing(() => timers.push(setTimeout(() => {}, 1e6).unref())),
      /^\d+ objects more$/,
      {},
    ],
    [
      'a listener',
      'complete with [DONE]',
      doing(() =>
        sockets
          .filter(({ destroyed }) => !destroyed)
          .map((it) => it.setMaxListeners(0).on('error', () => {})),
      ),
      /^\d+ listeners on a connection$/,
      { kinds: [] },
    ],
    ['a connection', 'unsubscribed mid-stream', leftOpen, /^\d+ requests still answered$/, { kinds: [] }],
  ])('%s', async (name, ending, transport, violation, options) => {
    const measurement = await measureLeaks(
      endings.filter((one) => one.name === ending),
      { name, transport },
      { ...few, limit: 200, ...options },
    );
    expect(violationsOf(measurement)).toContainEqual(expect.stringMatching(violation));
  });
});
