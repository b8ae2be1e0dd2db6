/**
 * The provider of the benchmark, in a process of its own: `POST /MODE/CHUNKS/DIALECT/chat/completions`.
 * Tells its parent the port once it listens, and the number of connections so far whenever it is asked.
 */
import { createServer } from 'node:http';
import { once } from 'node:events';
import { setImmediate as tick, setTimeout as sleep } from 'node:timers/promises';
import { done, eventsOf } from './answer.mjs';

const blockSize = 64 * 1024;
const pace = 25;
const blocks = new Map();

/** An answer as blocks of about 64 KiB, written once: the server must not be what limits a client. */
function blocksOf(chunks, dialect) {
  const name = `${chunks} ${dialect}`;
  if (!blocks.has(name)) {
    const written = [];
    let block = '';
    for (const event of eventsOf(chunks, dialect)) {
      block += event;
      if (block.length >= blockSize) {
        written.push(Buffer.from(block));
        block = '';
      }
    }
    blocks.set(name, [...written, Buffer.from(block)]);
  }
  return blocks.get(name);
}

/** `send` waits while the client is behind, and fails once the client is gone. */
const modes = {
  /** As fast as the client reads. */
  async bulk({ send, response, chunks, dialect }) {
    for (const block of blocksOf(chunks, dialect)) await send(block);
    response.end(done);
  },
  /** One write for each event, and the loop runs between two: each is an HTTP chunk of its own. */
  async each({ send, response, chunks, dialect }) {
    for (const event of eventsOf(chunks, dialect)) {
      await send(event);
      await tick();
    }
    response.end(done);
  },
  /** One event every 25 ms, about as fast as a model writes. */
  async paced({ send, response, chunks, dialect }) {
    for (const event of eventsOf(chunks, dialect)) {
      await send(event);
      await sleep(pace);
    }
    response.end(done);
  },
  /** The body ends 5 ms after `[DONE]`, as it does where something is written down before it ends. */
  async late({ send, response, chunks, dialect }) {
    for (const block of blocksOf(chunks, dialect)) await send(block);
    await send(done);
    await sleep(5);
    response.end();
  },
  /** Silent for half a second before `[DONE]`, so that a client can be looked at while it holds the whole text. */
  async held({ send, response, chunks, dialect }) {
    for (const block of blocksOf(chunks, dialect)) await send(block);
    while (response.writableLength > 0) await sleep(5);
    await sleep(500);
    response.end(done);
  },
};

let connections = 0;

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
    await modes[mode]({ send, response, chunks: Number(chunks), dialect });
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  }
});
// Every connection stays usable for as long as a run can take.
server.keepAliveTimeout = 600_000;
server.on('connection', () => (connections += 1));
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('message', () => process.send({ connections }));
process.on('disconnect', () => process.exit());
