// What scripts/check-browser.mjs loads into a page: once as it stands, with an import map, and once bundled.
import { concatMap, defer, finalize, fromEvent, lastValueFrom, map, takeUntil, tap, toArray } from 'rxjs';
import {
  decodeEventStream,
  encodeEventStream,
  fetchTransport,
  fromServerSentEvents,
  isTextDelta,
  iterateChatCompletions,
  readableStreamFrom,
  streamChatCompletions,
  StreamError,
  textDeltas,
  toServerSentEvents,
} from 'rxjs-chat-completions';
import { sharedTurns, tabsLog } from 'rxjs-chat-completions/shared';
import {
  recordTransport,
  replayTransport,
  scriptedTransport,
  turnOf,
  wireOf,
} from 'rxjs-chat-completions/testing';

const lostNetwork = defer(() => fromEvent(window, 'offline')).pipe(
  map(() => {
    throw new StreamError({ message: 'The browser went offline.' });
  }),
);

const breakingOffline = (transport) => (request) =>
  transport(request).pipe(
    map((response) => ({ ...response, body: response.body.pipe(takeUntil(lostNetwork)) })),
  );

/** What the page shows of its turn: its text, and how it ended. */
const show = (id, text) => (document.getElementById(id).textContent = text);

const seen = (error) => ({
  ...Object.fromEntries(Object.entries(error)),
  name: error.name,
  message: error.message,
});

const optionsOf = ({ baseUrl, ...options }) => ({
  model: 'm',
  provider: { name: 'mock', baseUrl, apiKey: 'sk-of-the-page' },
  ...options,
});

