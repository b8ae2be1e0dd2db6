import { concat, endWith, from, identity, NEVER, of, range, map, throwError } from 'rxjs';
import { UnexpectedStatusError } from '../../src/turn/errors.js';
import { errorAnswer, isRetryableStatus, readErrorBody } from '../../src/request/error-answer.js';
import { redact, sought } from '../../src/request/secrets.js';
import type { HttpResponse } from '../../src/request/transport.js';
import { toBytes, toHeaders } from '../../src/testing/answer.js';
import { received, testScheduler } from '../support/marbles.js';

const limit = 64 * 1024;

const answer = (
  status: number,
  headers: Record<string, string> = {},
  body: HttpResponse['body'] = NEVER,
): HttpResponse => ({ status, headers: toHeaders(headers), body });

const json = (status: number, body: unknown, headers?: Record<string, string>) =>
  errorAnswer(answer(status, headers), JSON.stringify(body), identity, 0);

describe('isRetryableStatus', () => {
  it.each([
    [429, true],
    [500, true],
    [503, true],
    [529, true],
    [599, true],
    [300, false],
    [400, false],
    [401, false],
    [404, false],
    [408, false],
    [409, false],
    [425, false],
    [428, false],
    [430, false],
    [499, false],
    [600, false],
  ])('of %i is %s', (status, expected) => {
    expect(isRetryableStatus(answer(status))).toBe(expected);
  });

  it.each([
    [400, 'true', true],
    [503, 'false', false],
    [429, 'false', false],
    [503, 'maybe', true],
    [400, '', false],
  ])('of %i with x-should-retry %j is %s', (status, wish, expected) => {
    expect(isRetryableStatus(answer(status, { 'x-should-retry': wish }))).toBe(expected);
  });
});

