import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { queryObjects } from 'node:v8';
import type { ModelProvider, Transport } from '../../src/index.js';
import { type MockProvider, startMockProvider } from '../../src/mock-provider/index.js';
import { collectGarbage } from '../support/heap.js';
import { type Ending, inOrder, tick } from './endings.js';

/** What a transport is measured as. */
export interface LeakSubject {
  readonly name: string;
  readonly transport: () => Transport;
  readonly prepare?: () => () => void;
}

/** What there is of the process when no turn is under way. */
interface Census {
  /** Objects and functions of any kind that can be reached. */
  readonly objects: number;
  /** Timers among them, also those that keep no process alive. */
  readonly timers: number;
  readonly abortSignals: number;
  /** Bytes of the heap that can be reached. */
  readonly heap: number;
}

const kinds = ['objects', 'timers', 'abortSignals'] as const;
export type Kind = (typeof kinds)[number];

/** What stays of the network, the most of every time that it was looked at. */
interface Rest {
  /** Requests that the provider was still answering. */
  readonly openAnswers: number;
  /** Connections that were kept for the next turn. They are closed, and then these are left: */
  readonly idleConnections: number;
  readonly clientSockets: number;
  readonly providerSockets: number;
  /** The most listeners that a kept connection had, on either side. */
  readonly listeners: number;
}

const nothing: Rest = {
  openAnswers: 0,
  idleConnections: 0,
  clientSockets: 0,
  providerSockets: 0,
  listeners: 0,
};

export interface Measurement {
  readonly turns: number;
  readonly atOnce: number;
  /** What a turn ended with that should have ended otherwise. */
  readonly wrong: readonly string[];
  /** Warnings of the process, such as that of too many listeners. */
  readonly warnings: readonly string[];
  readonly rest: Rest;
  /** The listeners of a connection that one turn has used: the platform's own. */
  readonly platformListeners: number;
  readonly before: Census;
  /** After one half of the turns: bytes of the heap. */
  readonly halfway: number;
  readonly after: Census;
}

export interface LeakOptions {
  /** Turns of each ending that are counted. */
  readonly turns: number;
  /** Turns of each before that: what the platform and the compiler keep is there afterwards. */
  readonly warmUp: number;
  readonly atOnce: number;
  /** What is counted; each takes a walk through the whole heap. Default: everything. */
  readonly kinds?: readonly Kind[];
  /** How long anything may take to go away, in milliseconds. Reached only by what does not. Default 10,000. */
  readonly limit?: number;
}

/** The listeners that a connection of Node's fetch has when it was used and is kept. */
const ownListeners = 12;

/** Runs turns that end in these ways, over one transport, and counts what is left of them. */
export async function measureLeaks(
  endings: readonly Ending[],
  subject: LeakSubject,
  { turns, warmUp, atOnce, kinds: counted = kinds, limit = 10_000 }: LeakOptions,
): Promise<Measurement> {
  const restore = subject.prepare?.() ?? (() => {});
  const sockets = watchSockets();
  const warnings = new Set<string>();
  const warned = ({ name, message }: Error) => {
    if (name !== 'ExperimentalWarning') warnings.add(`${name}: ${message}`);
  };
  process.on('warning', warned);
  const random = randomNumbers();
  let answer: Ending['answer'] = () => ({});
  const mock = await startMockProvider({ pace: 0, answers: () => answer(random) });
  const provider: ModelProvider = { name: 'p', baseUrl: mock.baseUrl, apiKey: 'sk-leak' };
  const transport = subject.transport();
  const wrong = new Set<string>();
  let rest = nothing;

  const runEnding = async (ending: Ending, count: number, most = atOnce) => {
    ({ answer } = ending);
    const options = { model: 'm', provider, transport, retry: { maxRetries: 1, initialDelay: 1 } };
    const given = { options: { ...options, ...ending.options }, random };
    let begun = 0;
    const next = async () => {
      while (begun < count) {
        begun += 1;
        const outcome = await ending.turn(given);
        if (outcome !== ending.outcome) wrong.add(`${ending.name}: ${outcome}`);
      }
    };
    await Promise.all(Array.from({ length: Math.min(most, count) }, next));
    rest = mostOf(rest, await settle(mock, sockets, limit));
  };
  // In portions as large as the warm-up: Node's fetch keeps what belongs to aborted requests until others
  // follow after a rest, so that as much of it is there before as after.
  const portion = Math.max(warmUp, atOnce);
  const run = async (count: number) => {
    for (const ending of endings) {
      for (let left = count; left > 0; left -= portion) await runEnding(ending, Math.min(portion, left));
    }
  };

  try {
    // Node's fetch keeps an entry for each connection that it ever had at once.
    await runEnding({ ...inOrder, answer: () => ({ delay: 50 }) }, 8 * atOnce, 8 * atOnce);
    rest = nothing;
    await run(atOnce);
    // Turns that are aborted may leave no connection that was used to look at.
    const platformListeners = Math.max(rest.listeners, ownListeners);
    await run(warmUp);
    const before = await takeCensus(counted);
    await run(Math.floor(turns / 2));
    const { heap: halfway } = await takeCensus([]);
    await run(Math.ceil(turns / 2));
    const end = Date.now() + limit;
    let after = await takeCensus(counted);
    while (grownOf({ turns, before, after }).length > 0 && Date.now() < end)
      after = await takeCensus(counted);
    return {
      turns,
      atOnce,
      wrong: [...wrong],
      warnings: [...warnings],
      rest,
      platformListeners,
      before,
      halfway,
      after,
    };
  } finally {
    await mock.close();
    process.off('warning', warned);
    sockets.end();
    restore();
  }
}

