import { retryAfterHeaders } from '../../src/mock-provider/retry-after.js';

beforeEach(() => jest.useFakeTimers({ now: Date.UTC(1994, 10, 6, 8, 49, 32) }));

afterEach(() => jest.useRealTimers());

const date = 'Sun, 06 Nov 1994 08:49:32 GMT';

// The three dates are the examples of RFC 9110, 5.6.7.
it.each([
  ['seconds', { 'retry-after': '5' }],
  ['milliseconds', { 'retry-after-ms': '5000' }],
  ['date', { date, 'retry-after': 'Sun, 06 Nov 1994 08:49:37 GMT' }],
  ['rfc850-date', { date, 'retry-after': 'Sunday, 06-Nov-94 08:49:37 GMT' }],
  ['asctime-date', { date, 'retry-after': 'Sun Nov  6 08:49:37 1994' }],
] as const)('a wait of 5 s as %s', (as, headers) => {
  expect(retryAfterHeaders({ wait: 5_000, as })).toEqual(headers);
});

it('a wait is in seconds by default, in parts of one where it is shorter', () => {
  expect(retryAfterHeaders({ wait: 50 })).toEqual({ 'retry-after': '0.05' });
});
