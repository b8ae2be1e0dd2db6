export type { Cut, MockAnswer, MockError, MockPiece } from './mock-answer.js';
export { type MockProvider, type MockProviderOptions, startMockProvider } from './start-mock-provider.js';
export type { MockRequest, MockRequestBody } from './mock-request.js';
