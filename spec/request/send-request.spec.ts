import { NEVER, Observable, of, throwError, timer } from 'rxjs';
import { fetchTransport, type ModelProvider } from '../../src/index.js';
import { type Answer, sendRequest, type SendRequestOptions } from '../../src/request/send-request.js';
import type { Transport } from '../../src/request/transport.js';
import { marbleTransport } from '../../src/testing/index.js';
import { diagnose } from '../../src/turn/diagnostics.js';
import {
  MissingApiKeyError,
  ResponseTimeoutError,
  StreamError,
  TransportError,
  UnexpectedStatusError,
} from '../../src/turn/errors.js';
import { failureOf, testScheduler } from '../support/marbles.js';

const provider: ModelProvider = { name: 'local', baseUrl: 'http://provider.test/v1' };
const body = '{"model":"m"}';

interface Given extends Partial<SendRequestOptions> {
  readonly transport: Transport;
}

/** What a turn would know of itself. */
const opened = (given: Given): SendRequestOptions => ({
  provider,
  demand: undefined,
  responseTimeout: Infinity,
  maxRetries: 4,
  maxRetryAfter: 60_000,
  options: {},
  scheduler: testScheduler(),
  log: diagnose(undefined),
  attempt: 0,
  failures: [],
  ownError: undefined,
  ...given,
});

const send = (given: Given): Observable<Answer> => sendRequest(body, opened(given));

/** The status of an answer whose body is taken, as `readAnswer` takes it, and left. */
const statusOf = (source: Observable<Answer>): Observable<number> =>
  new Observable((subscriber) =>
    source.subscribe({
      next: ({ response }) => {
        response.body.subscribe().unsubscribe();
        subscriber.next(response.status);
      },
      error: (error: unknown) => subscriber.error(error),
      complete: () => subscriber.complete(),
    }),
  );

