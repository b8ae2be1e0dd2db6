import { lastValueFrom, from } from 'rxjs';
import { memoryLog } from '../../src/shared/index.js';
import { itIsATurnLog } from './turn-log-contract.js';

describe('memoryLog()', () => {
  itIsATurnLog(async () => {
    const log = memoryLog();
    return {
      logs: [log, log],
      end: () => lastValueFrom(from(log.close()), { defaultValue: undefined }),
    };
  });
});
