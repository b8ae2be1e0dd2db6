// A run in OpenTelemetry: a tree of spans for its turns and for a tool that itself calls a model.
import { BasicTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { lastValueFrom, reduce } from 'rxjs';
import { runTools, streamChatCompletions, textDeltas, tool } from 'rxjs-chat-completions';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';
import { traced, traceRun } from 'rxjs-chat-completions/otel';

const ended = [];
const keep = {
  export(spans, done) {
    ended.push(...spans);
    done({ code: 0 });
  },
  shutdown: () => Promise.resolve(),
};
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(keep)] });
const tracer = provider.getTracer('example');

const mock = await startMockProvider({
  pace: 0,
  answers: [
    { content: [{ toolCall: { name: 'research', arguments: { topic: 'weather' } } }] },
    { content: 'The sun shines.' },
    { content: 'Take a hat.' },
  ],
});
const options = traced({ model: 'mock', provider: { name: 'mock', baseUrl: mock.baseUrl } }, { tracer });

// A tool that runs a turn: the turn's span is a child of the tool's.
const research = tool({
  name: 'research',
  input: { type: 'object', properties: { topic: { type: 'string' } } },
  execute: ({ topic }) =>
    streamChatCompletions(`Find out about: ${topic}`, options).pipe(
      textDeltas(),
      reduce((text, delta) => text + delta, ''),
    ),
});

const run = traceRun({ tracer, agentName: 'travel-desk' }, (tracedRun) =>
  runTools(
    'What should I pack?',
    tracedRun({ turn: (prompt) => streamChatCompletions(prompt, options), tools: [research] }),
  ),
);
await lastValueFrom(run);
await mock.close();

function print(parent, indent) {
  for (const span of ended.filter(({ parentSpanContext }) => parentSpanContext?.spanId === parent)) {
    console.log(`${indent}${span.name}: ${span.attributes['rxjs_chat_completions.outcome']}`);
    print(span.spanContext().spanId, `${indent}  `);
  }
}
print(undefined, '');
