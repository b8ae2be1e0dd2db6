/**
 * What a value is called in a picture: `lines` stand in its marble; where that would be too long, `detail`
 * stands in the legend. `tone` is its colour, `finish` the finish reason, which few pictures show.
 */
exports.labelOf = function labelOf(value) {
  if (typeof value === 'string') return labelOfText(value);
  if (typeof value !== 'object' || value === null) return { tone: 'other', lines: [String(value)] };
  if (ArrayBuffer.isView(value)) return wire(new TextDecoder().decode(value));
  if (typeof value.message === 'string' && 'stack' in value) return { tone: 'error', lines: [value.name] };
  if ('headers' in value) return labelOfAnswer(value);
  if ('toolCalls' in value || 'turn' in value) {
    return { tone: 'state', lines: [value.status, `'${(value.turn ?? value).text}'`] };
  }
  if ('steps' in value) {
    return { tone: 'state', lines: [value.status, `'${value.steps.at(-1)?.turn.text ?? ''}'`] };
  }
  if (typeof value.data === 'string') return labelOfMessage(value);
  if (/^(message|reasoning|(function|custom_tool)_call)$/.test(value.type)) return labelOfItem(value);
  return labelOfEvent(value) ?? wire(JSON.stringify(value));
};

const longest = 12;

const visible = (text) => text.replace(/^ | $/g, '␣').replaceAll('\n', '⏎');

const wire = (text) =>
  text.length > longest ? { tone: 'wire', detail: visible(text) } : { tone: 'wire', lines: [visible(text)] };

function labelOfText(text) {
  const [, chunk] = /^data: (\{"choices".*\})\n\n$/.exec(text) ?? [];
  if (chunk !== undefined) {
    const [{ delta, finish_reason: reason }] = JSON.parse(chunk).choices;
    return { tone: 'wire', lines: ['data:', visible(delta.content ?? reason)] };
  }
  if (text === 'data: [DONE]\n\n') return { tone: 'wire', lines: ['[DONE]'] };
  return /^(data|event)?: /.test(text) ? wire(text) : { tone: 'text', lines: [visible(text)] };
}

function labelOfAnswer({ status, headers }) {
  const wait = headers['retry-after'];
  const lines = [String(status), ...(wait === undefined ? [] : [`retry-after: ${wait}`])];
  return { tone: status < 300 ? 'completed' : 'warning', lines };
}

function labelOfMessage(message) {
  if (message.data.length <= longest && message.event === undefined) return wire(message.data);
  const [, chunk] = /"object":"chat\.completion\.chunk".*?,("choices":.*)$/.exec(message.data) ?? [];
  if (chunk !== undefined) return { tone: 'wire', detail: `{ data: '{…,${chunk}' }` };
  const fields = Object.entries(message).filter(([, value]) => value !== undefined);
  const shown = fields.map(([name, value]) => `${name}: '${visible(value)}'`);
  return { tone: 'wire', detail: `{ ${shown.join(', ')} }` };
}

function labelOfEvent({ type, item, stopped, finishReason, delay, delta, call, callId, reason }) {
  switch (type) {
    case 'completed':
      return {
        tone: 'completed',
        lines: stopped ? ['completed', 'stopped'] : ['completed'],
        finish: String(finishReason),
      };
    case 'retrying':
    case 'restarting':
      return { tone: 'warning', lines: [type, `${delay} ms`] };
    case 'chunk':
      return { tone: 'wire', lines: ['chunk'] };
    case 'approval_requested':
    case 'tool_started':
    case 'tool_progress':
    case 'tool_finished':
      return { tone: 'other', lines: [type.replace(/^\w+_/, ''), call?.name ?? callId] };
    case 'run_completed':
      return { tone: 'completed', lines: ['run', reason] };
    case 'function_call_arguments_delta':
      return { tone: 'other', lines: ['call', visible(delta)] };
    case 'output_item_done':
      return labelOfItem(item);
    default:
      return undefined;
  }
}

function labelOfItem(item) {
  const said = (item.content ?? []).map((part) => part.text ?? part.refusal).join('');
  if (item.type === 'reasoning') return { tone: 'reasoning', lines: ['reasoning', visible(said)] };
  if (item.type !== 'message') return { tone: 'other', lines: ['call', item.name] };
  if (item.role !== 'assistant') return { tone: 'other', lines: [item.role, visible(said)] };
  return { tone: 'text', lines: [visible(said)] };
}