/**
 * What should not have been found. More than one thing kept for every two turns is a leak; what the
 * platform itself comes to keep once in a while is far less.
 */
export function violationsOf(measurement: Measurement): readonly string[] {
  const { atOnce, wrong, warnings, rest, platformListeners } = measurement;
  const grown = grownOf(measurement).map(({ kind, more }) => `${more} ${kind} more`);
  const found: readonly [boolean, string][] = [
    [rest.openAnswers > 0, `${rest.openAnswers} requests still answered`],
    [rest.clientSockets > 0, `${rest.clientSockets} sockets of the client`],
    [rest.providerSockets > 0, `${rest.providerSockets} sockets of the provider`],
    // Global fetch opens the connection that takes an aborted one's place before anybody needs it.
    [rest.idleConnections > 3 * atOnce, `${rest.idleConnections} connections kept`],
    [rest.listeners > platformListeners + 3, `${rest.listeners} listeners on a connection`],
  ];
  return [...wrong, ...warnings, ...grown, ...found.filter(([isSo]) => isSo).map(([, what]) => what)];
}

function grownOf({ turns, before, after }: Pick<Measurement, 'turns' | 'before' | 'after'>) {
  return kinds
    .map((kind) => ({ kind, more: after[kind] - before[kind] }))
    .filter(({ more }) => more > turns / 2);
}

function mostOf(one: Rest, other: Rest): Rest {
  return {
    openAnswers: Math.max(one.openAnswers, other.openAnswers),
    idleConnections: Math.max(one.idleConnections, other.idleConnections),
    clientSockets: Math.max(one.clientSockets, other.clientSockets),
    providerSockets: Math.max(one.providerSockets, other.providerSockets),
    listeners: Math.max(one.listeners, other.listeners),
  };
}

async function until(isSo: () => boolean, limit: number): Promise<void> {
  const end = Date.now() + limit;
  while (!isSo() && Date.now() < end) await tick();
}

/** Waits until nothing is under way, and closes what is kept for a next turn. */
async function settle(mock: MockProvider, sockets: Sockets, limit: number): Promise<Rest> {
  await until(() => mock.openAnswers === 0, limit);
  const { openAnswers, openConnections: idleConnections } = mock;
  const listeners = Math.max(0, ...[...sockets.client, ...sockets.provider].map(listenersOf));
  await until(() => {
    // Global fetch may open one more.
    for (const socket of sockets.provider) socket.destroy();
    return sockets.client.size + sockets.provider.size === 0;
  }, limit);
  // To remember its requests is what they are for.
  (mock.requests as unknown[]).length = 0;
  return {
    openAnswers,
    idleConnections,
    clientSockets: sockets.client.size,
    providerSockets: sockets.provider.size,
    listeners,
  };
}

/** Node's fetch lets go of the timers that were cleared every half second; so much later it has. */
const sweep = 1_100;

async function takeCensus(counted: readonly Kind[]): Promise<Census> {
  await new Promise((resolve) => setTimeout(resolve, sweep));
  // What is finalized in one round is collected in the next.
  for (let round = 0; round < 3; round += 1) {
    collectGarbage();
    await tick();
  }
  const count = (kind: Kind) =>
    counted.includes(kind)
      ? constructors[kind].reduce((sum, one) => sum + queryObjects(one, { format: 'count' }), 0)
      : 0;
  return {
    objects: count('objects'),
    timers: count('timers'),
    abortSignals: count('abortSignals'),
    heap: process.memoryUsage().heapUsed,
  };
}

const listenersOf = (socket: Socket): number =>
  socket.eventNames().reduce((sum, name) => sum + socket.listenerCount(name), 0);

const timer = setTimeout(() => {}, 0);
clearTimeout(timer);

const constructors: Readonly<Record<Kind, readonly ObjectConstructor['constructor'][]>> = {
  // Where every object comes from; a test runner has a second one.
  objects: [...new Set([Object, rootOf(AbortSignal.prototype)])],
  timers: [timer.constructor],
  abortSignals: [AbortSignal],
};

function rootOf(object: object): ObjectConstructor['constructor'] {
  const parent = Object.getPrototypeOf(object) as object | null;
  return parent === null ? object.constructor : rootOf(parent);
}

interface Sockets {
  readonly client: ReadonlySet<Socket>;
  readonly provider: ReadonlySet<Socket>;
  end(): void;
}

/** The connections of this process that are open. */
function watchSockets(): Sockets {
  const watch = (channel: string) => {
    const open = new Set<Socket>();
    const opened = (message: unknown) => {
      const { socket } = message as { readonly socket: Socket };
      open.add(socket);
      socket.once('close', () => open.delete(socket));
    };
    subscribe(channel, opened);
    return { open, end: () => unsubscribe(channel, opened) };
  };
  const client = watch('net.client.socket');
  const provider = watch('net.server.socket');
  return {
    client: client.open,
    provider: provider.open,
    end() {
      client.end();
      provider.end();
    },
  };
}

/** The same numbers in every run (mulberry32). */
function randomNumbers(): () => number {
  let state = 0x5eed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
