// The tools of an MCP server in a run: listed, approved unless they are read-only, and executed by the server, with
// progress. The server is this same file, started as a separate process with `--server`.
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { lastValueFrom, of, switchMap, tap } from 'rxjs';
import { mcpTools, runTools, streamChatCompletions } from 'rxjs-chat-completions';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';
import { z } from 'zod';

const file = fileURLToPath(import.meta.url);
await (process.argv.includes('--server') ? serve() : chat());

async function chat() {
  const mock = await startMockProvider({
    pace: 0,
    answers: [
      { content: [{ toolCall: { name: 'files_count', arguments: { folder: 'notes' } } }] },
      { content: [{ toolCall: { name: 'files_remove', arguments: { folder: 'notes' } } }] },
      { content: 'The folder had 3 files. I was not allowed to remove them.' },
    ],
  });
  const options = { model: 'mock', provider: { name: 'mock', baseUrl: mock.baseUrl } };
  const turn = (prompt) => streamChatCompletions(prompt, options);

  const client = new Client({ name: 'example', version: '1.0.0' });
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [file, '--server'] }));

  // An untrusted server may claim that any tool is read-only: then require approval for every call.
  const approve = ({ annotations }) => annotations?.readOnlyHint !== true;
  const run = mcpTools(client, { prefix: 'files_', approve, timeout: 30_000 }).pipe(
    switchMap((tools) =>
      runTools('Count the files in notes, then remove them.', {
        turn,
        tools,
        approve: ({ name }) => of({ approved: false, reason: `Nobody may call ${name}.` }),
      }),
    ),
    tap((event) => {
      if (event.type === 'tool_progress') console.log(`  ${event.value.progress} of ${event.value.total}`);
      if (event.type === 'tool_finished') console.log(event.output);
    }),
  );
  const { items } = await lastValueFrom(run);
  console.log(items.at(-1).content[0].text);

  await client.close();
  await mock.close();
}

async function serve() {
  const server = new McpServer({ name: 'files', version: '1.0.0' });
  const inputSchema = { folder: z.string() };
  server.registerTool(
    'count',
    { description: 'Counts the files in a folder', inputSchema, annotations: { readOnlyHint: true } },
    async ({ folder }, { _meta, sendNotification }) => {
      const { progressToken } = _meta;
      for (const progress of [1, 2, 3]) {
        await sendNotification({
          method: 'notifications/progress',
          params: { progressToken, progress, total: 3 },
        });
        await wait(20);
      }
      return { content: [{ type: 'text', text: `${folder} has 3 files` }] };
    },
  );
  server.registerTool(
    'remove',
    {
      description: 'Removes the files in a folder',
      inputSchema,
      annotations: { destructiveHint: true },
    },
    () => ({ content: [{ type: 'text', text: 'Removed' }] }),
  );
  await server.connect(new StdioServerTransport());
}
