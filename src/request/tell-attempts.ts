import { catchError, type MonoTypeOperatorFunction } from 'rxjs';
import { ChatCompletionsError, RetryLimitError, setAttempts } from '../turn/errors.js';

/** The error that ends a turn before its answer has begun holds the attempts before it. A `RetryLimitError` does by itself. */
export function tellAttempts<T>(before: readonly Error[]): MonoTypeOperatorFunction<T> {
  return catchError((error: unknown) => {
    const isLast = error instanceof ChatCompletionsError && !(error instanceof RetryLimitError);
    if (isLast && before.length > 0) setAttempts(error, before);
    throw error;
  });
}
