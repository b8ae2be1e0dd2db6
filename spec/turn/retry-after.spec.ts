import fc from 'fast-check';
import { retryAfter, retryAfterInBody, untilRateLimitReset } from '../../src/turn/retry-after.js';
import { toHeaders } from '../../src/testing/answer.js';

const now = Date.UTC(1994, 10, 6, 8, 49, 37);
const wait = (headers: Record<string, string>) => retryAfter(toHeaders(headers), now);

describe('retryAfter', () => {
  it.each<[string, number | undefined]>([
    ['0', 0],
    ['2', 2_000],
    ['0.5', 500],
    ['0.25', 250],
    [' 3 ', 3_000],
    ['31536000', 31_536_000_000],
    ['9'.repeat(400), Infinity],
    ['-1', undefined],
    ['+1', undefined],
    ['1e9', undefined],
    ['0x10', undefined],
    ['Infinity', undefined],
    ['NaN', undefined],
    ['1,2', undefined],
    ['1 2', undefined],
    ['2 seconds', undefined],
    ['.', undefined],
    ['soon', undefined],
    ['', undefined],
    [' ', undefined],
  ])('reads the seconds %j', (value, expected) => {
    expect(wait({ 'Retry-After': value })).toBe(expected);
  });

  it.each<[string, string, number | undefined]>([
    ['an IMF-fixdate', 'Sun, 06 Nov 1994 08:49:47 GMT', 10_000],
    ['an RFC 850 date', 'Sunday, 06-Nov-94 08:49:47 GMT', 10_000],
    ['a date among blanks', ' Sun, 06 Nov 1994 08:49:47 GMT ', 10_000],
    ['an asctime date', 'Sun Nov  6 08:49:47 1994', 10_000],
    ['an asctime date with a day of two digits', 'Wed Nov 16 08:49:37 1994', 864_000_000],
    ['the present', 'Sun, 06 Nov 1994 08:49:37 GMT', 0],
    ['the past', 'Sun, 06 Nov 1994 08:49:07 GMT', 0],
    ['a date without a zone', 'Sun, 06 Nov 1994 08:49:47', undefined],
    ['a date of another zone', 'Sun, 06 Nov 1994 08:49:47 PST', undefined],
    ['an ISO date', '1994-11-06T08:49:47Z', undefined],
    ['a date after a word', 'on Sun, 06 Nov 1994 08:49:47 GMT', undefined],
    ['a date with a comment', 'Sun Nov  6 08:49:47 1994 (GMT)', undefined],
    ['a date with a month that is none', 'Sun, 06 Abc 1994 08:49:47 GMT', undefined],
    ['a date with a time that is none', 'Sun, 06 Nov 1994 99:99:99 GMT', undefined],
  ])('reads %s', (_, value, expected) => {
    expect(wait({ 'Retry-After': value })).toBe(expected);
  });

  it("measures a date against the answer's own Date", () => {
    const headers = { 'Retry-After': 'Fri, 01 Jan 2100 00:00:30 GMT', Date: 'Fri, 01 Jan 2100 00:00:00 GMT' };
    expect(wait(headers)).toBe(30_000);
  });

  it.each(['', 'today', '1994-11-06'])('measures a date against the clock where Date is %j', (date) => {
    expect(wait({ 'Retry-After': 'Sun, 06 Nov 1994 08:49:47 GMT', Date: date })).toBe(10_000);
  });

  it('never asks the platform to read a date', () => {
    const parse = jest.spyOn(Date, 'parse');
    expect(wait({ 'Retry-After': 'Sun Nov  6 08:49:47 1994' })).toBe(10_000);
    expect(wait({ 'Retry-After': 'Sun, 30 Feb 1994 08:49:47 GMT' })).toBeUndefined();
    expect(parse).not.toHaveBeenCalled();
    parse.mockRestore();
  });

  it("reads a year of two digits from the answer's own Date", () => {
    const headers = {
      'Retry-After': 'Friday, 01-Jan-99 00:00:30 GMT',
      Date: 'Thu, 01 Jan 2099 00:00:00 GMT',
    };
    expect(wait(headers)).toBe(30_000);
  });

  it.each<[string, number]>([
    ['250', 250],
    ['0', 0],
    ['12.5', 13],
    ['-1', 7_000],
    ['1e3', 7_000],
    ['', 7_000],
  ])('takes retry-after-ms %j before Retry-After', (value, expected) => {
    expect(wait({ 'retry-after-ms': value, 'Retry-After': '7' })).toBe(expected);
  });

  it('is undefined where the answer asks for nothing', () => {
    expect(wait({})).toBeUndefined();
  });

  it('is undefined, or 0 and more, whatever the headers hold', () => {
    const anyValue = fc.oneof(
      fc.string(),
      fc.double().map(String),
      fc.date({ noInvalidDate: true }).map(String),
    );
    fc.assert(
      fc.property(anyValue, anyValue, anyValue, (seconds, milliseconds, date) => {
        const delay = wait({ 'Retry-After': seconds, 'retry-after-ms': milliseconds, Date: date });
        expect(delay === undefined || delay >= 0).toBe(true);
      }),
    );
  });
});

