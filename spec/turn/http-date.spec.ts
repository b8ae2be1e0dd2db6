import fc from 'fast-check';
import { parseHttpDate, parseInternetDate } from '../../src/turn/http-date.js';

const now = Date.UTC(2026, 10, 23, 12);

describe('parseHttpDate', () => {
  it.each<[string, string]>([
    ['an IMF-fixdate', 'Sun, 06 Nov 1994 08:49:37 GMT'],
    ['an RFC 850 date', 'Sunday, 06-Nov-94 08:49:37 GMT'],
    ['a cookie date, which has a year of four digits', 'Sun, 06-Nov-1994 08:49:37 GMT'],
    ['an asctime date', 'Sun Nov  6 08:49:37 1994'],
    ['a date among blanks', '\tSun, 06 Nov 1994 08:49:37 GMT '],
    ['a weekday that is wrong', 'Friday, 06-Nov-94 08:49:37 GMT'],
  ])('reads %s', (_, text) => {
    expect(parseHttpDate(text, now)).toBe(Date.UTC(1994, 10, 6, 8, 49, 37));
  });

  it.each([
    ['29 Feb 2028', Date.UTC(2028, 1, 29)],
    ['29 Feb 2000', Date.UTC(2000, 1, 29)],
    ['31 Jan 2026', Date.UTC(2026, 0, 31)],
    ['31 Dec 2026', Date.UTC(2026, 11, 31)],
    ['30 Feb 2026', undefined],
    ['29 Feb 2026', undefined],
    ['29 Feb 2100', undefined],
    ['31 Apr 2026', undefined],
    ['32 Jan 2026', undefined],
    ['00 Jan 2026', undefined],
    ['01 Foo 2026', undefined],
    ['01 jan 2026', undefined],
    ['01 anF 2026', undefined],
    ['01 Jan 0026', undefined],
    ['1 Jan 2026', undefined],
    ['01-Jan 2026', undefined],
  ])('checks the day %s in the calendar', (day, expected) => {
    expect(parseHttpDate(`Mon, ${day} 00:00:00 GMT`, now)).toBe(expected);
  });

  it.each([
    ['23:59:59', (23 * 3_600 + 59 * 60 + 59) * 1_000],
    ['23:59:60', 86_400_000],
    ['23:59:61', undefined],
    ['23:60:00', undefined],
    ['24:00:00', undefined],
    ['12::00:0', undefined],
  ])('checks the time %s, whose 60th second is a leap second', (time, expected) => {
    const date = parseHttpDate(`Fri, 01 Jan 2027 ${time} GMT`, now);
    expect(date).toBe(expected === undefined ? undefined : Date.UTC(2027, 0, 1) + expected);
  });

  it.each(['PST', 'UTC', '+0000', 'gmt', ''])('reads no date of the zone %j', (zone) => {
    expect(parseHttpDate(`Sun, 06 Nov 1994 08:49:37 ${zone}`, now)).toBeUndefined();
  });

  it.each<[string, number, number]>([
    ['26', 2026, 2026],
    ['75', 2026, 2075],
    ['77', 2026, 1977],
    ['94', 2026, 1994],
    ['01', 2099, 2101],
    ['50', 2099, 2050],
    ['94', 1970, 1994],
    ['21', 1970, 1921],
  ])('takes the year %s in %i for %i: at most 50 years ahead', (digits, present, year) => {
    expect(parseHttpDate(`Sunday, 06-Nov-${digits} 00:00:00 GMT`, Date.UTC(present, 0, 1))).toBe(
      Date.UTC(year, 10, 6),
    );
  });

  it('counts the 50 years to the second', () => {
    const present = Date.UTC(2026, 10, 23, 12);
    expect(parseHttpDate('Monday, 23-Nov-76 12:00:00 GMT', present)).toBe(Date.UTC(2076, 10, 23, 12));
    expect(parseHttpDate('Monday, 23-Nov-76 12:00:01 GMT', present)).toBe(Date.UTC(1976, 10, 23, 12, 0, 1));
  });

  it('finds the leap day of the century before', () => {
    expect(parseHttpDate('Tuesday, 29-Feb-00 00:00:00 GMT', Date.UTC(2090, 0, 1))).toBe(
      Date.UTC(2000, 1, 29),
    );
  });

  it('reads back what toUTCString writes', () => {
    fc.assert(
      fc.property(
        fc.date({
          min: new Date(Date.UTC(100, 0, 1)),
          max: new Date(Date.UTC(9999, 11, 31)),
          noInvalidDate: true,
        }),
        (date) => {
          expect(parseHttpDate(date.toUTCString(), now)).toBe(Math.floor(date.getTime() / 1_000) * 1_000);
        },
      ),
    );
  });

  it.each(['on Sun, 06 Nov 1994 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994 (GMT)', '1994-11-06T08:49:37Z', ''])(
    'reads no date in %j',
    (text) => {
      expect(parseHttpDate(text, now)).toBeUndefined();
    },
  );
});

describe('parseInternetDate', () => {
  const noon = Date.UTC(2026, 6, 25, 12);

  it.each<[string, number | undefined]>([
    ['2026-07-25T12:00:00Z', noon],
    ['2026-07-25T12:00:00.123456Z', noon],
    ['2026-07-25T12:00:00+00:00', noon],
    ['2026-07-25T12:00:00', undefined],
    ['2026-02-30T12:00:00Z', undefined],
    ['2026-13-01T12:00:00Z', undefined],
    ['2026-00-01T12:00:00Z', undefined],
    ['2026-07-25T24:00:00Z', undefined],
    ['2026-07-25', undefined],
    ['', undefined],
  ])('reads %j', (text, expected) => {
    expect(parseInternetDate(text)).toBe(expected);
  });
});
