// Text that comes in bursts, as through a proxy that buffers, is given out word by word. The words of
// Chinese, which has no spaces, are told by Intl.Segmenter.
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
    // Shows where the text is cut.
    write('·'),
  ),
);
console.log();
await mock.close();
