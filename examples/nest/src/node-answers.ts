import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { firstValueFrom, fromEvent, map, takeUntil, type Observable } from 'rxjs';
import { nodeReadableFrom } from 'rxjs-chat-completions/node';
import { type Answer, eventStreamHeaders } from './chat.service.js';
import { problemOf, RequestProblem } from './problems.js';

// Answers on Node's own response, which Express and NestJS hand on.

/**
 * Starts the turn, and settles with the answer's stream when its first bytes are there. Rejects where the
 * turn fails before, which is the time for a status.
 */
export async function begun({ text, demand }: Answer, response: ServerResponse): Promise<Readable> {
  const stream = nodeReadableFrom(text, { demand });
  // The response's: a request closes as soon as its body was read.
  response.once('close', () => stream.destroy(new RequestProblem(499, 'The client left.')));
  await once(stream, 'readable');
  return stream;
}

/** Sends the answer as fast as the client reads it, and aborts its turn where the client leaves. */
export async function send(answer: Answer, response: ServerResponse): Promise<void> {
  const stream = await begun(answer, response);
  response.writeHead(200, eventStreamHeaders);
  await pipeline(stream, response);
}

/** Settles with the one value of an answer that is no stream; a client that leaves before unsubscribes from it. */
export function whole<T>(answer: Observable<T>, response: ServerResponse): Promise<T> {
  const left = fromEvent(response, 'close').pipe(
    map(() => {
      throw new RequestProblem(499, 'The client left.');
    }),
  );
  return firstValueFrom(answer.pipe(takeUntil(left)));
}

/** Sends such an answer as JSON. */
export async function sendWhole(answer: Observable<unknown>, response: ServerResponse): Promise<void> {
  const json = JSON.stringify(await whole(answer, response));
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(json);
}

/** Tells the client of an error, where that is still possible. */
export function tell(error: unknown, response: ServerResponse): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status, headers, body } = problemOf(error);
  logFailure(status, error);
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** The library's errors hold no key, prompt or answer. */
export function logFailure(status: number, error: unknown): void {
  if (status >= 500) console.error(error instanceof Error ? error.stack : 'Something was thrown.');
}

export function logAddress(server: Server): void {
  const { address, port } = server.address() as AddressInfo;
  console.log(`Listening on http://${address}:${port}`);
}
