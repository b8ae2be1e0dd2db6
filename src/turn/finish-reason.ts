/**
 * Reasons that say that the model itself came to its end, in the words of OpenAI (`stop`, `tool_calls`, `function_call`),
 * Anthropic and Bedrock (`end_turn`, `stop_sequence`, `tool_use`), Cohere (`COMPLETE`, `TOOL_CALL`), Gemini (`STOP`) and
 * open servers (`eos`, `eos_token`), and ERNIE (`normal`).
 */
const wholeReason =
  /^(?:stop|stop[-_]sequence|end[-_]turn|eos|eos[-_]token|tool[-_]calls?|tool[-_]use|function[-_]calls?|completed?|done|normal)$/i;

/**
 * Whether a choice with this finish reason is whole. Any other reason, one that is not known too, may have cut it:
 * `length`, `max_tokens`, `MAX_TOKENS`, `model_length`, `content_filter`, `SAFETY`, `sensitive`, `abort`.
 */
export const isWholeReason = (reason: string): boolean => wholeReason.test(reason);

const toolReason = /^(?:tool[-_]calls?|tool[-_]use|function[-_]calls?)$/i;

/** Whether a finish reason says that the model waits for the outputs of its calls. */
export const isToolReason = (reason: string): boolean => toolReason.test(reason);
