// One turn, printed as it streams.
// A mock provider in this process answers, so no key is needed.
import { finalize } from 'rxjs';
import { streamChatCompletions, textDeltas } from 'rxjs-chat-completions';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';

const mock = await startMockProvider();
const provider = { name: 'mock', baseUrl: mock.baseUrl };

streamChatCompletions('Why is the sky blue?', { model: 'mock', provider })
  .pipe(
    textDeltas(),
    finalize(() => mock.close()),
  )
  .subscribe({
    next: (text) => process.stdout.write(text),
    error: (error) => console.error(error.message),
    complete: () => console.log(),
  });
