import { nodeTransport } from '../../src/node/index.js';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { config, finalize, Observable, type Subscription, VirtualTimeScheduler } from 'rxjs';
import { pull, type PullOptions } from '../../src/flow/pull.js';
import {
  ChatCompletionsError,
  type ChatOptions,
  Demand,
  type Diagnostic,
  fetchTransport,
  isTextDelta,
  type ResponseEvent,
  streamChatCompletions,
  type Transport,
} from '../../src/index.js';
import {
  type MockAnswer,
  type MockProvider,
  startMockProvider,
  type WirePiece,
} from '../../src/mock-provider/index.js';
import { withoutGlobalFetch } from '../support/without-global-fetch.js';
import {
  callArguments,
  type Fault,
  faults,
  faultyAnswer,
  maxEventSize,
  type Stage,
  stages,
  taint,
  texts,
  textsBefore,
  type WrongAnswer,
  wrongAnswers,
} from './faults.js';
import { leaksOf } from './taint.js';

export interface Subject {
  readonly name: string;
  readonly transport: () => Transport;
  /** Makes the platform what this transport is for; the returned function undoes it. */
  readonly prepare?: () => () => void;
  /** Whether it waits on where a body ends short of its Content-Length. */
  readonly waitsOn?: boolean;
}

/** A transport that is added here is put through everything. */
export const subjects: readonly Subject[] = [
  { name: 'global fetch', transport: () => fetchTransport() },
  { name: 'cross-fetch', transport: () => fetchTransport(), prepare: withoutGlobalFetch, waitsOn: true },
  { name: 'nodeTransport', transport: () => nodeTransport() },
];

/** What the consumer does when the fault strikes: stays, or leaves just before or just after it. */
export const consumers = ['stays', 'leaves before', 'leaves after'] as const;
export type Consumer = (typeof consumers)[number];

/** A fault at a stage, or an answer that is wrong as a whole. */
export type Case = { readonly fault: Fault; readonly stage: Stage } | { readonly wrong: WrongAnswer };

export const cases: readonly Case[] = [
  ...faults.flatMap((fault) =>
    stages.filter((stage) => fault.stages.includes(stage)).map((stage) => ({ fault, stage })),
  ),
  ...wrongAnswers.map((wrong) => ({ wrong })),
];

export const nameOf = (given: Case): string =>
  'fault' in given ? `${given.fault.name}, at ${given.stage}` : given.wrong.name;

/** What became of one turn. */
export interface Run {
  /** `completed`, `completed without a finish reason`, `left`, or the name of the error. */
  readonly outcome: string;
  readonly requests: number;
  /** What should never be. */
  readonly violations: readonly string[];
}

/** How long anything may take before it counts as a hang, in milliseconds. Reached only by a defect. */
const defaultLimit = 10_000;

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Virtual time in which one timer at a time runs out. */
class Timers extends VirtualTimeScheduler {
  get pending(): number {
    return this.actions.length;
  }

  next(): void {
    const [action] = this.actions;
    if (action === undefined) return;
    this.maxFrames = action.delay;
    this.flush();
  }
}

/** Runs one turn against one fault, over one transport, and looks at what is left behind. */
export async function run(
  given: Case,
  subject: Subject,
  consumer: Consumer,
  limit = defaultLimit,
): Promise<Run> {
  const restore = subject.prepare?.() ?? (() => {});
  const peer = await startPeer(given);
  try {
    return await runAgainst(peer, given, subject, consumer, limit);
  } finally {
    await peer.close();
    restore();
  }
}