Object.assign(globalThis, {
  turn: undefined,

  /** Subscribes to a turn and shows it. `breakOffline` ends it with the browser's own `offline` event. */
  startTurn({ breakOffline = false, ...options }) {
    const turn = { texts: [], reads: 0, retries: [], statuses: [], end: undefined };
    for (const id of ['text', 'reads', 'end']) show(id, '');
    const counted = (request) =>
      fetchTransport()(request).pipe(
        map((response) => {
          turn.statuses.push(response.status);
          const body = response.body.pipe(tap(() => show('reads', (turn.reads += 1))));
          return { ...response, body };
        }),
      );
    const transport = breakOffline ? breakingOffline(counted) : counted;
    const end = (how) => {
      turn.end = how;
      show('end', how.error?.name ?? how.finishReason ?? 'none');
    };
    turn.subscription = streamChatCompletions('Hi', optionsOf({ ...options, transport })).subscribe({
      next: (event) => {
        if (isTextDelta(event)) {
          turn.texts.push(event.item.content[0].text);
          document.getElementById('text').append(event.item.content[0].text);
        }
        if (event.type === 'retrying') {
          const { attempt, delay, error } = event;
          turn.retries.push({ attempt, delay, error: seen(error) });
        }
        if (event.type === 'completed') turn.finishReason = event.finishReason;
      },
      error: (error) => end({ error: seen(error) }),
      complete: () => end({ finishReason: turn.finishReason }),
    });
    globalThis.turn = turn;
  },

  /** Runs or follows a turn that the tabs of this browser share, and shows it. */
  shareTurn({ id, follow = false, turns: given, ...options }) {
    globalThis.turns ??= sharedTurns(tabsLog(), given);
    const shared = { text: '', restarts: 0, asked: 0, end: undefined };
    for (const name of ['text', 'end']) show(name, '');
    const ask = () => {
      shared.asked += 1;
      return streamChatCompletions('Hi', optionsOf(options));
    };
    const events = follow ? globalThis.turns.follow(id) : globalThis.turns.run(id, ask);
    shared.subscription = events.subscribe({
      next: (event) => {
        if (event.type === 'restarting') {
          shared.restarts += 1;
          shared.text = '';
        }
        if (isTextDelta(event)) shared.text += event.item.content[0].text;
        if (event.type === 'completed') shared.finishReason = event.finishReason;
        show('text', shared.text);
      },
      error: (error) => show('end', (shared.end = error.name)),
      complete: () => show('end', (shared.end = shared.finishReason ?? 'none')),
    });
    globalThis.turn = shared;
  },

  /** Stops a turn that this tab need not run, nor follow. */
  async stopShared(id) {
    globalThis.turns ??= sharedTurns(tabsLog());
    await lastValueFrom(globalThis.turns.stop(id), { defaultValue: undefined });
  },

  /** Pulls events until the first text, then leaves. */
  async firstText(options) {
    for await (const event of iterateChatCompletions('Hi', optionsOf(options)))
      if (isTextDelta(event)) return event.item.content[0].text;
  },

  /** A turn as the body of a `Response`, read back. */
  async throughResponse(options) {
    const turn = streamChatCompletions('Hi', optionsOf(options));
    const text = turn.pipe(toServerSentEvents(), encodeEventStream());
    const response = new Response(readableStreamFrom(text));
    const transport = async () => response;
    const events = fetchTransport({ fetch: transport })({
      url: 'https://app.example/api/chat',
      method: 'POST',
      headers: {},
      body: '',
    }).pipe(
      concatMap(({ body }) => body),
      decodeEventStream(),
      fromServerSentEvents(),
      textDeltas(),
      toArray(),
    );
    return lastValueFrom(events);
  },

  /** The first chunk of a turn's `Response`, whose body is cancelled then. */
  async firstChunkOfResponse(options) {
    const turn = streamChatCompletions('Hi', optionsOf(options));
    const reader = new Response(readableStreamFrom(turn.pipe(textDeltas()))).body.getReader();
    const { value } = await reader.read();
    await reader.cancel();
    return new TextDecoder().decode(value);
  },

  /** A scripted turn; then one that is recorded over the network, and the same played again. */
  async testing(options) {
    const textsOver = (transport) =>
      lastValueFrom(
        streamChatCompletions('Hi', optionsOf({ ...options, transport, retry: { initialDelay: 0 } })).pipe(
          textDeltas(),
          toArray(),
        ),
      );
    let keep;
    // The answer is read to its end after the turn is over.
    const kept = new Promise((resolve) => (keep = resolve));
    const recording = recordTransport(fetchTransport(), keep);
    return {
      scripted: await textsOver(scriptedTransport({ status: 503 }, { body: wireOf(turnOf('Grüße ', '👋')) })),
      recorded: await textsOver(recording),
      replayed: await textsOver(replayTransport(await kept)),
      cassette: JSON.stringify(await kept),
    };
  },

  /** A turn over a body whose next read is always ready, counted beside a timer. */
  startAlwaysReady() {
    const bytes = new TextEncoder().encode('data: {"choices":[{"delta":{"content":"word "}}]}\n\n');
    const body = () =>
      new ReadableStream({ pull: (controller) => controller.enqueue(bytes) }, { highWaterMark: 0 });
    const fetch = async () => new Response(body(), { headers: { 'content-type': 'text/event-stream' } });
    const ready = { reads: 0, ticks: 0, isOver: false };
    setInterval(() => (ready.ticks += 1), 10);
    const subscription = streamChatCompletions(
      'Hi',
      optionsOf({ baseUrl: location.origin, transport: fetchTransport({ fetch }) }),
    )
      .pipe(finalize(() => (ready.isOver = true)))
      .subscribe(() => (ready.reads += 1));
    globalThis.ready = ready;
    globalThis.turn = { texts: [], subscription };
  },

  /** Counts tasks over 50 ms, and the frames that were drawn, from now on. */
  watchTasks() {
    const watched = { longTasks: [], frames: 0 };
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) watched.longTasks.push(duration);
    }).observe({ type: 'longtask' });
    const count = () => {
      watched.frames += 1;
      requestAnimationFrame(count);
    };
    requestAnimationFrame(count);
    globalThis.watched = watched;
  },
});

document.getElementById('stop').addEventListener('click', () => {
  globalThis.turn.textsAtStop = globalThis.turn.texts.length;
  globalThis.turn.subscription.unsubscribe();
});
document.getElementById('look').addEventListener('click', () => {
  show('looked', globalThis.turn.texts.length);
});
document.body.dataset.ready = '';