describe('errorAnswer', () => {
  it('holds what the answer said of itself', () => {
    const body = JSON.stringify({ error: { message: 'Slow down.', type: 'requests', code: 'rate_limit' } });
    const response = answer(429, { 'X-Request-Id': 'req_1', 'Retry-After': '2' });
    const error = errorAnswer(response, body, identity, 0);
    expect(error).toBeInstanceOf(UnexpectedStatusError);
    expect(Object.fromEntries(Object.entries(error))).toEqual({
      status: 429,
      code: 'rate_limit',
      requestId: 'req_1',
      retryAfter: 2_000,
      retryable: true,
    });
    expect(error.body).toBe(body);
  });

  it('measures a Retry-After date against the given present', () => {
    const headers = { 'Retry-After': 'Sun, 06 Nov 1994 08:49:47 GMT' };
    const now = Date.UTC(1994, 10, 6, 8, 49, 37);
    expect(errorAnswer(answer(503, headers), '', identity, now).retryAfter).toBe(10_000);
  });

  it('takes the type for the code where there is no code', () => {
    expect(json(400, { error: { type: 'invalid_request_error' } }).code).toBe('invalid_request_error');
  });

  it.each(['', 'not JSON', '[]', 'null', '"text"'])('has no code where the body is %j', (body) => {
    const error = errorAnswer(answer(500), body, identity, 0);
    expect(error.code).toBeUndefined();
    expect(error.body).toBe(body);
  });

  it.each([
    ['code', { code: 'insufficient_quota' }],
    ['type', { type: 'insufficient_quota', code: null }],
    ['code', { code: 'billing_hard_limit_reached' }],
  ])('is not retryable with a 429 whose %s says that the quota is spent: %j', (_, error) => {
    expect(json(429, { error }).retryable).toBe(false);
    expect(json(429, { error }, { 'x-should-retry': 'true' }).retryable).toBe(false);
  });

  it('is not retryable with a 429 whose code is that of a spent balance at Moonshot', () => {
    expect(json(429, { error: { type: 'exceeded_current_quota_error' } }).retryable).toBe(false);
  });

  it.each<[string, object, Record<string, string>]>([
    [
      "Google's quota id",
      { details: [{ violations: [{ quotaId: 'GenerateRequestsPerDayPerProject-FreeTier' }] }] },
      {},
    ],
    [
      "Google's quota id beside a retryDelay",
      { details: [{ quotaId: 'RequestsPerDay' }, { retryDelay: '5s' }] },
      {},
    ],
    [
      "Google's metric",
      { message: 'Quota exceeded for metric: x/requests_per_day. Please retry in 5s.' },
      {},
    ],
    ['a quota id beside a Retry-After', { quotaId: 'RequestsPerDay' }, { 'Retry-After': '1' }],
    ['words, and no wait is named', { message: 'Rate limit exceeded: free-models-per-day' }, {}],
    ['the word daily, and no wait is named', { message: 'You have hit your daily limit.' }, {}],
  ])('is not retryable with a 429 about a quota of the day: %s', (_, error, headers) => {
    expect(json(429, { error }, headers).retryable).toBe(false);
    expect(json(429, { error }, { ...headers, 'x-should-retry': 'true' }).retryable).toBe(false);
    expect(json(503, { error }, headers).retryable).toBe(true);
  });

  it.each<[string, object, Record<string, string>]>([
    ['the words name it', { message: 'On requests per day: used 200. Please try again in 7.2s.' }, {}],
    ['a header names it', { message: 'Daily limit.' }, { 'Retry-After': '7.2' }],
    ['a reset names it', { message: 'Daily limit.' }, { 'x-ratelimit-reset-requests': '7.2s' }],
  ])('believes a wait that is asked for beside words about the day: %s', (_, error, headers) => {
    const { retryable, retryAfter } = json(429, { error }, headers);
    expect({ retryable, retryAfter }).toEqual({ retryable: true, retryAfter: 7_200 });
  });

  it('takes the wait from the headers, else from the body, else from the reset of a rate limit', () => {
    const reset = { 'x-ratelimit-reset-requests': '3s' };
    const error = { message: 'Please try again in 2s.' };
    expect(json(429, { error }, { ...reset, 'Retry-After': '1' }).retryAfter).toBe(1_000);
    expect(json(429, { error }, { ...reset, 'retry-after-ms': '4' }).retryAfter).toBe(4);
    expect(json(429, { error }, { ...reset, 'Retry-After': 'soon' }).retryAfter).toBe(2_000);
    expect(json(429, { error }, reset).retryAfter).toBe(2_000);
    expect(json(429, {}, reset).retryAfter).toBe(3_000);
    expect(json(429, {}).retryAfter).toBeUndefined();
  });

  it('reads the wait in a body of any status that is retried, and in no other', () => {
    const error = { message: 'Please try again in 2s.' };
    expect(json(503, { error }).retryAfter).toBe(2_000);
    expect(json(400, { error }, { 'x-should-retry': 'true' }).retryAfter).toBe(2_000);
    expect(json(400, { error }).retryAfter).toBeUndefined();
  });

  it('reads the reset of a rate limit with 429 alone', () => {
    expect(json(503, {}, { 'x-ratelimit-reset-requests': '3s' }).retryAfter).toBeUndefined();
  });

  it('reads a wait in plain text', () => {
    expect(errorAnswer(answer(429), 'Slow down. Retry in 2 seconds.', identity, 0).retryAfter).toBe(2_000);
  });

  it('knows spent quotas of 429 alone', () => {
    expect(json(503, { error: { code: 'insufficient_quota' } }).retryable).toBe(true);
  });

  it.each([
    [400, 'true', true],
    [503, 'false', false],
  ])('with %i and x-should-retry %s has retryable %s', (status, wish, retryable) => {
    expect(json(status, {}, { 'x-should-retry': wish }).retryable).toBe(retryable);
  });

  it('replaces the secrets of the request wherever the body repeats them', () => {
    const body = JSON.stringify({ error: { message: 'Bad key sk-secret-key.', code: 'sk-secret-key' } });
    const error = errorAnswer(answer(401), body, (text) => redact(text, sought(['sk-secret-key'])), 0);
    expect(error.body).toBe('{"error":{"message":"Bad key ***.","code":"***"}}');
    expect(error.message).not.toContain('sk-secret-key');
    expect(error.code).toBeUndefined();
  });
});