async function runAgainst(
  peer: Peer,
  given: Case,
  subject: Subject,
  consumer: Consumer,
  limit: number,
): Promise<Run> {
  const violations: string[] = [];
  const timers = new Timers();
  const diagnostics: Diagnostic[] = [];
  const events: ResponseEvent[] = [];
  const unseen = watchUnseen();
  // Of its own, so that no other limit runs out in its place.
  const stallTimers = new Timers();
  const stall = { stallTimeout: 1_000, scheduler: stallTimers };
  const demand = new Demand(stall);
  const turn = (
    scheduler: VirtualTimeScheduler,
    listener: (diagnostic: Diagnostic) => void,
    more: Partial<ChatOptions> = {},
  ) =>
    streamChatCompletions(taint.prompt, {
      ...more,
      model: 'm',
      provider: { name: 'p', baseUrl: peer.baseUrl, apiKey: taint.key },
      transport: subject.transport(),
      scheduler,
      responseTimeout: 1_000,
      idleTimeout: 1_000,
      maxEventSize,
      retry: { maxRetries: 1 },
      includeRetries: true,
      diagnostics: listener,
    });
  const delivered = () => textsOf(events);
  const faulty: Partial<Fault> = 'fault' in given ? given.fault : given.wrong;
  const isEndless = faulty.isEndless === true;
  const isSilent = faulty.isSilent === true || (faulty.isShort === true && subject.waitsOn === true);
  const hasStalled = () =>
    'fault' in given &&
    given.fault.stalls !== undefined &&
    delivered().length > textsBefore(given.stage).length;
  const isAtFault = () => {
    if ('wrong' in given || delivered().length < textsBefore(given.stage).length) return false;
    if (given.stage === 'after [DONE]') return isOver();
    return (
      ['connect', 'headers'].includes(given.stage) || diagnostics.some(({ type }) => type === 'response')
    );
  };

  let subscription: Subscription | undefined;
  const terminals: string[] = [];
  let hasLeft = false;
  let hold: Subscription | undefined;
  let error: unknown;
  const isOver = () => terminals.length > 0 || hasLeft;
  const leave = () => {
    if (terminals.length > 0) return;
    hasLeft = true;
    subscription?.unsubscribe();
  };

  await within(limit, 'the turn', violations, async (isWorthWaiting) => {
    peer.onStrike(async () => {
      if (consumer === 'leaves before') leave();
      if (consumer === 'leaves after') setImmediate(leave);
      // Whoever leaves does so while the bytes are on their way; whoever stays has them all.
      while (consumer === 'stays' && !isOver() && !isAtFault() && isWorthWaiting()) await tick();
    });
    let enough = 0;
    const consume = () => {
      enough += 1;
      if (isEndless && enough > 60) leave();
    };
    const listener = (diagnostic: Diagnostic) => {
      diagnostics.push(diagnostic);
      if (diagnostic.type === 'retry') setImmediate(() => timers.next());
      if (diagnostic.type === 'malformed') consume();
      if (diagnostic.type === 'response' && isSilent && 'wrong' in given) {
        // Where the error answer's body is read, only the clock ends that.
        setImmediate(() => {
          if (diagnostics.at(-1) === diagnostic) timers.next();
        });
      }
    };
    const source = turn(timers, listener, { demand });
    const consumed = faulty.stalls === 'iterator' ? pulled(source, { ...stall, demand }, hasStalled) : source;
    subscription = consumed.subscribe({
      next: (event) => {
        if (hasLeft) violations.push('an event after the consumer had left');
        if (terminals.length > 0) violations.push('an event after the end');
        events.push(event);
        consume();
        if (faulty.stalls === 'demand' && hasStalled()) hold ??= demand.hold();
      },
      error: (reason: unknown) => {
        error = reason;
        terminals.push(reason instanceof Error ? reason.name : String(reason));
        if (hasLeft) violations.push('an error after the consumer had left');
      },
      complete: () => {
        terminals.push(outcomeOf(events));
        if (hasLeft) violations.push('a completion after the consumer had left');
      },
    });
    while (!isOver() && isWorthWaiting()) {
      await tick();
      if (isSilent && consumer === 'stays' && peer.hasStruck() && isAtFault()) timers.next();
      if (consumer === 'stays' && hasStalled()) stallTimers.next();
    }
    // What goes on after `[DONE]` is given its grace.
    if (isSilent || isEndless || faulty.stalls !== undefined) while (timers.pending > 0) timers.next();
  });
  await within(limit, 'its connection', violations, () => peer.whenIdle());
  await within(limit, 'its timers', violations, async (isWorthWaiting) => {
    while (timers.pending + stallTimers.pending > 0 && isWorthWaiting()) await tick();
  });
  await tick();
  await tick();

  if (terminals.length > 1) violations.push(`${terminals.length} endings`);
  for (const what of unseen.end(subscription)) violations.push(what);
  if (error !== undefined && !(error instanceof ChatCompletionsError))
    violations.push('an error that is none of the library’s');
  for (const value of [error, ...diagnostics, ...events.filter(({ type }) => type === 'retrying')])
    violations.push(...leaksOf(value, taint));
  const [outcome = 'left'] = terminals;
  if (!areRightTexts(given, outcome, delivered())) violations.push('other texts than those that had arrived');
  if (!areRightCalls(given, outcome, events)) violations.push('another call than the whole one');
  const { requests } = peer;

  // Nothing may be left on a connection that is used again.
  await within(limit, 'the next turn', violations, async () => {
    peer.heal();
    const next: ResponseEvent[] = [];
    await turn(new Timers(), () => {}).forEach((event) => void next.push(event));
    if (textsOf(next).join('') !== texts.join('')) violations.push('the next turn had other texts');
    await peer.whenIdle();
  });
  // Global fetch opens the connection that takes an aborted one's place before anybody needs it.
  if (peer.openConnections > requests + 1) violations.push(`${peer.openConnections} connections left open`);
  return { outcome, requests, violations: [...new Set(violations)] };
}

