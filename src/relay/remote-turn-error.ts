import { ChatCompletionsError, hide } from '../turn/errors.js';
import type { TurnErrorReport } from './server-sent-protocol.js';

/**
 * The server reported that the turn, or a tool of a run, failed. Emitted only by `fromServerSentEvents()`, as
 * its error or in an event.
 */
export class RemoteTurnError extends ChatCompletionsError {
  override get name() {
    return 'RemoteTurnError' as const;
  }
  /** The name of the error on the server; `'Error'` if it sent none. */
  readonly remoteName: string;
  readonly status: number | undefined;
  readonly code: string | undefined;
  /** The wait that the provider asked for, in milliseconds. */
  readonly retryAfter: number | undefined;
  /** The server's message, if its `toError` returns one. Not enumerable. */
  declare readonly remoteMessage: string | undefined;

  constructor(report: TurnErrorReport) {
    const { name, message, status, code, retryAfter } = report;
    const details = [
      ...(status === undefined ? [] : [`status ${status}`]),
      ...(code === undefined ? [] : [`code ${code}`]),
    ];
    const what = name === 'ToolError' ? 'A tool call' : 'The turn';
    super(`${what} failed on the server: ${name}${details.length === 0 ? '' : ` (${details.join(', ')})`}.`);
    this.remoteName = name;
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
    hide(this, 'remoteMessage', message);
  }
}
