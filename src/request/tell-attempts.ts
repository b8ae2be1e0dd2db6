import { catchError, type MonoTypeOperatorFunction } from 'rxjs';
import { ChatCompletionsError, RetryLimitError, setAttempts } from '../turn/errors.js';

/**
 * Adds the earlier attempts to the error that ends a turn before its response. A `RetryLimitError` has them
 * already.
 */
export function tellAttempts<T>(before: readonly Error[]): MonoTypeOperatorFunction<T> {
  return catchError((error: unknown) => {
    const isLast = error instanceof ChatCompletionsError && !(error instanceof RetryLimitError);
    if (isLast && before.length > 0) setAttempts(error, before);
    throw error;
  });
}
