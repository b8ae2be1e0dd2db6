import { type MonoTypeOperatorFunction, tap } from 'rxjs';
import type { ModelProvider } from '../provider/model-provider.js';
import type { HttpResponse } from '../request/transport.js';
import { bodyReader } from '../response/body-reader.js';
import { patternDecoder } from '../response/chunks/pattern-decoder.js';
import { emptyTurn, reduceTurn, type Turn } from '../turn/turn.js';
import { quietly } from './quietly.js';

export interface AnswerRecorder {
  /** Wraps the answer's body. */
  readonly reading: MonoTypeOperatorFunction<Uint8Array>;
  /** The content of the answer, once it has ended or is no longer read. */
  turn(): Turn;
}

/** Records an answer as it is read. Used only if content is wanted, since the answer is decoded a second time. */
export function answerRecorder(
  { status, headers }: HttpResponse,
  { deltas }: Pick<ModelProvider, 'deltas'>,
): AnswerRecorder {
  const reader = bodyReader({ status, contentType: headers.get('content-type') });
  let turn = emptyTurn;
  const decoder = patternDecoder((event) => (turn = reduceTurn(turn, event)), { deltas });
  const read = (events: ReturnType<typeof reader.end>) => events.forEach((event) => decoder.push(event));
  return {
    // The turn reports any error of the answer.
    reading: tap({
      next: (bytes) => quietly(() => read(reader.push(bytes))),
      complete: () => quietly(() => read(reader.end())),
    }),
    turn() {
      quietly(() => decoder.end());
      return turn;
    },
  };
}
