import { concatMap, delay, from, map, of, type Observable } from 'rxjs';
import type { Transport } from 'rxjs-chat-completions';
import {
  doneChunk,
  finishChunk,
  reasoningChunk,
  textChunk,
  toolCallChunks,
} from 'rxjs-chat-completions/testing';
import { type AskedBody, demoAnswer, type DemoPiece } from './answers.mjs';

/** Milliseconds between two pieces of an answer. */
const pace = 30;

const sky =
  'Sunlight holds every colour, and air scatters **blue** light far more than red. ' +
  'So blue reaches you from all over the sky, and the sun itself looks a little yellow.\n\n' +
  '> This answer is scripted: the page runs the library, and nothing leaves your browser.';

/** Answers in the page itself, without a server and without a key: the chat on the project's site. */
export const scriptedTransport: Transport = ({ body }) =>
  of({
    status: 200,
    headers: new Headers({ 'content-type': 'text/event-stream' }),
    body: streamOf(piecesFor(JSON.parse(body ?? '') as AskedBody)),
  }).pipe(delay(400));

function piecesFor(body: AskedBody): readonly DemoPiece[] {
  const { content = sky } = demoAnswer({ body });
  return typeof content === 'string' ? content.split(/(?<=\S)(?=\s)/) : content;
}

function streamOf(pieces: readonly DemoPiece[]): Observable<Uint8Array> {
  const calls = pieces.some((piece) => typeof piece === 'object' && 'toolCall' in piece);
  const chunks = [...pieces.flatMap(chunksOf), finishChunk(calls ? 'tool_calls' : 'stop'), doneChunk()];
  const encoder = new TextEncoder();
  return from(chunks).pipe(
    concatMap((chunk) => of(chunk).pipe(delay(pace))),
    map((chunk) => encoder.encode(chunk)),
  );
}

function chunksOf(piece: DemoPiece): readonly string[] {
  if (typeof piece === 'string') return [textChunk(piece)];
  if ('reasoning' in piece) return [reasoningChunk(piece.reasoning)];
  const { name, arguments: args } = piece.toolCall;
  return toolCallChunks({ name, arguments: args });
}
