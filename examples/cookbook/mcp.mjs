// npm install @modelcontextprotocol/sdk; node mcp.mjs npx -y @modelcontextprotocol/server-filesystem .
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { finalize, switchMap } from 'rxjs';
import {
  chatOptionsFromEnv,
  mcpTools,
  runTools,
  streamChatCompletions,
  textDeltas,
} from 'rxjs-chat-completions';

const options = { model: 'gpt-4o-mini', ...chatOptionsFromEnv(process.env) };
const turn = (prompt) => streamChatCompletions(prompt, options);

const [command, ...args] = process.argv.slice(2);
const client = new Client({ name: 'cookbook', version: '1.0.0' });
await client.connect(new StdioClientTransport({ command, args }));

mcpTools(client)
  .pipe(
    switchMap((tools) => runTools('What can you do with these tools? Try one.', { turn, tools })),
    textDeltas(),
    finalize(() => client.close()),
  )
  .subscribe({
    next: (text) => process.stdout.write(text),
    error: (error) => console.error(error.message),
    complete: () => console.log(),
  });
