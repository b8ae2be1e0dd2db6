const months = 'JanFebMarAprMayJunJulAugSepOctNovDec';

/** `Sun Nov  6 08:49:37 1994`, the asctime form, which is GMT without saying so. */
const asctimeForm = /^(\w{3}) (\w{3}) ([ \d]\d) ([\d:]{8}) (\d{4})$/;

/** `Sun, 06 Nov 1994 08:49:37 GMT`, and with hyphens the form of RFC 850. The weekday adds nothing to the date. */
const commonForm = /^[A-Z][a-z]+, ([ \d]\d)([ -])([A-Z][a-z]{2})\2(\d{4}|\d\d) (\d\d):(\d\d):(\d\d) GMT$/;

/**
 * Milliseconds since the epoch of an HTTP date (RFC 9110, 5.6.7: three forms, all of them GMT); `undefined` if
 * there is no such moment (30 February, 24:00:00). A 60th second is a leap second.
 *
 * A year of two digits is the latest one at most 50 years ahead of `now`, in milliseconds since the epoch.
 */
export function parseHttpDate(text: string, now: number): number | undefined {
  const match = commonForm.exec(text.trim().replace(asctimeForm, '$1, $3 $2 $5 $4 GMT'));
  if (match === null) return undefined;
  const [, day, , month = '', digits = '', ...time] = match;
  const [hour = 0, minute = 0, second = 0] = time.map(Number);
  const inYear = (year: number) => {
    const midnight = new Date(Date.UTC(year, Math.floor(months.indexOf(month) / 3), Number(day)));
    const isDay = midnight.getUTCFullYear() === year && midnight.getUTCDate() === Number(day);
    const isTime = hour < 24 && minute < 60 && second <= 60;
    return isDay && isTime ? midnight.getTime() + ((hour * 60 + minute) * 60 + second) * 1_000 : undefined;
  };
  if (digits.length === 4) return inYear(Number(digits));
  const lastYear = new Date(now).getUTCFullYear() + 50;
  const latest = lastYear - (lastYear % 100) + Number(digits);
  const date = inYear(latest);
  return date === undefined || date > new Date(now).setUTCFullYear(lastYear) ? inYear(latest - 100) : date;
}

/** Milliseconds since the epoch of a date as RFC 3339 writes it, in UTC: `2026-07-25T12:00:00Z`. */
export function parseInternetDate(text: string): number | undefined {
  const [, year = '', month = 0, day = '', time = ''] =
    /^(\d{4})-(\d\d)-(\d\d)T([\d:]{8})(?:\.\d+)?(?:Z|\+00:00)$/.exec(text.trim()) ?? [];
  const name = months.slice(Number(month) * 3 - 3, Number(month) * 3);
  return parseHttpDate(`Day, ${day} ${name} ${year} ${time} GMT`, 0);
}
