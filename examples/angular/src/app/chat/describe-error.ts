import {
  type ChatCompletionsError,
  IdleTimeoutError,
  ProviderStreamError,
  RemoteTurnError,
  ResponseTimeoutError,
  RetryLimitError,
  StreamError,
  TransportError,
  UnexpectedContentError,
  UnexpectedStatusError,
} from 'rxjs-chat-completions';

/** An error in a user's words. */
export interface ErrorDescription {
  readonly title: string;
  readonly advice: string;
}

/** @param hasText - whether a part of the answer is there, and stays */
export function describeError(error: ChatCompletionsError | undefined, hasText: boolean): ErrorDescription {
  const kept = hasText ? ' What had arrived is kept.' : '';
  if (error instanceof IdleTimeoutError || error instanceof ResponseTimeoutError)
    return { title: 'The answer stopped coming', advice: `The server went quiet for too long.${kept}` };
  if (error instanceof ProviderStreamError)
    return { title: 'The model ran into a problem', advice: `It reported an error.${kept}` };
  if (error instanceof StreamError)
    return { title: 'The connection broke', advice: `The answer ended too early.${kept}` };
  if (error instanceof TransportError)
    return { title: 'The server cannot be reached', advice: 'Check your connection, then try again.' };
  if (
    error instanceof RetryLimitError ||
    error instanceof UnexpectedStatusError ||
    error instanceof RemoteTurnError
  )
    return ofStatus(error.status);
  if (error instanceof UnexpectedContentError)
    return { title: 'The server gave no answer', advice: "The server did not return a model's answer." };
  return { title: 'Something went wrong', advice: 'The question could not be answered.' };
}

function ofStatus(status: number | undefined): ErrorDescription {
  if (status === 429)
    return { title: 'Too many questions at once', advice: 'Wait for a moment, then try again.' };
  if (status === 401 || status === 403)
    return { title: "You don't have access to this model", advice: 'Sign in again, or ask for access.' };
  if (status === 400 || status === 413 || status === 422)
    return {
      title: 'The model refused the question',
      advice: 'It may be too long. Shorten it, or start a new chat.',
    };
  return { title: 'The server has a problem', advice: 'Try again in a moment.' };
}
