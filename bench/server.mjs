/**
 * The provider of the benchmark, in a process of its own: `POST /MODE/CHUNKS/DIALECT/chat/completions`.
 * Tells its parent the port once it listens, and whenever it is asked the number of connections so far and of
 * streams that are halted.
 * Its argument is the folder of the recorded streams.
 */
import { createServer } from 'node:http';
import { EventEmitter, once } from 'node:events';
import { setImmediate as tick, setTimeout as sleep } from 'node:timers/promises';
import { blocksOf, closing, eventOf, eventsOf, opening, seal, stamp } from './answer.mjs';
import { recordingsIn } from './recordings.mjs';

const pace = 25;
let recordings;
let connections = 0;
let streams = 0;
let halted = 0;
const halts = new EventEmitter().setMaxListeners(0);

/** `send` waits while the client is behind, and fails once the client is gone. */
const modes = {
  /** As fast as the client reads. */
  async bulk({ send, response, chunks, dialect }) {
    await send(opening(dialect));
    for (const block of blocksOf(chunks, dialect)) await send(block);
    response.end(closing(dialect));
  },
  /** One write for each event, and the loop runs between two: each is an HTTP chunk of its own. */
  async each({ send, response, chunks, dialect }) {
    await send(opening(dialect));
    for (const event of eventsOf(chunks, dialect)) {
      await send(event);
      await tick();
    }
    response.end(closing(dialect));
  },
  /**
   * One event every 25 ms, about as fast as a model writes, each with the time at which it was sent. The
   * streams stand in all phases of the pace, so that none waits for a burst of all others.
   */
  async paced({ send, response, chunks, dialect }) {
    const start = performance.now() + (streams % pace);
    streams += 1;
    let text = '';
    await send(opening(dialect));
    for (let index = 0; index < chunks; index += 1) {
      await sleep(Math.max(0, start + index * pace - performance.now()));
      const piece = stamp();
      text += piece;
      await send(eventOf(piece, index, dialect));
    }
    response.end(eventOf(seal(text), chunks, dialect) + closing(dialect));
  },
  /** The body ends 5 ms after `[DONE]`, as it does where something is written down before it ends. */
  async late({ send, response, chunks, dialect }) {
    await send(opening(dialect));
    for (const block of blocksOf(chunks, dialect)) await send(block);
    await send(closing(dialect));
    await sleep(5);
    response.end();
  },
  /** Silent for half a second before `[DONE]`, so that a client can be looked at while it holds the whole text. */
  async held({ send, response, chunks, dialect }) {
    await send(opening(dialect));
    for (const block of blocksOf(chunks, dialect)) await send(block);
    while (response.writableLength > 0) await sleep(5);
    await sleep(500);
    response.end(closing(dialect));
  },
  /** One event every 25 ms, and in the middle of the answer silence until all that are halted are resumed. */
  async halted({ send, response, gone, chunks, dialect }) {
    await send(opening(dialect));
    let index = 0;
    for (const event of eventsOf(chunks, dialect)) {
      if (index === chunks >> 1) {
        halted += 1;
        await once(halts, 'resume', { signal: gone }).finally(() => (halted -= 1));
      }
      await sleep(pace);
      await send(event);
      index += 1;
    }
    response.end(closing(dialect));
  },
  /** A recorded stream; the number of chunks is its place in the list. */
  async recorded({ send, response, chunks: index }) {
    recordings ??= recordingsIn(process.argv[2]);
    await send(recordings[index].body);
    response.end();
  },
};

const server = createServer(async (request, response) => {
  const [, mode, chunks, dialect] = request.url.split('/');
  request.resume();
  await once(request, 'end');
  response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' });
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const send = async (bytes) => {
    gone.signal.throwIfAborted();
    if (!response.write(bytes)) await once(response, 'drain', { signal: gone.signal });
  };
  try {
    await modes[mode]({ send, response, gone: gone.signal, chunks: Number(chunks), dialect });
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  }
});
// Every connection stays usable for as long as a run can take.
server.keepAliveTimeout = 600_000;
server.on('connection', () => (connections += 1));
server.listen({ port: 0, host: '127.0.0.1', backlog: 1_024 }, () =>
  process.send({ port: server.address().port }),
);
process.on('message', ({ resume = false }) => {
  if (resume) halts.emit('resume');
  process.send({ connections, halted });
});
process.on('disconnect', () => process.exit());
