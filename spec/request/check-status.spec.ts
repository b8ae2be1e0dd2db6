import { catchError, identity, NEVER, of } from 'rxjs';
import { UnexpectedStatusError } from '../../src/turn/errors.js';
import { checkStatus, type CheckStatusOptions } from '../../src/request/check-status.js';
import type { HttpResponse } from '../../src/request/transport.js';
import { toBytes, toHeaders } from '../../src/testing/answer.js';
import { failureOf, received, testScheduler } from '../support/marbles.js';

const never = () => false;
const always = () => true;

const told = ({ status, body }: UnexpectedStatusError) => ({ status, body });

interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly needsBody?: CheckStatusOptions['needsBody'];
}

/** What comes of an answer whose body is `ab` and takes 4 ms, and when its body was read. */
function expectError(
  { status, headers = {}, needsBody = never }: Answer,
  { result, read, body }: { result: string; read: string | string[]; body: string },
): void {
  const scheduler = testScheduler();
  scheduler.run(({ cold, expectObservable, expectSubscriptions }) => {
    const bytes = cold('-a-b|', { a: toBytes('a'), b: toBytes('b') });
    const response: HttpResponse = { status, headers: toHeaders(headers), body: bytes };
    const checked = cold('--(r|)', { r: response }).pipe(
      checkStatus({ needsBody, redact: identity, scheduler }),
      // Marbles compare the message of an error alone.
      catchError((error: unknown) => of(error instanceof UnexpectedStatusError && told(error))),
    );
    expectObservable(checked).toBe(result, { e: { status, body } });
    expectSubscriptions(bytes.subscriptions).toBe(read);
  });
}

describe('checkStatus', () => {
  it.each([200, 201, 299])('lets %i through, its body untouched', (status) => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable, expectSubscriptions }) => {
      const body = cold<Uint8Array>('-|');
      const r: HttpResponse = { status, headers: toHeaders(), body };
      const checked = cold('--(r|)', { r }).pipe(
        checkStatus({ needsBody: always, redact: identity, scheduler }),
      );
      expectObservable(checked).toBe('--(r|)', { r });
      expectSubscriptions(body.subscriptions).toBe([]);
    });
  });

  const unread = { result: '--(e|)', read: [], body: '' };
  const whole = { result: '------(e|)', read: '--^---!', body: 'ab' };

  it.each<[string, Answer, typeof unread | typeof whole]>([
    ['a 5xx after which an attempt follows leaves its body unsubscribed', { status: 503 }, unread],
    ['a 5xx after which none follows has its body', { status: 503, needsBody: always }, whole],
    ['a 429 has its body, where the quota code stands', { status: 429 }, whole],
    ['a status that is not retried has its body', { status: 400 }, whole],
    ['the status after the last of success has its body', { status: 300 }, whole],
    ['a redirect that a transport let through has its body', { status: 302 }, whole],
    ['an informational status has its body', { status: 199 }, whole],
    [
      'a 5xx that must not be retried has its body',
      { status: 503, headers: { 'x-should-retry': 'false' } },
      whole,
    ],
    [
      'a 4xx that is to be retried leaves its body unsubscribed',
      { status: 409, headers: { 'x-should-retry': 'true' } },
      unread,
    ],
  ])('%s', (_, answer, expected) => {
    expectError(answer, expected);
  });

  it('asks whether the body is needed with all that the headers say', () => {
    const asked: unknown[] = [];
    const needsBody = (error: UnexpectedStatusError) =>
      asked.push(Object.fromEntries(Object.entries(error))) > 1;
    const headers = { 'Retry-After': '9', 'x-request-id': 'req_1' };
    expectError({ status: 503, headers, needsBody }, unread);
    expect(asked).toEqual([
      { status: 503, code: undefined, requestId: 'req_1', retryAfter: 9_000, retryable: true },
    ]);
  });

  it('ends the body with its subscriber', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable, expectSubscriptions }) => {
      const body = cold('-a', { a: toBytes('a') });
      const r: HttpResponse = { status: 400, headers: toHeaders({}), body };
      const checked = cold('--(r|)', { r }).pipe(
        checkStatus({ needsBody: never, redact: identity, scheduler }),
      );
      expectObservable(checked, '^----!').toBe('');
      expectSubscriptions(body.subscriptions).toBe('--^--!');
    });
  });

  it('bounds the time of the body on its scheduler', () => {
    const scheduler = testScheduler();
    const schedule = jest.spyOn(scheduler, 'schedule');
    const response: HttpResponse = { status: 400, headers: toHeaders({}), body: NEVER };
    received(of(response).pipe(checkStatus({ needsBody: never, redact: identity, scheduler })));
    expect(schedule.mock.calls.map(([, delay]) => delay)).toEqual([5_000]);
  });

  it("passes the transport's error on", () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable }) => {
      const source = cold<HttpResponse>('--#', undefined, 'refused');
      const checked = source.pipe(checkStatus({ needsBody: never, redact: identity, scheduler }));
      expectObservable(checked).toBe('--#', undefined, 'refused');
    });
  });

  it('takes the code from the body and its secrets out of it', () => {
    const body = of(toBytes('{"error":{"message":"key sk-secret","code":"invalid_api_key"}}'));
    const response: HttpResponse = { status: 401, headers: toHeaders({}), body };
    const failure = failureOf(
      of(response).pipe(
        checkStatus({
          needsBody: never,
          redact: (text) => text.replaceAll('sk-secret', '***'),
          scheduler: testScheduler(),
        }),
      ),
    ) as UnexpectedStatusError;
    expect(failure).toBeInstanceOf(UnexpectedStatusError);
    expect(failure.code).toBe('invalid_api_key');
    expect(failure.body).toBe('{"error":{"message":"key ***","code":"invalid_api_key"}}');
  });

  it('measures a Retry-After date against the present of its scheduler', () => {
    const scheduler = testScheduler();
    jest.spyOn(scheduler, 'now').mockReturnValue(Date.UTC(1994, 10, 6, 8, 49, 37));
    const headers = toHeaders({ 'Retry-After': 'Sun, 06 Nov 1994 08:49:47 GMT' });
    const failure = failureOf(
      of<HttpResponse>({ status: 503, headers, body: of() }).pipe(
        checkStatus({ needsBody: never, redact: identity, scheduler }),
      ),
    );
    expect((failure as UnexpectedStatusError).retryAfter).toBe(10_000);
  });

  it('passes synchronously what came synchronously', () => {
    const response: HttpResponse = { status: 200, headers: toHeaders(), body: of() };
    const checked = of(response).pipe(
      checkStatus({ needsBody: never, redact: identity, scheduler: testScheduler() }),
    );
    expect(received(checked)).toEqual([response]);
  });
});
