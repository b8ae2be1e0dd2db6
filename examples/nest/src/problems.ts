import { STATUS_CODES } from 'node:http';
import {
  ChatCompletionsError,
  IdleTimeoutError,
  InvalidProviderError,
  InvalidRequestError,
  MissingApiKeyError,
  ProviderStreamError,
  RemoteTurnError,
  ResponseTimeoutError,
  RetryLimitError,
  UnexpectedStatusError,
} from 'rxjs-chat-completions';
import { RedisLogError } from 'rxjs-chat-completions/redis';
import { AbandonedTurnError, IncompleteLogError, UnknownTurnError } from 'rxjs-chat-completions/shared';

/** An answer that is no stream, with the body of OpenAI's errors, which any client of theirs reads. */
export interface Problem {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: {
    readonly error: {
      readonly message: string;
      readonly type: string;
      readonly param: string | null;
      readonly code: string | null;
    };
  };
}

/** A request that is not sent on. */
export class RequestProblem extends Error {
  override readonly name = 'RequestProblem';

  constructor(
    readonly status: number,
    message: string,
    readonly details: { readonly param?: string; readonly code?: string } = {},
  ) {
    super(message);
  }
}

/** What a client is told of an error that comes before the first byte of its answer. */
export function problemOf(error: unknown): Problem {
  if (error instanceof RequestProblem) return problem(error.status, error.message, error.details);
  if (error instanceof ChatCompletionsError) return problemOfTurn(error);
  const status = statusOfFramework(error);
  return problem(status, `${STATUS_CODES[status] ?? 'Error'}.`);
}

/** The provider's own words stay here: they may tell of the account, the key or the prompt. */
function problemOfTurn(error: ChatCompletionsError): Problem {
  if (error instanceof MissingApiKeyError || error instanceof InvalidProviderError) {
    return problem(500, 'The backend is not set up.');
  }
  if (error instanceof InvalidRequestError) return problem(400, 'The request is not in its form.');
  if (error instanceof ResponseTimeoutError || error instanceof IdleTimeoutError) {
    return retriedAlready(problem(504, 'The provider took too long.'));
  }
  if (error instanceof UnknownTurnError)
    return problem(404, 'There is no such turn, or it is no longer kept.');
  if (error instanceof AbandonedTurnError || error instanceof IncompleteLogError) {
    return problem(410, 'The rest of this turn is not to be had. Ask again.');
  }
  if (error instanceof RedisLogError) return problem(503, 'Shared turns cannot be reached now.');
  const isAnswered =
    error instanceof UnexpectedStatusError ||
    error instanceof RetryLimitError ||
    error instanceof ProviderStreamError ||
    error instanceof RemoteTurnError;
  const status = isAnswered ? error.status : undefined;
  if (status === 400 || status === 413 || status === 422) {
    return problem(status, 'The provider refused the request: check its messages and parameters.');
  }
  // A spent quota is the account's: no client can wait for it to end.
  if (isAnswered && status === 429 && error.code !== 'insufficient_quota') {
    const wait = 'retryAfter' in error ? error.retryAfter : undefined;
    return problem(
      429,
      'The provider is busy.',
      { code: 'rate_limit_exceeded' },
      {
        ...(wait !== undefined && { 'retry-after': String(Math.ceil(wait / 1_000)) }),
      },
    );
  }
  return retriedAlready(problem(502, 'The provider did not answer as it should.'));
}

/** Clients of OpenAI retry 5xx by themselves: on top of the backend's retries that multiplies the requests. */
const retriedAlready = (answer: Problem): Problem => ({
  ...answer,
  headers: { ...answer.headers, 'x-should-retry': 'false' },
});

/** Errors of body parsers and routers say by `status` or `statusCode` whether it was the client's mistake. */
function statusOfFramework(error: unknown): number {
  const { status, statusCode = status } = Object(error) as { status?: unknown; statusCode?: unknown };
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : 500;
}

function problem(
  status: number,
  message: string,
  { param, code }: RequestProblem['details'] = {},
  headers: Problem['headers'] = {},
): Problem {
  const type = status === 429 ? 'rate_limit_error' : status < 500 ? 'invalid_request_error' : 'server_error';
  return { status, headers, body: { error: { message, type, param: param ?? null, code: code ?? null } } };
}
