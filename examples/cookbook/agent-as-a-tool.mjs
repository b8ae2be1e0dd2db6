// npm install zod; node agent-as-a-tool.mjs
import { distinctUntilChanged, filter, map } from 'rxjs';
import {
  accumulateRun,
  chatOptionsFromEnv,
  isTextDelta,
  runTools,
  streamChatCompletions,
  tool,
} from 'rxjs-chat-completions';
import { z } from 'zod';

const options = { model: 'gpt-4o-mini', ...chatOptionsFromEnv(process.env) };
const turn = (prompt) => streamChatCompletions(prompt, options);

const lookUp = tool({
  name: 'look_up',
  description: 'Looks up a fact in the encyclopaedia',
  input: z.object({ subject: z.string() }),
  execute: ({ subject }) => `${subject}: built from 70 AD.`,
});

// A run inside the run: its text so far is the tool's progress, and the complete text is the output.
const researcher = tool({
  name: 'research',
  description: 'Answers one question from the encyclopaedia',
  input: z.object({ question: z.string() }),
  execute: ({ question }) =>
    runTools(question, { turn, tools: [lookUp] }).pipe(
      accumulateRun(),
      map(({ steps }) => steps.at(-1)?.turn.text ?? ''),
      distinctUntilChanged(),
      filter((text) => text !== ''),
    ),
});

runTools('When was the Colosseum built?', { turn, tools: [researcher] }).subscribe({
  next: (event) => {
    if (event.type === 'tool_progress') console.log(`researcher: ${event.value}`);
    if (isTextDelta(event)) process.stdout.write(event.item.content[0].text);
  },
  error: (error) => console.error(error.message),
  complete: () => console.log(),
});
