import fc from 'fast-check';
import { retryAfter } from '../../src/request/retry-after.js';
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

  it('reads an asctime date as GMT where the platform stands in another zone', () => {
    const { parse } = Date;
    const inTokyo = jest
      .spyOn(Date, 'parse')
      .mockImplementation((text) => parse(text.endsWith('GMT') ? text : `${text} GMT+0900`));
    expect(wait({ 'Retry-After': 'Sun Nov  6 08:49:47 1994' })).toBe(10_000);
    inTokyo.mockRestore();
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
