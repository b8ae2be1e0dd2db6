// A conversation with a tool: runTools() executes the tools that the model calls. Its last event has the items that the
// run adds to the conversation, which are sent with the next question.
import { lastValueFrom, tap } from 'rxjs';
import { isTextDelta, runTools, streamChatCompletions, tool, userMessage } from 'rxjs-chat-completions';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';

const mock = await startMockProvider({
  answers: [
    { content: ['Let me see. ', { toolCall: { name: 'weather', arguments: { city: 'Rome' } } }] },
    { content: ['Sunny, ', '24 °C.'] },
    { content: ['You ', 'are welcome.'] },
  ],
});
const options = { model: 'mock', provider: { name: 'mock', baseUrl: mock.baseUrl } };

const weather = tool({
  name: 'weather',
  description: 'The weather in a city, now',
  input: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  execute: ({ city }) => ({ city, celsius: 24, sky: 'clear' }),
});
const turn = (prompt) => streamChatCompletions(prompt, options);

const conversation = [];
for (const question of ['How is the weather in Rome?', 'Thanks!']) {
  console.log(`> ${question}`);
  conversation.push(userMessage(question));
  const run = runTools({ input: conversation }, { turn, tools: [weather] }).pipe(
    tap((event) => {
      if (isTextDelta(event)) process.stdout.write(event.item.content[0].text);
      if (event.type === 'tool_finished') console.log(`[${event.output}]`);
    }),
  );
  const { items } = await lastValueFrom(run);
  conversation.push(...items);
  console.log();
}

for (const { type, role } of conversation) console.log(role ?? type);
await mock.close();
