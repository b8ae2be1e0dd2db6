// A backend that any OpenAI client can talk to: it holds the provider's key, and its answer is a turn of
// this library, so that retries, limits and operators stand in between.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { pipeline } from 'node:stream';
import { json } from 'node:stream/consumers';
import OpenAI from 'openai';
import {
  Demand,
  encodeEventStream,
  splitThinking,
  streamChatRequest,
  toChatCompletionChunks,
} from 'rxjs-chat-completions';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';
import { nodeReadableFrom, nodeTransport } from 'rxjs-chat-completions/node';

const mock = await startMockProvider({
  answers: [{ status: 503 }, { content: '<think>Air scatters light.</think>It is blue because of the air.' }],
});
const provider = { name: 'mock', baseUrl: mock.baseUrl };
const transport = nodeTransport();

const server = createServer(async (request, response) => {
  const { stream_options: streamOptions, ...body } = await json(request);
  const demand = new Demand();
  const includeUsage = streamOptions?.include_usage === true;
  const text = streamChatRequest(body, { provider, transport, demand, includeUsage }).pipe(
    splitThinking(),
    toChatCompletionChunks({ model: body.model, includeUsage }),
    encodeEventStream(),
  );
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  // Where the client leaves, the pipeline is taken down, and with it the turn.
  pipeline(nodeReadableFrom(text, { demand }), response, () => {});
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');

const client = new OpenAI({
  baseURL: `http://127.0.0.1:${server.address().port}/v1`,
  apiKey: 'of-the-backend',
});
const stream = await client.chat.completions.create({
  model: 'sky',
  messages: [{ role: 'user', content: 'Why is the sky blue?' }],
  stream: true,
  stream_options: { include_usage: true },
});
for await (const { choices, usage } of stream) {
  const [choice] = choices;
  if (choice?.delta.reasoning_content) console.log('reasoning:', choice.delta.reasoning_content);
  if (choice?.delta.content) process.stdout.write(choice.delta.content);
  if (choice?.finish_reason) console.log(`\nfinish reason: ${choice.finish_reason}`);
  if (usage) console.log(`${usage.completion_tokens} tokens`);
}

server.closeAllConnections();
server.close();
await mock.close();