describe('readErrorBody', () => {
  it('gives the text when the body ends', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable, expectSubscriptions }) => {
      const body = cold('-a-b-|', { a: toBytes('no '), b: toBytes('way') });
      expectObservable(readErrorBody(answer(400, {}, body), scheduler)).toBe('-----(t|)', { t: 'no way' });
      expectSubscriptions(body.subscriptions).toBe('                          ^----!');
    });
  });

  it('gives an empty text for an empty body', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable }) => {
      const body = cold<Uint8Array>('--|');
      expectObservable(readErrorBody(answer(400, {}, body), scheduler)).toBe('--(t|)', { t: '' });
    });
  });

  it('gives what came within 5 s of a body that stalls, and ends it', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable, expectSubscriptions }) => {
      const body = cold('-a 4997ms b-c', { a: toBytes('in '), b: toBytes('time'), c: toBytes(' late') });
      const text = readErrorBody(answer(400, {}, body), scheduler);
      expectObservable(text).toBe('5s (t|)', { t: 'in time' });
      expectSubscriptions(body.subscriptions).toBe('^ 4999ms !');
    });
  });

  it('counts its time on the given scheduler', () => {
    const scheduler = testScheduler();
    const schedule = jest.spyOn(scheduler, 'schedule');
    expect(received(readErrorBody(answer(400), scheduler))).toEqual([]);
    expect(schedule.mock.calls.map(([, delay]) => delay)).toEqual([5_000]);
  });

  it('gives what came of a body that breaks', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable }) => {
      const body = cold('-a-#', { a: toBytes('half') });
      expectObservable(readErrorBody(answer(400, {}, body), scheduler)).toBe('---(t|)', { t: 'half' });
    });
  });

  it('unsubscribes from the body with its subscriber', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable, expectSubscriptions }) => {
      const body = cold('-a-', { a: toBytes('half') });
      expectObservable(readErrorBody(answer(400, {}, body), scheduler), '^--!').toBe('');
      expectSubscriptions(body.subscriptions).toBe('                    ^--!');
    });
  });

  it('stops reading at 64 KiB and cuts what is beyond', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable, expectSubscriptions }) => {
      const body = cold('-a-b-c', { a: toBytes('a'.repeat(limit - 2)), b: toBytes('bcd'), c: toBytes('e') });
      const text = readErrorBody(answer(400, {}, body), scheduler);
      expectObservable(text).toBe('---(t|)', { t: `${'a'.repeat(limit - 2)}bc` });
      expectSubscriptions(body.subscriptions).toBe('^--!');
    });
  });

  it('gives a body of exactly 64 KiB without waiting for its end', () => {
    const body = concat(of(toBytes('x'.repeat(limit))), NEVER);
    expect(received(readErrorBody(answer(400, {}, body), testScheduler()))).toEqual(['x'.repeat(limit)]);
  });

  it('waits for the rest of a body that is one byte short of 64 KiB', () => {
    const body = concat(of(toBytes('x'.repeat(limit - 1))), NEVER);
    expect(received(readErrorBody(answer(400, {}, body), testScheduler()))).toEqual([]);
  });

  it('stops an endless synchronous body', () => {
    const body = range(0, Infinity).pipe(map(() => toBytes('x'.repeat(1_024))));
    expect(received(readErrorBody(answer(400, {}, body), testScheduler()))).toEqual(['x'.repeat(limit)]);
  });

  it('drops a character that the 64 KiB cut in two', () => {
    const body = of(toBytes(`${'x'.repeat(limit - 1)}é`));
    expect(received(readErrorBody(answer(400, {}, body), testScheduler()))).toEqual(['x'.repeat(limit - 1)]);
  });

  it('joins a character that two reads cut in two', () => {
    const bytes = toBytes('é');
    const body = from([bytes.subarray(0, 1), bytes.subarray(1)]);
    expect(received(readErrorBody(answer(400, {}, body), testScheduler()))).toEqual(['é']);
  });

  it('gives a text in which a key that the 64 KiB cut in two is recognised', () => {
    const key = 'sk-0123456789abcdef';
    const body = of(toBytes('x'.repeat(limit - 10)), toBytes(key));
    const [text] = received(readErrorBody(answer(401, {}, body), testScheduler()));
    expect(text?.endsWith('xsk-0123456')).toBe(true);
    const error = errorAnswer(answer(401), text ?? '', (told) => redact(told, sought([key])), 0);
    expect(error.body.endsWith('x***')).toBe(true);
    expect(error.body).not.toContain('sk-');
  });

  it('gives an empty text for a body that is broken from the start', () => {
    const body = throwError(() => new Error('reset')).pipe(endWith(toBytes('')));
    expect(received(readErrorBody(answer(400, {}, body), testScheduler()))).toEqual(['']);
  });
});
