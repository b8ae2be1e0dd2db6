import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { ReplaySubject } from 'rxjs';
import { z } from 'zod';

const text = (given: string) => ({ type: 'text' as const, text: given });

/** A server of the official SDK, whose `hang` never ends of itself. */
export function mcpServer() {
  const server = new McpServer({ name: 'spec', version: '1.0.0' });
  /** The reasons of `hang`'s cancellations. */
  const cancelled = new ReplaySubject<unknown>(1);

  server.registerTool(
    'add',
    {
      description: 'Adds two numbers',
      inputSchema: { a: z.number(), b: z.number() },
      annotations: { readOnlyHint: true },
    },
    ({ a, b }) => ({ content: [text(String(a + b))] }),
  );
  server.registerTool('image', {}, () => ({
    content: [text('A dot.'), { type: 'image', data: 'iVBORw0KGgo=', mimeType: 'image/png' }],
  }));
  server.registerTool('fail', {}, () => {
    throw new Error('The disk is full.');
  });
  server.registerTool(
    'weather.now',
    { inputSchema: { city: z.string() }, outputSchema: { celsius: z.number() } },
    () => ({ content: [], structuredContent: { celsius: 24 } }),
  );
  server.registerTool(
    'hang',
    { annotations: { destructiveHint: true } },
    async ({ signal, _meta, sendNotification }) => {
      signal.addEventListener('abort', () => cancelled.next(signal.reason));
      const { progressToken = 'none' } = _meta ?? {};
      await sendNotification({
        method: 'notifications/progress',
        params: { progressToken, progress: 1, total: 2, message: 'Half' },
      });
      return new Promise(() => undefined);
    },
  );
  server.registerTool(
    'steps',
    { inputSchema: { n: z.number() } },
    async ({ n }, { _meta, sendNotification }) => {
      const { progressToken = 'none' } = _meta ?? {};
      for (let progress = 1; progress <= n; progress += 1)
        await sendNotification({
          method: 'notifications/progress',
          params: { progressToken, progress, total: n },
        });
      // What comes in one read with the result, the SDK's client drops.
      await new Promise((resolve) => setImmediate(resolve));
      return { content: [text('done')] };
    },
  );
  return { server, cancelled };
}

/** The same, whose list of tools has a page for each. */
export function pagedMcpServer() {
  const { server } = mcpServer();
  const names = ['a', 'b', 'c'];
  server.server.setRequestHandler(ListToolsRequestSchema, ({ params }) => {
    const index = Number(params?.cursor ?? 0);
    return {
      tools: [{ name: names[index] as string, inputSchema: { type: 'object' as const } }],
      ...(index + 1 < names.length && { nextCursor: String(index + 1) }),
    };
  });
  return server;
}
