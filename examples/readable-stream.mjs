// A turn as the body of a Response, as fetch-style handlers return it (Deno, Bun, Workers, Next.js). The
// provider is read as fast as the client reads, and a client that leaves aborts the turn.
import { Demand, readableStreamFrom, streamChatCompletions, textDeltas } from 'rxjs-chat-completions';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';

const megabyte = 'x'.repeat(2 ** 20);
let written = 0;
function* long() {
  for (; written < 64; written += 1) yield megabyte;
}
const mock = await startMockProvider({
  answers: [{ content: 'Hello there.' }, { content: long() }],
  pace: 0,
});
const options = { model: 'mock', provider: { name: 'mock', baseUrl: mock.baseUrl } };

async function handle(request) {
  // One for each turn, given to both of its ends.
  const demand = new Demand();
  const turn = streamChatCompletions(await request.text(), { ...options, demand });
  return new Response(readableStreamFrom(turn.pipe(textDeltas()), { demand, highWaterMark: 4 }));
}

const ask = (question) => handle(new Request('http://localhost/', { method: 'POST', body: question }));

console.log(await (await ask('Hi')).text());

const reader = (await ask('Tell me everything.')).body.getReader();
await reader.read();
console.log('read 1 MiB; now the reader has enough');
await reader.cancel();
await mock.whenAborted();
console.log(`the provider was told to stop, before its 64 MiB were written: ${written < 64}`);
await mock.close();
