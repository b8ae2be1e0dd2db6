// npm install zod; node approval.mjs
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { chatOptionsFromEnv, runTools, streamChatCompletions, textDeltas, tool } from 'rxjs-chat-completions';
import { z } from 'zod';

const options = { model: 'gpt-4o-mini', ...chatOptionsFromEnv(process.env) };

const removeFile = tool({
  name: 'remove_file',
  description: 'Removes a file',
  input: z.object({ path: z.string() }),
  approve: true,
  execute: async ({ path }) => {
    await rm(path);
    return 'Removed.';
  },
});

async function approve(call) {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(`${call.name} ${call.arguments}\nGo ahead? [y/N] `);
  terminal.close();
  return answer.toLowerCase() === 'y' ? true : { approved: false, reason: 'The user said no.' };
}

runTools('Remove notes.txt, please.', {
  turn: (prompt) => streamChatCompletions(prompt, options),
  tools: [removeFile],
  approve,
})
  .pipe(textDeltas())
  .subscribe({
    next: (text) => process.stdout.write(text),
    error: (error) => console.error(error.message),
    complete: () => console.log(),
  });
