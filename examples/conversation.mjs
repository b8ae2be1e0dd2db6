// A conversation with a tool: outputItems() gives what each turn adds to it, which is sent with the next one.
import { lastValueFrom, toArray } from 'rxjs';
import { functionCallOutput, outputItems, streamChatCompletions, userMessage } from 'rxjs-chat-completions';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';

const mock = await startMockProvider({
  answers: [
    { content: [{ toolCall: { name: 'weather', arguments: { city: 'Rome' } } }] },
    { content: 'Sunny, 24 °C.' },
  ],
});
const options = { model: 'mock', provider: { name: 'mock', baseUrl: mock.baseUrl } };
const city = { type: 'object', properties: { city: { type: 'string' } } };
const tools = [{ type: 'function', name: 'weather', parameters: city }];
const weather = (json) => `24 °C and sunny in ${JSON.parse(json).city}`;

const conversation = [userMessage('How is the weather in Rome?')];

async function ask() {
  const turn = streamChatCompletions({ input: conversation, tools }, options);
  const items = await lastValueFrom(turn.pipe(outputItems(), toArray()));
  conversation.push(...items);
  return items.filter(({ type }) => type === 'function_call');
}

for (let calls = await ask(); calls.length > 0; calls = await ask()) {
  conversation.push(...calls.map((call) => functionCallOutput(call.call_id, weather(call.arguments))));
}

for (const { type, role, name, arguments: json, output, content } of conversation) {
  console.log(role ?? type, name ?? '', json ?? output ?? content.map(({ text }) => text).join(''));
}
await mock.close();
