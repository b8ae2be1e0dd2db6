import type { ChatCompletionsError } from 'rxjs-chat-completions';

/** An error in a user's words. */
export interface ErrorDescription {
  readonly title: string;
  readonly advice: string;
}

/** @param hasText - whether a part of the answer is there, and stays */
export function describeError(error: ChatCompletionsError | undefined, hasText: boolean): ErrorDescription {
  const kept = hasText ? ' What had arrived is kept.' : '';
  switch (error?.name) {
    case 'IdleTimeoutError':
    case 'ResponseTimeoutError':
      return { title: 'The answer stopped coming', advice: `The server went quiet for too long.${kept}` };
    case 'ProviderStreamError':
      return { title: 'The model ran into a problem', advice: `It reported an error.${kept}` };
    case 'StreamError':
      return { title: 'The connection broke', advice: `The answer ended too early.${kept}` };
    case 'TransportError':
      return { title: 'The server cannot be reached', advice: 'Check your connection, then try again.' };
    case 'RetryLimitError':
    case 'UnexpectedStatusError':
    case 'RemoteTurnError':
      return ofStatus(statusOf(error));
    case 'UnexpectedContentError':
      return { title: 'The server gave no answer', advice: "The server did not return a model's answer." };
    default:
      return { title: 'Something went wrong', advice: 'The question could not be answered.' };
  }
}

const statusOf = (error: ChatCompletionsError | undefined): number | undefined =>
  (error as { readonly status?: number } | undefined)?.status;

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
