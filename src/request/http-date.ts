const months = 'JanFebMarAprMayJunJulAugSepOctNovDec';

/** All three forms: IMF-fixdate, that of RFC 850, and asctime's. No weekday says anything that its date does not. */
const httpDate =
  /^[A-Z][a-z]+(?:, (\d\d)([ -])([A-Z][a-z]{2})\2(\d{4}|\d\d) ([\d:]{8}) GMT| ([A-Z][a-z]{2}) ([ \d]\d) ([\d:]{8}) (\d{4}))$/;

/**
 * Milliseconds since the epoch of an HTTP date (RFC 9110, 5.6.7: three forms, all of them GMT); `undefined` where
 * the calendar or the clock has no such moment.
 *
 * A year of two digits is the latest one at most 50 years ahead of `now`, in milliseconds since the epoch.
 */
export function parseHttpDate(text: string, now: number): number | undefined {
  const match = httpDate.exec(text.trim()) ?? [];
  const [day, month = '', year = '', time = ''] =
    match[1] === undefined
      ? [match[7], match[6], match[9], match[8]]
      : [match[1], match[3], match[4], match[5]];
  const inYear = (full: number) => moment(full, Math.floor(months.indexOf(month) / 3), Number(day), time);
  if (year.length === 4) return inYear(Number(year));
  const lastYear = new Date(now).getUTCFullYear() + 50;
  const latest = lastYear - (lastYear % 100) + Number(year);
  const date = inYear(latest);
  return date === undefined || date > new Date(now).setUTCFullYear(lastYear) ? inYear(latest - 100) : date;
}

/** Milliseconds since the epoch of a date as RFC 3339 writes it, in UTC: `2026-07-25T12:00:00Z`. */
export function parseInternetDate(text: string): number | undefined {
  const [, year, month, day, time = ''] =
    /^(\d{4})-(\d\d)-(\d\d)T([\d:]{8})(?:\.\d+)?(?:Z|\+00:00)$/.exec(text.trim()) ?? [];
  return moment(Number(year), Number(month) - 1, Number(day), time);
}

/** A moment that exists: there is no 30 February and no 24:00:00. A 60th second is a leap second. */
function moment(year: number, month: number, day: number, time: string): number | undefined {
  const midnight = new Date(Date.UTC(year, month, day));
  const [, hour = NaN, minute = NaN, second = NaN] = (/^(\d\d):(\d\d):(\d\d)$/.exec(time) ?? []).map(Number);
  return midnight.getUTCFullYear() === year &&
    midnight.getUTCDate() === day &&
    hour < 24 &&
    minute < 60 &&
    second <= 60
    ? midnight.getTime() + ((hour * 60 + minute) * 60 + second) * 1_000
    : undefined;
}