/** A turn, pulled by somebody who asks for nothing more once that is so, and again when the turn has been left. */
function pulled(
  source: Observable<ResponseEvent>,
  options: PullOptions,
  hasStalled: () => boolean,
): Observable<ResponseEvent> {
  return new Observable((reader) => {
    let wasLeft = false;
    const iterator = pull(source.pipe(finalize(() => (wasLeft = true))), options);
    const pullAll = async () => {
      while (!reader.closed) {
        while (hasStalled() && !wasLeft) await tick();
        const { done, value } = await iterator.next();
        if (reader.closed) return;
        if (done) reader.complete();
        else reader.next(value);
      }
    };
    pullAll().catch((error: unknown) => reader.error(error));
    return () => void iterator.return();
  });
}

function outcomeOf(events: readonly ResponseEvent[]): string {
  const last = events.at(-1);
  if (last?.type !== 'completed') return 'completed without its event';
  const cut = last.incompleteCalls === undefined ? '' : ', a call cut';
  return `${last.finishReason === null ? 'completed without a finish reason' : 'completed'}${cut}`;
}

/** Whether the call came out once where it had arrived whole, and never else. */
function areRightCalls(given: Case, outcome: string, events: readonly ResponseEvent[]): boolean {
  if ('wrong' in given || !given.fault.hasCall) return true;
  const calls = events.flatMap((event) =>
    event.type === 'output_item_done' && event.item.type === 'function_call' ? [event.item.arguments] : [],
  );
  const whole = textsBefore(given.stage).length === texts.length && outcome === 'completed' ? 1 : 0;
  return calls.every((text) => text === callArguments) && (outcome === 'left' || calls.length === whole);
}

/** The texts of choice 0. */
function textsOf(events: readonly ResponseEvent[]): readonly string[] {
  return events
    .filter(isTextDelta)
    .filter(({ choice }) => choice === undefined)
    .map(({ item }) => item.content[0].text);
}

/** Whether what was delivered is what had arrived: nothing of it lost, nothing made up. */
function areRightTexts(given: Case, outcome: string, delivered: readonly string[]): boolean {
  const text = delivered.join('');
  if ('wrong' in given)
    return outcome === 'completed' ? text === texts.join('') : texts.join('').startsWith(text);
  const { fault, stage } = given;
  const before = textsBefore(stage);
  if (outcome === 'left' || fault.stalls !== undefined) {
    const possible = [...before, ...texts.slice(before.length)];
    if (outcome !== 'left' && delivered.length < before.length) return false;
    return delivered.every((one, at) => one === possible[at] || one === fault.adds || one === taint.answer);
  }
  if (outcome !== 'completed') return text === before.join('');
  const after = texts.slice(before.length + (fault.spoils && stage.startsWith('mid-') ? 1 : 0));
  const added = fault.adds !== undefined && stage !== 'after [DONE]' ? [fault.adds] : [];
  return text === [...before, ...added, ...after].join('');
}

async function within(
  limit: number,
  what: string,
  violations: string[],
  work: (isWorthWaiting: () => boolean) => Promise<void>,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const expiry = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      isOver = true;
      violations.push(`${what} hangs`);
      resolve();
    }, limit);
  });
  try {
    await Promise.race([work(() => !isOver), expiry]);
  } catch (error) {
    violations.push(`${what} failed: ${String(error)}`);
  } finally {
    clearTimeout(timer);
  }
}

