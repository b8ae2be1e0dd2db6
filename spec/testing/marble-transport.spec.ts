import { concatMap, map, timer } from 'rxjs';
import {
  IdleTimeoutError,
  StreamError,
  streamChatCompletions,
  textDeltas,
  TransportError,
} from '../../src/index.js';
import {
  completedEvent,
  doneChunk,
  type MarbleAnswer,
  marbleTransport,
  textChunk,
  textEvent,
} from '../../src/testing/index.js';
import { provider } from '../support/events.js';
import { testScheduler } from '../support/marbles.js';

const frames = { a: textChunk('Hel'), b: textChunk('lo'), D: doneChunk() };
const texts = { a: 'Hel', b: 'lo' };
const request = { url: 'http://provider.test', method: 'POST', headers: {}, body: '{}' } as const;
const noJitter = { jitter: 0 };

describe('marbleTransport()', () => {
  it('draws a turn that is rate limited, waits two seconds, streams, and is cancelled by its user', () => {
    testScheduler().run((helpers) => {
      const transport = marbleTransport(helpers, [
        { response: '--r', status: 429, headers: { 'retry-after': '2' } },
        { response: '-r', body: '-a-b', frames: { a: textChunk('Hel'), b: textChunk('lo') } },
      ]);
      const turn = streamChatCompletions('Hi', { model: 'm', provider, transport });
      helpers
        .expectObservable(turn.pipe(textDeltas()), '-- 2s -----!')
        .toBe('-- 2s --a-b-', { a: 'Hel', b: 'lo' });
      helpers.expectSubscriptions(transport.connections[1]!.body.subscriptions).toBe('-- 2s -^---!');
      helpers.flush();
      expect(transport.aborted).toBe(1);
    });
  });

  it('opens one connection for each request: what failed, what was waited for, what was read', () => {
    testScheduler().run((helpers) => {
      const transport = marbleTransport(helpers, [
        { response: '-#', error: new Error('refused') },
        { response: '--r', status: 500, body: '---|' },
        { response: '1s r', body: '-a-b-(D|)', frames },
      ]);
      const turn = streamChatCompletions('Hi', { model: 'm', provider, transport, retry: noJitter });
      helpers.expectObservable(turn).toBe('- 200ms -- 400ms 1s -a-b-(C|)', {
        a: textEvent('Hel'),
        b: textEvent('lo'),
        C: completedEvent({ finishReason: null, endedBy: 'done' }),
      });
      const [refused, failed, answered] = transport.connections;
      helpers.expectSubscriptions(refused!.response.subscriptions).toBe('^!');
      helpers.expectSubscriptions(refused!.body.subscriptions).toBe([]);
      helpers.expectSubscriptions(failed!.response.subscriptions).toBe('- 200ms ^-!');
      // The body of an answer that is retried is not read.
      helpers.expectSubscriptions(failed!.body.subscriptions).toBe([]);
      helpers.expectSubscriptions(answered!.response.subscriptions).toBe('- 200ms -- 400ms ^ 999ms !');
      helpers.expectSubscriptions(answered!.body.subscriptions).toBe('- 200ms -- 400ms 1s ^----!');
      helpers.flush();
      expect(transport.requests).toHaveLength(3);
      expect(transport.aborted).toBe(1);
    });
  });

  it('counts an unsubscribe while the headers are waited for as an abort', () => {
    testScheduler().run((helpers) => {
      const transport = marbleTransport(helpers, [{ response: '-' }]);
      const turn = streamChatCompletions('Hi', { model: 'm', provider, transport });
      helpers.expectObservable(turn, '^--!').toBe('----');
      helpers.expectSubscriptions(transport.connections[0]!.response.subscriptions).toBe('^--!');
      helpers.expectSubscriptions(transport.connections[0]!.body.subscriptions).toBe([]);
      helpers.flush();
      expect(transport.aborted).toBe(1);
    });
  });

  it('draws silence: the idle limit aborts the body', () => {
    testScheduler().run((helpers) => {
      const transport = marbleTransport(helpers, [{ body: '-a', frames }]);
      const turn = streamChatCompletions('Hi', { model: 'm', provider, transport, idleTimeout: 30_000 });
      helpers
        .expectObservable(turn.pipe(textDeltas()))
        .toBe('-a 29999ms #', texts, new IdleTimeoutError(30_000));
      helpers.expectSubscriptions(transport.connections[0]!.body.subscriptions).toBe('^ 30000ms !');
      helpers.flush();
      expect(transport.aborted).toBe(1);
    });
  });

  it('draws a break of the body, with the error that is given', () => {
    testScheduler().run((helpers) => {
      const cause = new Error('reset');
      const transport = marbleTransport(helpers, [{ body: '-a-#', frames, error: cause }]);
      const turn = streamChatCompletions('Hi', { model: 'm', provider, transport });
      helpers.expectObservable(turn.pipe(textDeltas())).toBe('-a-#', texts, new StreamError({ cause }));
    });
  });

  it('takes each letter for one read: bytes, text, or the letter itself', () => {
    testScheduler().run((helpers) => {
      const euro = new TextEncoder().encode(textChunk('€'));
      const at = euro.indexOf(0xe2) + 1;
      const transport = marbleTransport(helpers, [
        { body: '-a-b-:-|', frames: { a: euro.subarray(0, at), b: euro.subarray(at) } },
      ]);
      const turn = streamChatCompletions('Hi', { model: 'm', provider, transport });
      helpers.expectObservable(turn.pipe(textDeltas())).toBe('---a---|', { a: '€' });
    });
  });

  it('waits for demand between two reads', () => {
    testScheduler().run((helpers) => {
      const transport = marbleTransport(helpers, [{ body: '(ab|)' }]);
      const text = transport({ ...request, demand: () => timer(3) }).pipe(
        concatMap(({ body }) => body),
        map((bytes) => new TextDecoder().decode(bytes)),
      );
      helpers.expectObservable(text).toBe('a--b--|');
    });
  });

  it.each<[string, readonly MarbleAnswer[], string]>([
    ['a request beyond the marbles', [], 'marbleTransport has 0 responses; request 1 has none.'],
    [
      'marbles that complete without a response',
      [{ response: '|' }],
      'The marbles of answer 1 complete without a response.',
    ],
  ])('fails %s at once: it is not retried', (_, answers, message) => {
    testScheduler().run((helpers) => {
      const transport = marbleTransport(helpers, answers);
      const turn = streamChatCompletions('Hi', { model: 'm', provider, transport });
      helpers.expectObservable(turn).toBe('#', {}, new TransportError({ message, retryable: false }));
      helpers.flush();
      expect(transport.requests).toHaveLength(1);
      expect(transport.aborted).toBe(0);
    });
  });
});
