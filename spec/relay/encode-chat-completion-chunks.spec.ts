import { concat, from, map, throwError } from 'rxjs';
import {
  ProviderStreamError,
  StreamError,
  TransportError,
  UnexpectedStatusError,
} from '../../src/turn/errors.js';
import {
  encodeChatCompletionChunks,
  type EncodeChatCompletionChunksOptions,
} from '../../src/relay/encode-chat-completion-chunks.js';
import { decodeChatCompletions } from '../../src/response/decode-chat-completions.js';
import { decodeEventStream } from '../../src/response/decode-event-stream.js';
import { failureOf, received, testScheduler } from '../support/marbles.js';

const answer = (error: unknown, options?: EncodeChatCompletionChunksOptions) =>
  received(throwError(() => error).pipe(encodeChatCompletionChunks(options)));

const errorEvent = (fields: object) => [
  `data: ${JSON.stringify({
    error: { message: 'The answer broke off.', type: 'server_error', param: null, code: null, ...fields },
  })}\n\n`,
];

describe('encodeChatCompletionChunks', () => {
  it('writes an event for each chunk, and [DONE] at the end', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-|', { a: { id: 'x' }, b: { text: 'line\nline' } });
      expectObservable(source.pipe(encodeChatCompletionChunks())).toBe('-a-b-(d|)', {
        a: 'data: {"id":"x"}\n\n',
        b: 'data: {"text":"line\\nline"}\n\n',
        d: 'data: [DONE]\n\n',
      });
      expectSubscriptions(source.subscriptions).toBe('^----!');
    });
  });

  it('writes an error as an event without [DONE], and completes', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      expectObservable(cold('-a-#', { a: {} }).pipe(encodeChatCompletionChunks())).toBe('-a-(e|)', {
        a: 'data: {}\n\n',
        e: errorEvent({})[0],
      });
    });
  });

  it('unsubscribes from the source with its subscriber', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('---a', { a: {} });
      expectObservable(source.pipe(encodeChatCompletionChunks()), '^-!').toBe('---');
      expectSubscriptions(source.subscriptions).toBe('^-!');
    });
  });

  it("tells of an error its code, where it is this library's, and nothing that anybody said", () => {
    const said = { code: 'rate_limit_exceeded', type: 'requests', message: 'PRIVATE' };
    expect(answer(new ProviderStreamError(said))).toEqual(errorEvent({ code: 'rate_limit_exceeded' }));
    expect(
      answer(new UnexpectedStatusError({ status: 401, code: 'no identifier', body: 'PRIVATE' })),
    ).toEqual(errorEvent({}));
    expect(answer(new TransportError({ cause: new Error('PRIVATE') }))).toEqual(errorEvent({}));
    expect(answer(Object.assign(new Error('PRIVATE'), { code: 'PRIVATE' }))).toEqual(errorEvent({}));
    expect(answer('PRIVATE')).toEqual(errorEvent({}));
  });

  it('tells what toError says, the default where that says nothing', () => {
    const error = new ProviderStreamError({ code: 'overloaded' });
    const toError = () => ({ message: 'Come back later.', param: 'model' });
    expect(answer(error, { toError })).toEqual(
      errorEvent({ message: 'Come back later.', param: 'model', code: 'overloaded' }),
    );
    expect(answer(error, { toError: () => ({ code: null, type: 'busy' }) })).toEqual(
      errorEvent({ type: 'busy' }),
    );
  });

  it('errors with what toError throws', () => {
    const thrown = new Error('thrown');
    const toError = () => {
      throw thrown;
    };
    expect(failureOf(throwError(() => 'x').pipe(encodeChatCompletionChunks({ toError })))).toBe(thrown);
  });

  it('writes a chunk that is no JSON as an error', () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    expect(received(from([circular]).pipe(encodeChatCompletionChunks()))).toEqual(errorEvent({}));
  });

  it('is read as an error of the provider', () => {
    const broken = concat(
      from([{ choices: [] }]),
      throwError(() => new StreamError()),
    );
    const read = broken.pipe(
      encodeChatCompletionChunks({ toError: () => ({ code: 'cut' }) }),
      map((text) => new TextEncoder().encode(text)),
      decodeEventStream(),
      decodeChatCompletions(),
    );
    expect(failureOf(read)).toEqual(new ProviderStreamError({ code: 'cut', type: 'server_error' }));
  });
});
