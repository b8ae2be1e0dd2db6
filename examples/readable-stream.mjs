// A turn as the body of a Response, as fetch-style handlers return it (Deno, Bun, Workers, Next.js). The
// provider is read only as fast as the client reads, and the turn is aborted if the client disconnects.
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Demand, readableStreamFrom, streamChatCompletions, textDeltas } from 'rxjs-chat-completions';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';

/** The handler: the request's text is the question. */
export function createHandler(options, { maxBytes = 65_536, timeout = 10_000 } = {}) {
  return async (request) => {
    if (request.method !== 'POST')
      return new Response('Use POST.', { status: 405, headers: { allow: 'POST' } });
    let question;
    try {
      question = await readText(request, maxBytes, timeout);
    } catch ({ name }) {
      const status = { RangeError: 413, TimeoutError: 408 }[name] ?? 400;
      return new Response('The question is too large, too slow or cut off.', { status });
    }
    if (question.trim() === '') return new Response('There is no question.', { status: 400 });
    // One per turn, shared by both ends of the pipeline.
    const demand = new Demand();
    const turn = streamChatCompletions(question, { ...options, demand });
    return new Response(readableStreamFrom(turn.pipe(textDeltas()), { demand, highWaterMark: 4 }));
  };
}

/** Reads the text of a request, within a limit in bytes and a timeout in milliseconds. */
function readText({ body }, maxBytes, timeout) {
  let size = 0;
  const limit = new TransformStream({
    transform(chunk, controller) {
      size += chunk.length;
      if (size > maxBytes) throw new RangeError('The body is too large.');
      controller.enqueue(chunk);
    },
  });
  return new Response(body?.pipeThrough(limit, { signal: AbortSignal.timeout(timeout) })).text();
}

async function demonstrate() {
  const megabyte = 'x'.repeat(2 ** 20);
  let written = 0;
  function* long() {
    for (; written < 64; written += 1) yield megabyte;
  }
  const mock = await startMockProvider({
    answers: [{ content: 'Hello there.' }, { content: long() }],
    pace: 0,
  });
  const handle = createHandler({ model: 'mock', provider: { name: 'mock', baseUrl: mock.baseUrl } });
  const ask = (question) => handle(new Request('http://localhost/', { method: 'POST', body: question }));

  console.log(await (await ask('Hi')).text());

  const reader = (await ask('Tell me everything.')).body.getReader();
  await reader.read();
  console.log('read 1 MiB; now the reader has enough');
  await reader.cancel();
  await mock.whenAborted();
  console.log(`the provider was told to stop, before its 64 MiB were written: ${written < 64}`);
  await mock.close();
}

// Runs only as a program, not when imported.
if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await demonstrate();
