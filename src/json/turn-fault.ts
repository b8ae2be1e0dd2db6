import { isIncomplete } from '../operators/require-finish.js';
import type { CompletedEvent } from '../turn/events.js';
import { isWholeReason } from '../turn/finish-reason.js';
import type { Turn } from '../turn/turn.js';
import type { OutputErrorCode } from './output-error.js';

/** Finish reasons of content filters: OpenAI and Azure, Gemini, Bedrock, Zhipu, Cohere. */
const filterReason =
  /^(?:content[-_]filter(?:ed)?|(?:image_)?safety|recitation|blocklist|prohibited_content|spii|guardrail_intervened|sensitive|error_toxic)$/i;

/** Whether a turn called tools: its text is then not yet the answer. */
export const hasCalls = (turn: Turn): boolean => turn.toolCalls.some(({ item }) => item !== undefined);

/** Why a finished turn cannot have a complete answer, whatever its text; `undefined` if it can. */
export function turnFault(turn: Turn, completed: CompletedEvent): OutputErrorCode | undefined {
  const { finishReason, stopped } = completed;
  if (stopped === true) return 'stopped';
  if (turn.refusal !== '') return 'refused';
  if (finishReason !== null && filterReason.test(finishReason)) return 'content_filter';
  const isCut = finishReason === null ? isIncomplete(completed) : !isWholeReason(finishReason);
  return isCut ? 'incomplete' : undefined;
}
