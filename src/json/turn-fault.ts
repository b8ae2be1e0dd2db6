import { isIncomplete } from '../operators/require-finish.js';
import type { CompletedEvent } from '../turn/events.js';
import { isWholeReason } from '../turn/finish-reason.js';
import type { Turn } from '../turn/turn.js';
import type { OutputErrorCode } from './output-error.js';

/** Reasons of filters: of OpenAI and Azure, Gemini, Bedrock, Zhipu, Cohere. */
const filterReason =
  /^(?:content[-_]filter(?:ed)?|(?:image_)?safety|recitation|blocklist|prohibited_content|spii|guardrail_intervened|sensitive|error_toxic)$/i;

/** Whether a turn called tools: what it says beside that is not the answer yet. */
export const hasCalls = (turn: Turn): boolean => turn.toolCalls.some(({ item }) => item !== undefined);

/** Why a turn that is over cannot hold a whole answer, whatever its text is; `undefined` where it can. */
export function turnFault(turn: Turn, completed: CompletedEvent): OutputErrorCode | undefined {
  const { finishReason, stopped } = completed;
  if (stopped === true) return 'stopped';
  if (turn.refusal !== '') return 'refused';
  if (finishReason !== null && filterReason.test(finishReason)) return 'content_filter';
  const isCut = finishReason === null ? isIncomplete(completed) : !isWholeReason(finishReason);
  return isCut ? 'incomplete' : undefined;
}
