// A transport is a function from a request to an Observable of one response. Two examples: one wraps another
// transport to add a header and log the response, and one plays a recording without a network.
import { defer, lastValueFrom, of, reduce, tap } from 'rxjs';
import { fetchTransport, streamChatCompletions, textDeltas } from 'rxjs-chat-completions';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';

const traced = (transport, traceId) => (request) =>
  defer(() => {
    const start = performance.now();
    const headers = { ...request.headers, 'x-trace-id': traceId };
    return transport({ ...request, headers }).pipe(
      tap(({ status }) => console.log(`status ${status} after ${Math.round(performance.now() - start)} ms`)),
    );
  });

const recorded = (recording) => () =>
  of({
    status: 200,
    headers: new Headers({ 'content-type': 'text/event-stream' }),
    body: of(new TextEncoder().encode(recording)),
  });

const mock = await startMockProvider();
const provider = { name: 'mock', baseUrl: mock.baseUrl };
const ask = (transport) =>
  lastValueFrom(
    streamChatCompletions('Why is the sky blue?', { model: 'mock', provider, transport }).pipe(
      textDeltas(),
      reduce((text, delta) => text + delta),
    ),
  );

console.log(await ask(traced(fetchTransport(), 'trace-1')));
console.log(`the provider saw x-trace-id: ${mock.requests[0].headers['x-trace-id']}`);

const recording =
  'data: {"choices":[{"delta":{"content":"Because it "}}]}\n\n' +
  'data: {"choices":[{"delta":{"content":"was recorded."},"finish_reason":"stop"}]}\n\n' +
  'data: [DONE]\n\n';
console.log(await ask(recorded(recording)));
console.log(`${mock.requests.length} request went over the network`);
await mock.close();
