// What the mock provider answers to the code of the documentation.

/** A call where tools are there to be called and nothing was called yet, JSON where that is asked for, else the default text. */
export function answer({ body: { tools: [tool] = [], messages, response_format: format } }) {
  if (format !== undefined) return { content: JSON.stringify(valueOf(format.json_schema?.schema ?? {})) };
  if (tool === undefined || messages.some(({ role }) => role === 'tool')) return {};
  return { content: [{ toolCall: { name: tool.function.name, arguments: { city: 'Rome' } } }] };
}

/** A value that matches a schema of the documentation. */
function valueOf({ type, properties = {}, items }) {
  if (type === 'array') return [valueOf(items)];
  if (type === 'number') return 1;
  if (type === 'string') return 'Rome';
  return Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, valueOf(inner)]));
}
