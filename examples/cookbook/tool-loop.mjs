// npm install zod; node tool-loop.mjs
import {
  chatOptionsFromEnv,
  isTextDelta,
  runTools,
  streamChatCompletions,
  tool,
} from 'rxjs-chat-completions';
import { z } from 'zod';

const options = { model: 'gpt-4o-mini', ...chatOptionsFromEnv(process.env) };

const timeIn = tool({
  name: 'time_in',
  description: 'The local time in a time zone, such as Europe/Rome',
  input: z.object({ timeZone: z.string() }),
  execute: ({ timeZone }) => new Date().toLocaleTimeString('en', { timeZone }),
});

runTools('What time is it in Rome and in Tokyo?', {
  turn: (prompt) => streamChatCompletions(prompt, options),
  tools: [timeIn],
}).subscribe({
  next: (event) => {
    if (isTextDelta(event)) process.stdout.write(event.item.content[0].text);
    if (event.type === 'tool_started') console.log(`${event.call.name} ${event.call.arguments}`);
  },
  error: (error) => console.error(error.message),
  complete: () => console.log(),
});
