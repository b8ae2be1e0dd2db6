import type { ChatOptions } from '../options.js';
import { functionCallOutput, type InputItem, userMessage } from '../prompt/prompt.js';
import { openCalls } from '../run/open-calls.js';
import type { ResponseItem, ToolCallItem } from '../turn/events.js';
import { turnItems } from '../turn/turn-items.js';
import type { Turn } from '../turn/turn.js';
import type { TurnArguments } from './arguments.js';
import { type Answer, ask } from './ask.js';
import { isInteractive, questionsOf } from './questions.js';
import type { Session } from './session.js';
import { explain } from './wording.js';

/**
 * A conversation: a question, its answer, the next question. Resolves with the exit status.
 *
 * Ctrl-C stops an answer and keeps its partial text in the conversation. A second Ctrl-C, before anything else is typed
 * or answered, exits; so does one at the prompt. A question whose answer failed, or was stopped before its first word,
 * is removed, so that providers accept the next request.
 */
export async function chat(args: TurnArguments, options: ChatOptions, session: Session): Promise<number> {
  const { io, status, stop, leave } = session;
  const isTyped = isInteractive(io);
  const conversation: InputItem[] = [];
  let isAnswering = false;
  let wasStopped = false;
  let hasFailed = false;

  const interrupts = io.interrupts.subscribe({
    next: () => {
      if (!isAnswering || wasStopped) leave();
      wasStopped = true;
    },
    error: leave,
  });
  if (isTyped) status.note('Ctrl-C stops an answer. At the prompt, Ctrl-C or Ctrl-D exits.');
  try {
    for await (const question of questionsOf(args.prompt, session)) {
      if (stop.aborted) break;
      if (isTyped) wasStopped = false;
      isAnswering = true;
      const answer = await ask(
        [...conversation, userMessage(question)],
        args,
        options,
        session,
        io.interrupts,
      );
      isAnswering = false;
      if (stop.aborted) break;
      if (answer.end !== 'stopped') wasStopped = false;
      if (answer.end === 'failed') status.note(`Error: ${explain(answer.error, options.provider)}`);
      hasFailed ||= answer.end === 'failed' || answer.end === 'incomplete';
      if (isKept(answer)) conversation.push(userMessage(question), ...itemsOf(answer.turn));
      const said = notice(answer, isTyped);
      if (said !== undefined) status.note(said);
    }
  } finally {
    interrupts.unsubscribe();
  }
  return hasFailed && !isTyped ? 1 : 0;
}

/** Whether the conversation can continue from this answer. */
const isKept = ({ end, turn }: Answer): boolean =>
  (end === 'complete' || end === 'stopped') && itemsOf(turn).some(({ type }) => type !== 'reasoning');

/** What a turn adds to the conversation. No tools run here, and providers refuse a call without an output. */
function itemsOf(turn: Turn): readonly ResponseItem[] {
  const items = turnItems(turn);
  return [...items, ...openCalls(items).map(notRun)];
}

function notRun({ type, call_id }: ToolCallItem): ResponseItem {
  const output = 'Not run: no tools are available in this conversation.';
  return type === 'function_call'
    ? functionCallOutput(call_id, output)
    : { type: 'custom_tool_call_output', call_id, output };
}

function notice(answer: Answer, isTyped: boolean): string | undefined {
  if (isKept(answer)) return answer.end === 'stopped' ? 'Stopped. The partial answer is kept.' : undefined;
  const why = { complete: 'The answer is empty. ', stopped: 'Stopped. ', incomplete: '', failed: '' }[
    answer.end
  ];
  return `${why}The question was removed from the conversation${isTyped ? ': press the up arrow to get it back' : ''}.`;
}