/** What a subscriber is not told: RxJS drops it, or nobody was there to catch it. */
function watchUnseen() {
  const dropped: unknown[] = [];
  const violations: string[] = [];
  const { onStoppedNotification, onUnhandledError } = config;
  config.onStoppedNotification = (_, subscriber) => void dropped.push(subscriber);
  config.onUnhandledError = () => void violations.push('an error that RxJS found unhandled');
  const uncaught = () => void violations.push('an uncaught exception');
  const unhandled = () => void violations.push('an unhandled rejection');
  // Inside Jest these two never fire: Jest itself fails the spec.
  process.on('uncaughtException', uncaught);
  process.on('unhandledRejection', unhandled);
  return {
    end(subscription: Subscription | undefined): readonly string[] {
      Object.assign(config, { onStoppedNotification, onUnhandledError });
      process.off('uncaughtException', uncaught);
      process.off('unhandledRejection', unhandled);
      if (dropped.includes(subscription)) violations.push('a notification after the end');
      return violations;
    },
  };
}

/** The provider of one run, and what stands between it and the client. */
interface Peer {
  readonly baseUrl: string;
  readonly requests: number;
  readonly openConnections: number;
  hasStruck(): boolean;
  /** Calls back at the first strike, and strikes when that has settled. */
  onStrike(callback: () => Promise<void>): void;
  /** From now on every answer is right. */
  heal(): void;
  whenIdle(): Promise<void>;
  close(): Promise<void>;
}

async function startPeer(given: Case): Promise<Peer> {
  let isHealed = false;
  let strikes = 0;
  let callback = async () => {};
  const strike = async () => {
    if (isHealed) return;
    strikes += 1;
    if (strikes === 1) await callback();
  };
  const answer = (index: number): MockAnswer => {
    if (isHealed) return { content: texts };
    if ('fault' in given) return faultyAnswer(given.fault, given.stage, strike);
    void strike();
    return given.wrong.answers[index] ?? given.wrong.answers.at(-1) ?? {};
  };
  const mock = await startMockProvider({ pace: 0, answers: ({ index }) => answer(index) });
  const isAtConnect = 'fault' in given && given.stage === 'connect';
  const gate = isAtConnect ? await startGate(mock, given.fault, strike) : undefined;

  return {
    get baseUrl() {
      return gate === undefined || (isHealed && !gate.goesOn) ? mock.baseUrl : gate.baseUrl;
    },
    get requests() {
      return gate?.connections ?? mock.requests.length;
    },
    get openConnections() {
      if (gate === undefined) return mock.openConnections;
      return gate.openConnections + (gate.goesOn ? 0 : mock.openConnections);
    },
    hasStruck: () => strikes > 0,
    onStrike(given) {
      callback = given;
      // Nobody is there to notice.
      if (gate?.isRefusing) setImmediate(() => void strike());
    },
    heal() {
      isHealed = true;
      gate?.heal();
    },
    async whenIdle() {
      await mock.whenIdle();
      await gate?.whenIdle();
    },
    async close() {
      await gate?.close();
      await mock.close();
    },
  };
}

/** A port in front of a provider, where connections themselves go wrong. */
async function startGate(mock: MockProvider, fault: Fault, strike: () => Promise<void>) {
  const sockets = new Set<Socket>();
  let connections = 0;
  let isHealed = false;
  const server: Server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
    const struck = async () => {
      if (isHealed) return;
      await strike();
      await playOn(socket, fault.pieces);
      if (!fault.goesOn) socket.destroy();
    };
    void struck().then(() => {
      if (socket.destroyed) return;
      const inner = connect(mock.port, '127.0.0.1');
      inner.on('error', () => {});
      inner.once('close', () => socket.destroy());
      socket.once('close', () => inner.destroy());
      socket.pipe(inner).pipe(socket);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await once(server.close(), 'close');
  };
  if (fault.isRefused) await close();
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    isRefusing: fault.isRefused === true,
    goesOn: fault.goesOn === true,
    get connections() {
      return connections;
    },
    get openConnections() {
      return sockets.size;
    },
    async whenIdle() {
      // A connection that goes through is the provider's, and one without a byte has no request on it.
      while (!fault.goesOn && [...sockets].some(({ bytesRead }) => bytesRead > 0)) await tick();
    },
    heal() {
      isHealed = true;
    },
    close,
  };
}

async function playOn(socket: Socket, pieces: Iterable<WirePiece>): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed) return;
    if (typeof piece === 'string' || piece instanceof Uint8Array) {
      await new Promise<void>((resolve) => socket.write(piece, () => resolve()));
    } else if ('cut' in piece) {
      if (piece.cut === 'reset') socket.resetAndDestroy();
      else socket.destroy();
    } else if (piece.wait === Infinity) await once(socket.resume(), 'close');
    else await new Promise((resolve) => setTimeout(resolve, piece.wait));
  }
}
