// A turn that outlives its request: after a reload, the page resumes from the last id it has, and the stop button works on
// any instance. This example is one process with memoryLog(); for several, use redisLog(client).
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { pipeline } from 'node:stream';
import { concatMap, filter, firstValueFrom, lastValueFrom, map, scan, tap } from 'rxjs';
import {
  decodeEventStream,
  encodeEventStream,
  fetchTransport,
  fromServerSentEvents,
  isTextDelta,
  streamChatCompletions,
  toServerSentEvents,
} from 'rxjs-chat-completions';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';
import { nodeReadableFrom } from 'rxjs-chat-completions/node';
import { memoryLog, sharedTurns, UnknownTurnError } from 'rxjs-chat-completions/shared';

/** A gate to wait at until it is opened. */
function gate() {
  let open;
  const opened = new Promise((resolve) => (open = resolve));
  return { open, opened };
}
const rest = gate();
const mock = await startMockProvider({ pace: 0 });
mock.enqueue(
  {
    content: (async function* () {
      yield 'The sky';
      await rest.opened;
      yield ' is blue.';
    })(),
  },
  { content: ['Because', { wait: Infinity }] },
);
const options = { model: 'mock', provider: { name: 'mock', baseUrl: mock.baseUrl } };

/** The backend: `POST`, `GET` and `DELETE /<id>`. Anyone who knows an id can read and stop the turn, so it must be unguessable. */
const backendOf = (turns) =>
  createServer((request, response) => {
    const id = request.url.slice(1);
    if (!/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/.test(id)) return response.writeHead(400).end();
    if (request.method === 'DELETE') {
      turns.stop(id).subscribe({
        complete: () => response.writeHead(204).end(),
        error: (error) => response.writeHead(error instanceof UnknownTurnError ? 404 : 500).end(),
      });
      return;
    }
    const from = { after: request.headers['last-event-id'] };
    const turn =
      request.method === 'POST'
        ? turns.run(id, () => streamChatCompletions('Why is the sky blue?', options), from)
        : turns.follow(id, from);
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    // If the client disconnects, the turn goes on.
    pipeline(nodeReadableFrom(turn.pipe(toServerSentEvents(), encodeEventStream())), response, () => {});
  });

// Two instances share a log, as two processes would share Redis.
const log = memoryLog();
const instances = [sharedTurns(log), sharedTurns(log)];
const servers = instances.map((turns) => backendOf(turns).listen(0, '127.0.0.1'));
await Promise.all(servers.map((server) => once(server, 'listening')));
const [here, there] = servers.map((server) => `http://127.0.0.1:${server.address().port}`);

/** The text so far and the id to resume from, as a front end would keep them. */
const read = (origin, id, { method = 'GET', text = '', last } = {}) =>
  fetchTransport()({
    url: `${origin}/${id}`,
    method,
    headers: last === undefined ? {} : { 'Last-Event-ID': last },
  }).pipe(
    concatMap(({ body }) => body),
    decodeEventStream(),
    fromServerSentEvents(),
    scan(
      (so, event) => ({
        last: event.id ?? so.last,
        text: isTextDelta(event) ? so.text + event.item.content[0].text : so.text,
        isStopped: event.type === 'completed' && event.stopped === true,
      }),
      { text, last },
    ),
  );

const id = randomUUID();
const half = await firstValueFrom(read(here, id, { method: 'POST' }).pipe(filter(({ text }) => text !== '')));
console.log(`The page is reloaded after "${half.text}", at ${half.last}.`);
const whole = lastValueFrom(read(there, id, half));
rest.open();
console.log(`The other instance sends the rest: "${(await whole).text}". Requests: ${mock.requests.length}.`);

const other = randomUUID();
let stopping;
const stopped = lastValueFrom(
  read(here, other, { method: 'POST' }).pipe(
    tap(({ text }) => {
      if (text === 'Because') stopping ??= fetch(`${there}/${other}`, { method: 'DELETE' });
    }),
    map(({ text, isStopped }) => `"${text}", stopped: ${isStopped}`),
  ),
);
await mock.whenAborted(1);
console.log(`Stopped from the other instance: ${await stopped}. Aborted at the provider: ${mock.aborted}.`);

await stopping;
const unknown = await fetch(`${there}/${randomUUID()}`, { method: 'DELETE' });
console.log(`An id that nobody has: ${unknown.status}.`);

await Promise.all(instances.map((turns) => turns.close()));
for (const server of servers) {
  server.close();
  server.closeAllConnections();
}
await mock.close();
