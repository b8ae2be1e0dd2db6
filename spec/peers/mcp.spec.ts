import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import {
  filter,
  firstValueFrom,
  from,
  lastValueFrom,
  map,
  type Observable,
  of,
  switchMap,
  takeWhile,
  toArray,
} from 'rxjs';
import {
  mcpTools,
  type McpToolsOptions,
  type Prompt,
  type RunEvent,
  runTools,
  streamChatCompletions,
} from '../../src/index.js';
import { startMockProvider } from '../../src/mock-provider/index.js';
import { type ToolCall, toolCallEvents, turnOf } from '../../src/testing/index.js';
import { mcpServer, pagedMcpServer } from './mcp-server.js';

type Made = ReturnType<typeof mcpServer>;

/** A client and what closes it. */
interface Peer {
  readonly client: Client;
  readonly made: Made;
  close(): Promise<void>;
}

const newClient = () => new Client({ name: 'spec', version: '1.0.0' });

async function inMemory(made = mcpServer()): Promise<Peer> {
  const [here, there] = InMemoryTransport.createLinkedPair();
  const client = newClient();
  await Promise.all([made.server.connect(there), client.connect(here)]);
  return { client, made, close: () => client.close() };
}

async function overHttp(): Promise<Peer> {
  const made = mcpServer();
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: () => 'session' });
  await made.server.connect(transport);
  const http: Server = createServer((request, response) => void transport.handleRequest(request, response));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  const client = newClient();
  const url = new URL(`http://127.0.0.1:${port}/mcp`);
  await client.connect(new StreamableHTTPClientTransport(url));
  return {
    client,
    made,
    async close() {
      await client.close();
      await made.server.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

/** A run in which the model calls this, and answers then. */
const runOf = (client: Client, call: ToolCall, options?: McpToolsOptions): Observable<RunEvent> =>
  mcpTools(client, options).pipe(
    switchMap((tools) =>
      runTools('Hi', {
        tools,
        turn: (_prompt: Prompt, step: number) =>
          of(...(step === 1 ? turnOf(toolCallEvents({ callId: 'c', ...call })) : turnOf('Done'))),
      }),
    ),
  );

const progressOf = (events: Observable<RunEvent>) =>
  events.pipe(
    filter((event) => event.type === 'tool_progress'),
    map(({ value }) => value),
  );

const outcomeOf = (client: Client, call: ToolCall) =>
  firstValueFrom(runOf(client, call).pipe(filter((event) => event.type === 'tool_finished')));

describe.each([
  ['in memory', inMemory],
  ['over HTTP', overHttp],
])('mcpTools with the official client, %s', (_how, start) => {
  let peer: Peer;
  beforeEach(async () => void (peer = await start()));
  afterEach(() => peer.close());

  it('lists the tools of the server', async () => {
    const tools = await firstValueFrom(mcpTools(peer.client));
    expect(tools.map(({ name }) => name)).toEqual(['add', 'image', 'fail', 'weather_now', 'hang', 'steps']);
    expect(tools[0]!.definition).toEqual({
      type: 'function',
      name: 'add',
      description: 'Adds two numbers',
      parameters: expect.objectContaining({
        type: 'object',
        properties: { a: { type: 'number' }, b: { type: 'number' } },
        required: ['a', 'b'],
      }) as unknown,
    });
  });

  it.each<[string, ToolCall, unknown]>([
    ['text', { name: 'add', arguments: { a: 2, b: 3 } }, '5'],
    [
      'an image',
      { name: 'image' },
      [
        { type: 'input_text', text: 'A dot.' },
        { type: 'input_image', image_url: 'data:image/png;base64,iVBORw0KGgo=' },
      ],
    ],
    ['structured content', { name: 'weather_now', arguments: { city: 'Bern' } }, '{"celsius":24}'],
  ])('gives the model %s', async (_what, call, output) => {
    expect(await outcomeOf(peer.client, call)).toEqual({
      type: 'tool_finished',
      callId: 'c',
      output,
      duration: expect.any(Number) as number,
    });
  });

  it('tells the model of a failure in the server’s words', async () => {
    expect(await outcomeOf(peer.client, { name: 'fail' })).toMatchObject({
      output: 'The tool failed: The disk is full.',
      error: { code: 'failed', toolName: 'fail' },
    });
  });

  it('tells the model of arguments that the server refuses', async () => {
    const { output } = await outcomeOf(peer.client, { name: 'add', arguments: { a: 'two' } });
    expect(output).toMatch(/^The tool failed: MCP error -32602: Input validation error/);
  });

  it('emits progress notifications', async () => {
    const progress = progressOf(runOf(peer.client, { name: 'steps', arguments: { n: 3 } }));
    expect(await lastValueFrom(progress.pipe(toArray()))).toEqual([
      { progress: 1, total: 3 },
      { progress: 2, total: 3 },
      { progress: 3, total: 3 },
    ]);
  });

  it('cancels on the server what is unsubscribed from', async () => {
    // Unsubscribes once the server has begun, and told of it.
    const progress = await firstValueFrom(progressOf(runOf(peer.client, { name: 'hang' })));
    expect(progress).toEqual({ progress: 1, total: 2, message: 'Half' });
    expect(await firstValueFrom(peer.made.cancelled)).toBe('AbortError: This operation was aborted');
  });

  it('cancels on the server what takes too long', async () => {
    const { output } = await firstValueFrom(
      runOf(peer.client, { name: 'hang' }, { timeout: 50 }).pipe(
        filter((event) => event.type === 'tool_finished'),
      ),
    );
    expect(output).toBe('The tool did not finish within 50 ms.');
    await firstValueFrom(peer.made.cancelled);
  });
});

describe('mcpTools with the official client', () => {
  it('takes all pages of a list', async () => {
    const made = { ...mcpServer(), server: pagedMcpServer() };
    const peer = await inMemory(made);
    const tools = await firstValueFrom(mcpTools(peer.client));
    expect(tools.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    await peer.close();
  });

  it('fails where the client is not connected', async () => {
    await expect(firstValueFrom(mcpTools(newClient()))).rejects.toThrow('Not connected');
  });

  it('fails the call, not the run, where the server goes away', async () => {
    const { client, made } = await inMemory();
    const events = runOf(client, { name: 'hang' }).pipe(
      map((event) => {
        if (event.type === 'tool_progress') void made.server.close();
        return event;
      }),
      takeWhile(({ type }) => type !== 'run_completed', true),
    );
    const all = await lastValueFrom(events.pipe(toArray()));
    expect(all.find(({ type }) => type === 'tool_finished')).toMatchObject({
      output: 'The tool failed: MCP error -32000: Connection closed',
    });
    expect(all.at(-1)).toMatchObject({ type: 'run_completed', reason: 'answered' });
  });

  it('outlasts the 60 s of the SDK where the run gives a tool longer', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    try {
      const peer = await inMemory();
      const seen: unknown[] = [];
      const run = runOf(peer.client, { name: 'hang' }, { timeout: 600_000 }).subscribe((event) => {
        if (event.type === 'tool_progress') seen.push('progress');
        if (event.type === 'tool_finished') seen.push(event.output);
      });
      while (seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
      await jest.advanceTimersByTimeAsync(599_999);
      expect(seen).toEqual(['progress']);
      await jest.advanceTimersByTimeAsync(1);
      expect(seen).toEqual(['progress', 'The tool did not finish within 600000 ms.']);
      run.unsubscribe();
      await peer.close();
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('mcpTools with a server of the SDK’s examples, as a process of its own', () => {
  const examples = join(
    dirname(require.resolve('@modelcontextprotocol/sdk/client/index.js')),
    '../../esm/examples/server',
  );
  let client: Client;
  const startExample = async (file: string) => {
    client = newClient();
    const args = [join(examples, file)];
    await client.connect(new StdioClientTransport({ command: process.execPath, args, stderr: 'ignore' }));
  };
  afterEach(() => client.close());

  it('runs a whole conversation with progress, against the mock provider', async () => {
    await startExample('progressExample.js');
    const mock = await startMockProvider({
      pace: 0,
      answers: [
        { content: [{ toolCall: { name: 'count', arguments: { n: 3 } } }] },
        { content: 'I counted to three.' },
      ],
    });
    const options = { model: 'mock', provider: { name: 'mock', baseUrl: mock.baseUrl } };
    const run = mcpTools(client).pipe(
      switchMap((tools) =>
        runTools('Count to three.', { tools, turn: (prompt) => streamChatCompletions(prompt, options) }),
      ),
    );
    const events = await lastValueFrom(run.pipe(toArray()));
    // Progress that is read together with the result, the SDK's client drops.
    const counted = [1, 2, 3].map((n) => ({ progress: n, total: 3, message: `Counting: ${n}/3` }));
    const progress = await lastValueFrom(progressOf(from(events)).pipe(toArray()));
    expect(progress).toEqual(
      counted.filter((each) => progress.some((seen) => isDeepStrictEqual(seen, each))),
    );
    expect(events.at(-1)).toMatchObject({
      type: 'run_completed',
      reason: 'answered',
      turns: 2,
      items: [
        { type: 'function_call', name: 'count' },
        { type: 'function_call_output', output: 'Counted to 3' },
        { type: 'message', content: [{ text: 'I counted to three.' }] },
      ],
    });
    const [first, second] = mock.requests.map(({ body }) => body as Record<string, unknown>);
    expect(first!['tools']).toMatchObject([
      { type: 'function', function: { name: 'count', description: 'Count to N with progress updates' } },
    ]);
    expect(second!['messages']).toMatchObject([
      { role: 'user' },
      { role: 'assistant' },
      { role: 'tool', content: 'Counted to 3' },
    ]);
    await mock.close();
  }, 20_000);

  it('gives the model what an example with an output schema answers', async () => {
    await startExample('mcpServerOutputSchema.js');
    const { output } = await outcomeOf(client, {
      name: 'get_weather',
      arguments: { city: 'Bern', country: 'CH' },
    });
    expect(JSON.parse(output as string)).toMatchObject({
      temperature: { celsius: expect.any(Number) as number },
    });
  }, 20_000);
});
