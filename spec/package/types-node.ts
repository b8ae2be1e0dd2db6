// Compiled as a user's file against the packed declarations, with the types of Node.
import type { Observable } from 'rxjs';
import { type ResponseEvent, streamChatCompletions } from 'rxjs-chat-completions';
import { type MockProvider, startMockProvider } from 'rxjs-chat-completions/mock-provider';
import { nodeTransport } from 'rxjs-chat-completions/node';

export async function turn(): Promise<Observable<ResponseEvent>> {
  const mock: MockProvider = await startMockProvider({ answers: [{ content: 'Hi' }] });
  const provider = { name: 'mock', baseUrl: mock.baseUrl };
  return streamChatCompletions('Hi', { model: 'm', provider, transport: nodeTransport() });
}
