import OpenAI from 'openai';
import { firstValueFrom, from, lastValueFrom, of, toArray } from 'rxjs';
import { streamChatCompletions } from '../../src/index.js';
import { encodeEventStream } from '../../src/relay/encode-event-stream.js';
import { type ChatCompletion, toChatCompletion } from '../../src/relay/to-chat-completion.js';
import { toChatCompletionChunks } from '../../src/relay/to-chat-completion-chunks.js';
import { scriptedTransport } from '../../src/testing/index.js';
import type { ResponseEvent } from '../../src/turn/events.js';
import { describeCorpus, type Folder } from '../support/corpus.js';

/** What OpenAI's own client puts together from a stream, and what it reads of a whole answer. */
async function readByOpenAI(events: readonly ResponseEvent[], options: object) {
  const body = (answer: string, type: string) =>
    new OpenAI({
      apiKey: 'k',
      maxRetries: 0,
      fetch: () => Promise.resolve(new Response(answer, { headers: { 'content-type': type } })),
    });
  const pieces = await lastValueFrom(
    from(events).pipe(toChatCompletionChunks(options), encodeEventStream(), toArray()),
  );
  const completion = await firstValueFrom(from(events).pipe(toChatCompletion(options)));
  const ask = { model: 'm', messages: [{ role: 'user' as const, content: 'Hi' }] };
  const streamed = body(pieces.join(''), 'text/event-stream').chat.completions.stream(ask);
  const whole = await body(JSON.stringify(completion), 'application/json').chat.completions.create(ask);
  return {
    completion,
    whole: whole as unknown as ChatCompletion,
    streamed: (await streamed.finalChatCompletion()) as unknown as ChatCompletion,
    reasoning: pieces
      .join('')
      .split('\n')
      .filter((line) => line.startsWith('data: {'))
      .map((line) => JSON.parse(line.slice(6)) as { choices: [{ index: number; delta: object }] })
      .flatMap(({ choices }) => choices),
  };
}

/** The fields that OpenAI's format has: of any other, its client keeps the last delta. */
const official = ({ id, object, created, model, choices, usage }: ChatCompletion) => ({
  ...{ id, object, created, model, usage },
  choices: choices.map(({ index, finish_reason, logprobs, message }) => ({
    ...{ index, finish_reason, logprobs },
    message: {
      ...{ role: message.role, content: message.content, refusal: message.refusal },
      calls: (message.tool_calls ?? []).map(({ id: callId, type, function: called }) => [
        callId,
        type,
        called?.name,
        called?.arguments,
      ]),
    },
  })),
});

describeCorpus("what OpenAI's client puts together from the chunks of recorded turns", (corpus) => {
  const folders: readonly Folder[] = ['recordings', 'handwritten', 'derived'];
  const options = { id: 'chatcmpl-1', created: 7, model: 'mine' };

  it('is what toChatCompletion() gives, reasoning joined', async () => {
    let compared = 0;
    for (const folder of folders) {
      for (const { name, http_status: status = 200 } of corpus.recordings(folder)) {
        const turn = streamChatCompletions('Hi', {
          model: 'm',
          provider: { name: 'recorded', baseUrl: 'http://recorded.invalid/v1', maxRetries: 0 },
          transport: scriptedTransport({
            status,
            headers: { 'content-type': 'text/event-stream' },
            body: of(corpus.bytes(folder, name)),
          }),
        });
        const events = await lastValueFrom(turn.pipe(toArray())).catch(() => undefined);
        const end = events?.at(-1);
        // What is cut, or has no finish reason, OpenAI's client refuses.
        if (events === undefined || end?.type !== 'completed') continue;
        const reasons = [end.finishReason, ...(end.choices ?? []).map(({ finishReason }) => finishReason)];
        if (end.endedBy === 'eof' || (end.incompleteCalls ?? 0) > 0 || reasons.includes(null)) continue;
        const { completion, whole, streamed, reasoning } = await readByOpenAI(events, options);
        expect([name, official(streamed)]).toEqual([name, official(completion)]);
        expect([name, whole]).toEqual([name, JSON.parse(JSON.stringify(completion))]);
        for (const { index, message } of completion.choices) {
          const deltas = reasoning.filter((choice) => choice.index === index).map(({ delta }) => delta);
          const said = deltas.map((delta) =>
            'reasoning_content' in delta ? delta['reasoning_content'] : '',
          );
          expect([name, message.reasoning_content ?? '']).toEqual([name, said.join('')]);
        }
        compared += 1;
      }
    }
    expect(compared).toBeGreaterThan(300);
  }, 120_000);
});
