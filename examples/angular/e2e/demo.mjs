// The built app with the mock provider behind it, or the mock provider alone for `ng serve` (--provider-only).
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';
import { demoAnswer } from '../src/demo/answers.mjs';
import { startStaticServer } from './static-server.mjs';

const asked = new Map();

/** "busy" in a question is refused twice first, "break" is cut off in the middle. */
function answers(request) {
  const question = String(request.body.messages.at(-1)?.content);
  const count = (asked.get(question) ?? 0) + 1;
  asked.set(question, count);
  if (/busy/i.test(question) && count % 3 !== 0) return { status: 429, retryAfter: { wait: 5_000 } };
  if (/break/i.test(question) && count % 2 === 1)
    return { content: ['The connection ', 'breaks ', 'he', { cut: 'reset' }] };
  return demoAnswer(request);
}

const provider = await startMockProvider({ answers, cors: true, pace: 40, port: 4010 });
if (process.argv.includes('--provider-only')) console.log(`The mock provider answers at ${provider.baseUrl}`);
else {
  const { address } = await startStaticServer({ port: 4200 });
  console.log(`The chat is at ${address({ 'chat-base-url': provider.baseUrl })}`);
}