describe('sendRequest', () => {
  it('sends one request for each subscription, and gives its answer', () => {
    testScheduler().run((helpers) => {
      const transport = marbleTransport(helpers, [{ response: '--r' }, { response: '-r' }]);
      const turn = opened({ transport });
      const sent = statusOf(sendRequest(body, turn));
      helpers.expectObservable(sent).toBe('--(s|)', { s: 200 });
      helpers.expectObservable(sent, '----^').toBe('-----(s|)', { s: 200 });
      helpers.expectSubscriptions(transport.connections[0]!.response.subscriptions).toBe('^-!');
      helpers.expectSubscriptions(transport.connections[1]!.response.subscriptions).toBe('----^!');
      helpers.flush();
      expect(turn.attempt).toBe(2);
      expect(transport.requests.map((request) => request.body)).toEqual([body, body]);
    });
  });

  it('aborts where it is unsubscribed before the headers, and not after them', () => {
    testScheduler().run((helpers) => {
      const transport = marbleTransport(helpers, [{ response: '---r' }]);
      helpers.expectObservable(send({ transport }), '^-!').toBe('---');
      helpers.expectSubscriptions(transport.connections[0]!.response.subscriptions).toBe('^-!');
      helpers.flush();
      expect(transport.aborted).toBe(1);
    });
  });

  it('asks for the key first, anew for each attempt, and is left while it waits', () => {
    const scheduler = testScheduler();
    scheduler.run((helpers) => {
      const key = helpers.cold('--k', { k: 'sk-test' });
      const transport = marbleTransport(helpers, [{ response: '-r' }, { response: '-r' }]);
      const withKey = { ...provider, apiKey: () => key };
      const sent = statusOf(send({ transport, provider: withKey, scheduler }));
      helpers.expectObservable(sent).toBe('---(s|)', { s: 200 });
      helpers.expectObservable(sent, '-----^-!').toBe('--------');
      helpers.expectSubscriptions(key.subscriptions).toBe(['^-!', '-----^-!']);
      helpers.flush();
      expect(transport.requests).toHaveLength(1);
    });
  });

  it('passes what an apiKey function fails with on as it is, and remembers it', () => {
    const error = new TransportError();
    const failing = { ...provider, apiKey: () => throwError(() => error) };
    const transport = jest.fn<ReturnType<Transport>, Parameters<Transport>>(() => NEVER);
    const turn = opened({ transport, provider: failing });
    expect(failureOf(sendRequest(body, turn))).toBe(error);
    expect(turn).toMatchObject({ attempt: 0, ownError: error });
    const keyless = { ...provider, apiKey: () => of('') };
    expect(failureOf(send({ transport, provider: keyless }))).toBeInstanceOf(MissingApiKeyError);
    expect(transport).not.toHaveBeenCalled();
  });

  it('sends nothing where the key does not come in time', () => {
    const scheduler = testScheduler();
    scheduler.run((helpers) => {
      const transport = jest.fn();
      const keys = helpers.cold('-');
      const turn = send({
        transport,
        scheduler,
        provider: { ...provider, apiKey: () => keys, apiKeyTimeout: 3 },
      });
      const error = new MissingApiKeyError('local', undefined, undefined, 3);
      helpers.expectObservable(turn).toBe('               ---#', undefined, error);
      helpers.expectSubscriptions(keys.subscriptions).toBe('^--!');
      helpers.flush();
      expect(transport).not.toHaveBeenCalled();
    });
  });

  it('errors where no headers come in time, counted from the request and not from the key', () => {
    const scheduler = testScheduler();
    scheduler.run((helpers) => {
      const transport = marbleTransport(helpers, [{ response: '------r' }]);
      const slowKey = { ...provider, apiKey: () => timer(4, scheduler) as Observable<never> };
      const sent = send({ transport, provider: slowKey, responseTimeout: 3, scheduler });
      helpers.expectObservable(sent).toBe('----#', undefined, new MissingApiKeyError('local'));
      const timed = send({ transport, responseTimeout: 3, scheduler });
      helpers.expectObservable(timed).toBe('---#', undefined, new ResponseTimeoutError(3));
    });
  });

  it.each([
    [200, undefined],
    [299, undefined],
    [199, 'UnexpectedStatusError'],
    [300, 'UnexpectedStatusError'],
    [404, 'UnexpectedStatusError'],
    [503, 'UnexpectedStatusError'],
  ])('takes status %i for %s', (status, name) => {
    testScheduler().run((helpers) => {
      const transport = marbleTransport(helpers, [{ response: 'r', status }]);
      const seen: unknown[] = [];
      statusOf(send({ transport })).subscribe({
        next: (value) => seen.push(value),
        error: (error: unknown) => seen.push((error as Error).name),
      });
      helpers.flush();
      expect(seen).toEqual([name ?? status]);
    });
  });

  it('reads the body of an error that no attempt follows', () => {
    const bodyOf = (given: Partial<Given>) => {
      let error: unknown;
      testScheduler().run((helpers) => {
        const frames = { a: '{"error":{"code":"down"}}' };
        const transport = marbleTransport(helpers, [{ response: 'r', status: 503, body: 'a|', frames }]);
        send({ transport, ...given }).subscribe({ error: (failure: unknown) => (error = failure) });
        helpers.flush();
      });
      return (error as UnexpectedStatusError).body;
    };
    expect(bodyOf({ maxRetries: 1 })).toBe('');
    expect(bodyOf({ maxRetries: 0 })).toBe('{"error":{"code":"down"}}');
    expect(bodyOf({ maxRetries: 1, attempt: 1 })).toBe('{"error":{"code":"down"}}');
    expect(bodyOf({ options: { retry: { retryable: () => true } } })).toBe('{"error":{"code":"down"}}');
  });

  describe('with a transport of the caller’s', () => {
    const failWith = (transport: unknown) => failureOf(send({ transport: transport as Transport }));

    it('gives an error of its own the type that stands for its place, and passes the library’s', () => {
      const foreign = new RangeError('foreign');
      const message = 'No response from "local" at http://provider.test. Check the base URL and the network.';
      expect(failWith(() => throwError(() => foreign))).toEqual(
        new TransportError({ message, cause: foreign }),
      );
      const own = new StreamError();
      expect(failWith(() => throwError(() => own))).toBe(own);
      expect(failWith(() => of())).toBeInstanceOf(TransportError);
      const thrown = failWith(() => {
        throw foreign;
      });
      expect(thrown).toEqual(new TransportError({ message, cause: foreign }));
      expect((thrown as TransportError).cause).toMatchObject({ name: 'RangeError', message: 'foreign' });
    });

    it('takes the key out of the cause of an error that is the library’s', () => {
      const given = { ...provider, apiKey: 'sk-secret-key', apiKeyHeader: 'X-Mine' };
      const own = new TransportError({ cause: Object.assign(new Error('sk-secret-key'), { config: 'c' }) });
      const error = failureOf(send({ transport: () => throwError(() => own), provider: given }));
      expect(error).toBe(own);
      expect(own.cause).toEqual(new Error('***'));
      expect(own.cause).not.toHaveProperty('config');
    });

    it('tells a TypeError that it throws as the caller’s mistake, without a secret', () => {
      const given = { ...provider, apiKey: 'sk-secret-key' };
      const thrower: Transport = ({ headers }) => {
        throw new TypeError(`no such header: ${headers['Authorization']}`);
      };
      const error = failureOf(send({ transport: thrower, provider: given })) as Error;
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toBe('options.transport threw a TypeError.');
      expect((error.cause as Error).message).not.toContain('sk-secret-key');
    });

    it.each<[string, unknown]>([
      ['a function, as a factory that was not called gives', fetchTransport],
      ['nothing', () => undefined],
      ['a promise', () => Promise.resolve()],
    ])('that returns %s: tells so', (_, transport) => {
      expect(failWith(transport)).toEqual(
        new TypeError('options.transport must return an Observable. Did you mean fetchTransport()?'),
      );
    });
  });
});