describe('retryAfterInBody', () => {
  it.each<[string, number | undefined]>([
    ['Rate limit reached for m. Please try again in 1.2s. Visit the page', 1_200],
    ['Please try again in 20ms.', 20],
    ['Please try again in 6m0s.', 360_000],
    ['Please try again in 1h12m36.5s.', 4_356_500],
    ['Please retry in 17h24m1.6s.', 62_641_600],
    ['Please retry after 26 seconds.', 26_000],
    ['RETRY AFTER 1 SEC', 1_000],
    ['Please wait for at least 2 minutes and 3 seconds before the next request', 123_000],
    ['Too many requests, please try again after 5 mins', 300_000],
    ['The limit resets in 12 hours', 43_200_000],
    ['Limit 3 / 1 min. Try again in 1 day, 2 hrs', 93_600_000],
    ['Wait 250 milliseconds', 250],
    ['Please retry your request after 3 sec.', 3_000],
    ['Please try again in 0s.', undefined],
    ['Please try again later.', undefined],
    ['Retry 3 times, then stop.', undefined],
    ['Retry. The limit is 20 s.', undefined],
    ['Retry at most 3 sandwiches', undefined],
    ['Waited 20 s', undefined],
    ['20 s', undefined],
    ['', undefined],
  ])('finds the wait in the words %j', (words, expected) => {
    expect(retryAfterInBody(words)).toBe(expected);
    expect(retryAfterInBody(JSON.stringify({ error: { message: words } }))).toBe(expected);
  });

  it.each<[string, object, number | undefined]>([
    [
      "Google's RetryInfo",
      { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34.074824224s' },
      34_075,
    ],
    ['a retryDelay of nothing', { retryDelay: '0s' }, undefined],
    ['seconds', { retry_after: 12 }, 12_000],
    ['seconds as text', { retryAfter: '1.5' }, 1_500],
    ['seconds by name', { retry_after_seconds: 3 }, 3_000],
    ['milliseconds', { retry_after_ms: 1_200 }, 1_200],
    ['milliseconds in camel case', { retryAfterMs: 1_200 }, 1_200],
    ['milliseconds by name', { retryAfterMilliseconds: 1_200 }, 1_200],
    ['a header that is quoted', { headers: { 'Retry-After': '7' } }, 7_000],
    ['no number', { retry_after: null }, undefined],
    ['whether to retry', { retryable: true, attempts: 3 }, undefined],
    ['a retry policy', { retry: 'after 3' }, undefined],
  ])('finds the wait in a field: %s', (_, details, expected) => {
    const body = JSON.stringify([{ error: { code: 429, message: 'No.', details: [details] } }]);
    expect(retryAfterInBody(body)).toBe(expected);
    const quoted = JSON.stringify({ error: { message: JSON.stringify({ error: body }) } });
    expect(retryAfterInBody(quoted)).toBe(expected);
  });

  it('takes a field before the words', () => {
    expect(retryAfterInBody('{"message":"Please retry in 30s.","retryDelay":"31s"}')).toBe(31_000);
    expect(retryAfterInBody('{"message":"Please retry in 30s.","retryDelay":"soon"}')).toBe(30_000);
  });

  it('is undefined, or more than 0, whatever the body holds', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.nat(),
        fc.constantFrom('retry in ', 'retryDelay:', ''),
        (text, wait, lead) => {
          const delay = retryAfterInBody(`${text}${lead}${wait}s`);
          expect(delay === undefined || delay > 0).toBe(true);
        },
      ),
    );
  });

  it.each([
    ['retryafter', undefined],
    ['wait ', undefined],
    ['wait 1s. ', 1_000],
    ['9', undefined],
    ['retryDelay"', undefined],
  ])('reads 64 KiB of %j', (text, expected) => {
    expect(retryAfterInBody(text.repeat(65_536 / text.length))).toBe(expected);
  });
});

