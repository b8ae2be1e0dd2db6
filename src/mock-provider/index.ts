export { answersFromFile } from './answers-from-file.js';
export type {
  Cut,
  MockAnswer,
  MockChoice,
  MockError,
  MockPiece,
  MockRetryAfter,
  MockToolCall,
  WirePiece,
} from './mock-answer.js';
export { type MockProvider, type MockProviderOptions, startMockProvider } from './start-mock-provider.js';
export type { MockRequest, MockRequestBody } from './mock-request.js';
