// A turn in OpenTelemetry: one span that covers a retry, a break and a restart. This example prints the spans; an
// application registers an SDK with its own exporter, and the HTTP client's spans are then children of the turn's.
import { BasicTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { lastValueFrom } from 'rxjs';
import { restartOnBreak, streamChatCompletions } from 'rxjs-chat-completions';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';
import { traceTurn } from 'rxjs-chat-completions/otel';

const print = {
  export(spans, done) {
    for (const { name, attributes, events } of spans) {
      console.log(name);
      for (const [key, value] of Object.entries(attributes)) console.log(`  ${key}: ${value}`);
      for (const event of events) console.log(`  ${event.name} after ${event.attributes['error.type']}`);
    }
    done({ code: 0 });
  },
  shutdown: () => Promise.resolve(),
};
const tracer = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(print)] }).getTracer(
  'example',
);

const mock = await startMockProvider({
  pace: 0,
  answers: [{ status: 503 }, { content: ['Once upon ', { cut: 'close' }] }, { content: 'Once upon a time.' }],
});
const options = {
  model: 'mock',
  provider: { name: 'mock', baseUrl: mock.baseUrl },
  retry: { initialDelay: 10 },
  includeUsage: true,
};

const turn = traceTurn({ tracer }, (traced) =>
  streamChatCompletions('Tell me a story.', traced(options)).pipe(restartOnBreak({ initialDelay: 10 })),
);
await lastValueFrom(turn);
await mock.close();
