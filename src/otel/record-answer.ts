import { type MonoTypeOperatorFunction, tap } from 'rxjs';
import type { ModelProvider } from '../provider/model-provider.js';
import type { HttpResponse } from '../request/transport.js';
import { bodyReader } from '../response/body-reader.js';
import { patternDecoder } from '../response/chunks/pattern-decoder.js';
import { emptyTurn, reduceTurn, type Turn } from '../turn/turn.js';
import { quietly } from './quietly.js';

export interface AnswerRecorder {
  /** Stands around the answer's body. */
  readonly reading: MonoTypeOperatorFunction<Uint8Array>;
  /** What the answer said, once it has ended or is read no more. */
  turn(): Turn;
}

/** Reads along in an answer. Only where content is asked for: the answer is decoded a second time. */
export function answerRecorder(
  { status, headers }: HttpResponse,
  { deltas }: Pick<ModelProvider, 'deltas'>,
): AnswerRecorder {
  const reader = bodyReader({ status, contentType: headers.get('content-type') });
  let turn = emptyTurn;
  const decoder = patternDecoder((event) => (turn = reduceTurn(turn, event)), { deltas });
  const read = (events: ReturnType<typeof reader.end>) => events.forEach((event) => decoder.push(event));
  return {
    // What is wrong with the answer, the turn tells.
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
