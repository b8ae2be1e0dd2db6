import { ApplicationError, StreamError } from '../../src/turn/errors.js';
import { restartingNow } from '../../src/turn/restarting-now.js';

describe('restartingNow', () => {
  it('has no delay, and an error of the library as it is', () => {
    const error = new StreamError();
    expect(restartingNow(2, error)).toEqual({ type: 'restarting', attempt: 2, delay: 0, error });
    expect(restartingNow(2, error).error).toBe(error);
  });

  it('has any other error as the cause of an ApplicationError', () => {
    const cause = new Error('x');
    const { error } = restartingNow(1, cause);
    expect(error).toBeInstanceOf(ApplicationError);
    expect(error.cause).toBe(cause);
  });
});
