// Smooths bursty text, such as from a buffering proxy, word by word. Intl.Segmenter finds the words of
// Chinese, which has no spaces.
import { lastValueFrom, tap } from 'rxjs';
import { smooth, streamChatCompletions, textDeltas } from 'rxjs-chat-completions';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';

const content = [
  'Sunlight is scattered by the air, and blue light more than red',
  { wait: 300 },
  ', so the sky is blue.\n',
  { wait: 300 },
  '阳光被空气散射，蓝光比红光散射得更多，所以天空是蓝色的。',
];
const mock = await startMockProvider({ answers: [{ content }] });
const options = { model: 'mock', provider: { name: 'mock', baseUrl: mock.baseUrl } };

const write = (mark) => tap((text) => process.stdout.write(text + mark));
await lastValueFrom(
  streamChatCompletions('Why is the sky blue?', options).pipe(
    smooth({ delay: 20 }),
    textDeltas(),
    // Shows where the text is split.
    write('·'),
  ),
);
console.log();
await mock.close();
