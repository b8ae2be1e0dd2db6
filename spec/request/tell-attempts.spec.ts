import { throwError } from 'rxjs';
import { tellAttempts } from '../../src/request/tell-attempts.js';
import { RetryLimitError, TransportError } from '../../src/turn/errors.js';
import { attempts } from '../support/attempts.js';
import { failureOf } from '../support/marbles.js';

const failing = (error: unknown, before: readonly Error[]): unknown =>
  failureOf(throwError(() => error).pipe(tellAttempts(before)));

describe('tellAttempts', () => {
  it('lists what was attempted before, the error itself last', () => {
    const [error, before] = [new TransportError(), attempts(2)];
    expect(failing(error, before)).toBe(error);
    expect(error.attempts).toEqual([...before, error]);
    expect(error.message).toBe('No response from the provider. Check the base URL and the network.');
    expect(Object.keys(error)).not.toContain('attempts');
  });

  it('lists nothing where there was one attempt', () => {
    expect(failing(new TransportError(), [])).not.toHaveProperty('attempts');
  });

  it('leaves what tells of its attempts already, and what is not of the library', () => {
    const limit = new RetryLimitError({ status: 503 }, attempts(3));
    expect(failing(limit, attempts(2))).toBe(limit);
    expect(limit.attempts).toEqual(attempts(3));
    expect(failing(new RangeError('theirs'), attempts(2))).not.toHaveProperty('attempts');
  });
});
