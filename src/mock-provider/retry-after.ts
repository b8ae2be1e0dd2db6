import type { MockRetryAfter } from './mock-answer.js';

/** The headers that ask for a wait, with the `Date` that a date is counted from. */
export function retryAfterHeaders({ wait, as = 'seconds' }: MockRetryAfter): Record<string, string> {
  if (as === 'milliseconds') return { 'retry-after-ms': String(wait) };
  if (as === 'seconds') return { 'retry-after': String(wait / 1_000) };
  const now = Date.now();
  return { date: new Date(now).toUTCString(), 'retry-after': dateForms[as](new Date(now + wait)) };
}

const longDays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** RFC 9110, 5.6.7. */
const dateForms = {
  date: (date: Date) => date.toUTCString(),
  'rfc850-date': (date: Date) => {
    const { day, month, year, time } = parts(date);
    return `${longDays[date.getUTCDay()] ?? ''}, ${day}-${month}-${year.slice(-2)} ${time} GMT`;
  },
  'asctime-date': (date: Date) => {
    const { weekday, day, month, year, time } = parts(date);
    return `${weekday} ${month} ${day.replace(/^0/, ' ')} ${time} ${year}`;
  },
} as const;

/** The words of `Sun, 06 Nov 1994 08:49:37 GMT`. */
function parts(date: Date) {
  const [weekday = '', day = '', month = '', year = '', time = ''] = date.toUTCString().split(/,? /);
  return { weekday, day, month, year, time };
}
