import { ChatCompletionsError } from '../../src/turn/errors.js';
import { ToolError, type ToolErrorCode } from '../../src/turn/tool-error.js';

const call = { call_id: 'call_1', name: 'private_name' };

describe('ToolError', () => {
  it.each<[ToolErrorCode, string]>([
    ['unknown_tool', 'The model called a tool that does not exist.'],
    ['incomplete_arguments', 'A tool call was cut off before its arguments were complete.'],
    ['invalid_arguments', 'The arguments of a tool call do not match its schema.'],
    ['rejected', 'A tool call was rejected.'],
    ['timeout', 'A tool took too long.'],
    ['failed', 'A tool failed.'],
    ['cancelled', 'A tool call was cancelled.'],
  ])('(%s) says what happened, and nothing of what was called', (code, message) => {
    const error = new ToolError(code, call);
    expect(error).toBeInstanceOf(ChatCompletionsError);
    expect(error).toMatchObject({ name: 'ToolError', code, callId: 'call_1', message });
    expect(error).not.toHaveProperty('cause');
  });

  it('holds the tool’s name, the issues and the cause where no logger finds them', () => {
    const cause = new RangeError('private');
    const issues = [{ message: 'private' }];
    const error = new ToolError('invalid_arguments', call, { issues, cause });
    expect([error.toolName, error.issues, error.cause]).toEqual(['private_name', issues, cause]);
    expect(JSON.stringify(error)).toBe('{"code":"invalid_arguments","callId":"call_1"}');
    expect(Object.keys(error)).toEqual(['code', 'callId']);
  });

  it('has no issues where none were found', () => {
    expect(new ToolError('failed', call).issues).toEqual([]);
  });
});
