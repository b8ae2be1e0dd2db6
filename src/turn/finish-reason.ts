/**
 * Reasons for which the model ended by itself, as written by OpenAI (`stop`, `tool_calls`, `function_call`),
 * Anthropic and Bedrock (`end_turn`, `stop_sequence`, `tool_use`), Cohere (`COMPLETE`, `TOOL_CALL`), Gemini
 * (`STOP`) and open servers (`eos`, `eos_token`), and ERNIE (`normal`).
 */
const wholeReason =
  /^(?:stop|stop[-_]sequence|end[-_]turn|eos|eos[-_]token|tool[-_]calls?|tool[-_]use|function[-_]calls?|completed?|done|normal)$/i;

/**
 * Whether a choice with this finish reason is complete. Any other reason, known or not, may have cut it off:
 * `length`, `max_tokens`, `MAX_TOKENS`, `model_length`, `content_filter`, `SAFETY`, `sensitive`, `abort`.
 */
export const isWholeReason = (reason: string): boolean => wholeReason.test(reason);

const toolReason = /^(?:tool[-_]calls?|tool[-_]use|function[-_]calls?)$/i;

/** Whether the finish reason means that the model waits for tool outputs. */
export const isToolReason = (reason: string): boolean => toolReason.test(reason);