describe('untilRateLimitReset', () => {
  const until = (headers: Record<string, string>) =>
    untilRateLimitReset(toHeaders({ Date: 'Sun, 06 Nov 1994 08:49:37 GMT', ...headers }), 0);

  it.each<[string, number | undefined]>([
    ['1s', 1_000],
    ['6m0s', 360_000],
    ['8.64s', 8_640],
    ['20ms', 20],
    ['2m59.56s', 179_560],
    ['1h0m0s', 3_600_000],
    ['1d2h', 93_600_000],
    ['30', 30_000],
    ['0.5', 500],
    ['784111787', 784_111_787_000],
    ['Sun, 06 Nov 1994 08:49:47 GMT', 10_000],
    ['1994-11-06T08:49:47Z', 10_000],
    ['Sun, 06 Nov 1994 08:49:27 GMT', undefined],
    ['0', undefined],
    ['0s', undefined],
    ['1s ago', undefined],
    ['1 sandwich', undefined],
    ['soon', undefined],
    ['', undefined],
  ])('reads the reset %j', (value, expected) => {
    expect(until({ 'x-ratelimit-reset-requests': value })).toBe(expected);
    expect(until({ 'x-ratelimit-reset-tokens': value })).toBe(expected);
    expect(until({ 'x-ratelimit-reset': value })).toBe(expected);
  });

  it('reads a time since the epoch, in seconds and in milliseconds', () => {
    const Date = 'Mon, 23 Nov 2026 12:00:00 GMT';
    expect(until({ Date, 'x-ratelimit-reset': '1795435210' })).toBe(10_000);
    expect(until({ Date, 'x-ratelimit-reset': '1795435210500' })).toBe(10_500);
    expect(until({ Date, 'x-ratelimit-reset': '1795435190' })).toBeUndefined();
  });

  it('measures a date against the present where the answer has no Date', () => {
    const headers = toHeaders({ 'x-ratelimit-reset-tokens': '1994-11-06T08:49:47Z' });
    expect(untilRateLimitReset(headers, now)).toBe(10_000);
  });

  it.each<[string, Record<string, string>, number | undefined]>([
    ['the later of two', {}, 2_000],
    ['the later of two that have run out', { requests: '0', tokens: '0' }, 2_000],
    ['that of the requests where only they have run out', { requests: '0', tokens: '500' }, 1_000],
    ['that of the tokens where requests are left and no tokens', { requests: '9', tokens: '0' }, 2_000],
    [
      'that of the tokens where both are left, too few for the request',
      { requests: '9', tokens: '5' },
      2_000,
    ],
    ['that of the tokens where it is not said whether some are left', { requests: '9' }, 2_000],
    ['the later of two where what is left is unreadable', { requests: 'few', tokens: 'few' }, 2_000],
  ])('takes the reset %s', (_, { requests, tokens }, expected) => {
    const headers = {
      'x-ratelimit-reset-requests': '1s',
      'x-ratelimit-reset-tokens': '2s',
      ...(requests !== undefined && { 'x-ratelimit-remaining-requests': requests }),
      ...(tokens !== undefined && { 'x-ratelimit-remaining-tokens': tokens }),
    };
    expect(until(headers)).toBe(expected);
  });

  it('is undefined where a limit on requests alone is named, and some are left', () => {
    expect(
      until({ 'x-ratelimit-reset-requests': '1s', 'x-ratelimit-remaining-requests': '9' }),
    ).toBeUndefined();
  });

  it('is undefined, or more than 0, whatever the headers hold', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (requests, tokens, left) => {
        const wait = until({
          'x-ratelimit-reset-requests': requests,
          'x-ratelimit-reset-tokens': tokens,
          'x-ratelimit-remaining-requests': left,
        });
        expect(wait === undefined || wait > 0).toBe(true);
      }),
    );
  });
});
