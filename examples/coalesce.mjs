// Many deltas, few updates: all text within 50 ms becomes one event, so the page repaints about twenty
// times a second however fast the model is. In a browser, coalesce(animationFrames) emits one event per
// frame.
import { lastValueFrom, tap } from 'rxjs';
import { accumulate, coalesce, streamChatCompletions } from 'rxjs-chat-completions';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';

const content = Array.from({ length: 300 }, (_, index) => `${index} `);
const mock = await startMockProvider({ answers: [{ content }], pace: 2 });
const options = { model: 'mock', provider: { name: 'mock', baseUrl: mock.baseUrl } };

let events = 0;
let paints = 0;
const turn = await lastValueFrom(
  streamChatCompletions('Count to 300.', options).pipe(
    tap(() => (events += 1)),
    coalesce(50),
    accumulate(),
    tap(() => (paints += 1)),
  ),
);
console.log(`${events} events, ${paints} paints, ${turn.text.length} characters`);
await mock.close();
