// A consumer slower than the model: iterateChatCompletions reads the network only as fast as the loop takes
// events, so memory stays flat, as an endless answer shows. `break` aborts the request.
import { setTimeout as sleep } from 'node:timers/promises';
import { isTextDelta, iterateChatCompletions } from 'rxjs-chat-completions';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';

const megabyte = 'x'.repeat(2 ** 20);
let written = 0;
function* endless() {
  for (;;) {
    written += 1;
    yield megabyte;
  }
}
const mock = await startMockProvider({ answers: [{ content: endless() }], pace: 0 });
const options = { model: 'mock', provider: { name: 'mock', baseUrl: mock.baseUrl }, highWaterMark: 4 };

let taken = 0;
for await (const event of iterateChatCompletions('Tell me everything.', options)) {
  if (!isTextDelta(event)) continue;
  taken += 1;
  await sleep(15);
  if (taken % 4 === 0) console.log(`taken ${taken} MiB, written by the provider ${written} MiB`);
  if (taken === 16) break;
}

await mock.whenAborted();
console.log('the provider was told to stop');
await mock.close();
