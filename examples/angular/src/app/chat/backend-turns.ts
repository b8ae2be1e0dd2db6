import { concatMap, type Observable } from 'rxjs';
import {
  decodeEventStream,
  fromServerSentEvents,
  type Prompt,
  type ResponseEvent,
  type Transport,
  UnexpectedStatusError,
} from 'rxjs-chat-completions';

/**
 * Turns from a backend that writes them with `toServerSentEvents()`. The model, the key and the retries are
 * the backend's; this end sends a prompt and reads events.
 */
export function turnsFromBackend(
  path: string,
  transport: Transport,
): (prompt: Prompt) => Observable<ResponseEvent> {
  return (prompt) =>
    transport({
      url: path,
      method: 'POST',
      headers: { Accept: 'text/event-stream', 'Content-Type': 'application/json' },
      body: JSON.stringify({ prompt }),
    }).pipe(
      concatMap(({ status, body }) => {
        if (status !== 200) throw new UnexpectedStatusError({ status });
        return body;
      }),
      decodeEventStream(),
      fromServerSentEvents(),
    );
}
